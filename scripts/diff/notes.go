package main

import (
	"cmp"
	_ "embed"
	"regexp"
	"strings"
)

//go:embed notes.txt
var notes string

// A step is one of the reading order: a flavor and the next, or one flavor alone.
type step struct {
	left, right string // right is "" where there is one alone
	sentence    string
	notes       []note
}

// A note is a paragraph, and what it explains: a name in the code, an event, or an event
// with a question mark; nothing if it is about the step as a whole.
type note struct{ at, text string }

func (s step) name() string {
	if s.right == "" {
		return s.left
	}
	return s.left + " -> " + s.right
}

// last is the flavor that the reader knows after the step.
func (s step) last() string { return cmp.Or(s.right, s.left) }

var (
	heading = regexp.MustCompile(`^([a-z]+)(?: -> ([a-z]+))?$`)
	anchor  = regexp.MustCompile(`^(?:\[([^]]+)\] )?(.*)$`)
)

// parseNotes returns the steps of notes.txt, which says how it is written, and what is said
// of the events in all steps.
func parseNotes(text string) (steps []step, events []note) {
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	for _, paragraph := range regexp.MustCompile(`\n\s*\n`).Split(strings.TrimSpace(text), -1) {
		if m := heading.FindStringSubmatch(paragraph); m != nil {
			steps = append(steps, step{left: m[1], right: m[2]})
			continue
		}
		m := anchor.FindStringSubmatch(strings.ReplaceAll(paragraph, "\n", " "))
		if len(steps) == 0 {
			events = append(events, note{m[1], m[2]})
			continue
		}
		if last := &steps[len(steps)-1]; last.sentence == "" {
			last.sentence = m[2]
		} else {
			last.notes = append(last.notes, note{m[1], m[2]})
		}
	}
	return steps, events
}

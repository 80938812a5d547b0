package main

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
)

//go:embed notes.txt
var notes string

// A step is one of the reading order: a flavor and the next, or one flavor alone.
type step struct {
	left, right string // right is "" where there is one alone
	sentence    string
	paragraphs  []string
}

func (s step) name() string {
	if s.right == "" {
		return s.left
	}
	return s.left + " -> " + s.right
}

// last is the flavor that the reader knows after the step.
func (s step) last() string {
	if s.right == "" {
		return s.left
	}
	return s.right
}

var heading = regexp.MustCompile(`^([a-z]+)(?: -> ([a-z]+))?$`)

// parseNotes returns the steps of notes.txt, which says how it is written.
func parseNotes(text string) []step {
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	var steps []step
	for _, paragraph := range regexp.MustCompile(`\n\s*\n`).Split(strings.TrimSpace(text), -1) {
		if m := heading.FindStringSubmatch(paragraph); m != nil {
			steps = append(steps, step{left: m[1], right: m[2]})
			continue
		}
		last := &steps[len(steps)-1]
		paragraph = strings.ReplaceAll(paragraph, "\n", " ")
		if last.sentence == "" {
			last.sentence = paragraph
		} else {
			last.paragraphs = append(last.paragraphs, paragraph)
		}
	}
	return steps
}

// flavorsOf returns the flavors in reading order.
func flavorsOf(steps []step) (names []string) {
	for _, s := range steps {
		for _, name := range []string{s.left, s.right} {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

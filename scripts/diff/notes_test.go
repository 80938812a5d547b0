package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNotes(t *testing.T) {
	steps, events := parseNotes(`# A comment.
[B connects] B
comes.

one

The first
sentence.

one -> two

A sentence.

[loop] A paragraph of
two lines.
# A comment within.

[B connects?] Another?
`)
	want := []step{
		{"one", "", "The first sentence.", nil},
		{"one", "two", "A sentence.", []note{{"loop", "A paragraph of two lines."}, {"B connects?", "Another?"}}},
	}
	if d := cmp.Diff(want, steps, cmp.AllowUnexported(step{}, note{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]note{{"B connects", "B comes."}}, events, cmp.AllowUnexported(note{})); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

// TestNotes checks that each step begins with a flavor that the reader knows; that all code
// in the notes is found, each note has a place, and each event a sentence; and that the
// notes name all that changes.
func TestNotes(t *testing.T) {
	m, data := loaded(t)
	var known, events []string
	for _, e := range data.Traces["stblock"] {
		events = append(events, e.Name)
	}
	for i, e := range data.Events {
		if i >= len(events) || e.Name != events[i] || len(e.Text) == 0 {
			t.Errorf("event %d is %q in the notes, of %q", i, e.Name, events)
		}
	}
	for i, s := range m.steps {
		if i == 0 && s.right != "" || i > 0 && (!slices.Contains(known, s.left) || slices.Contains(known, s.right)) || s.sentence == "" {
			t.Errorf("%s comes after %q", s.name(), known)
		}
		known = append(known, s.last())
		changed := changedNames(m, data, s)
		place := data.places(s)
		var code []string
		for _, n := range s.notes {
			if event, _ := strings.CutSuffix(n.at, "?"); n.at != "" && n.at != "conn" && !slices.Contains(changed, n.at) && !slices.Contains(events, event) {
				t.Errorf("%s: %q is neither an event nor what changes: %q", s.name(), n.at, changed)
			}
			for _, p := range prose(n.text, place) {
				if p.Code && p.At == "" {
					t.Errorf("%s: there is no %q", s.name(), p.Text)
				}
				if p.Code {
					code = append(code, p.Text)
				}
			}
		}
		for _, name := range changed {
			if !regexp.MustCompile(`\b`+name+`\b`).MatchString(strings.Join(code, " ")) && !slices.ContainsFunc(s.notes, func(n note) bool { return n.at == name }) {
				t.Errorf("%s: the notes do not name %s", s.name(), name)
			}
		}
	}
	place := data.places(m.steps[1])
	for code, want := range map[string]string{"c.serve()": "\t\t\tc.serve()", "go c.serve()": "\t\t\tgo c.serve()", "mu.Lock": "\tmu.Lock()"} {
		at := place(code)
		n, _ := strconv.Atoi(at[1:])
		if line := m.lines[map[byte]string{'L': "stblock", 'R': "mtblock"}[at[0]]]["main.go"][n-1]; line != want {
			t.Errorf("%s leads to %s, %q", code, at, line)
		}
	}
}

// changedNames returns the functions and types in which a line changes, and what only one of
// the flavors declares; of a flavor alone, all that it declares. In main, names change.
func changedNames(m *module, data *pageData, s step) (names []string) {
	if s.right == "" {
		return []string{"conn", "main", "loop", "accept", "serve", "step", "fill", "flush", "lingers"}
	}
	var declared [2]map[string]int
	for _, f := range data.Flavors {
		for side, flavor := range []string{s.left, s.right} {
			if f.Name == flavor {
				declared[side] = f.Declared
			}
		}
	}
	for side, mine := range declared {
		for name := range mine {
			if declared[1-side][name] == 0 {
				names = append(names, strings.TrimPrefix(name, "."))
			}
		}
	}
	for _, stretch := range data.Pairs[s.left+".."+s.right] {
		for _, r := range stretch.Rows {
			for side, flavor := range []string{s.left, s.right} {
				lines := m.lines[flavor]["main.go"]
				if !r.changed || r.lines[side] == 0 {
					continue
				}
				f := function.FindStringSubmatch(title(lines, r.lines[side]))
				if f != nil && f[1] != "main" {
					names = append(names, f[1])
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

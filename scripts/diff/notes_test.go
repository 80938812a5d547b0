package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNotes(t *testing.T) {
	got := parseNotes(`# A comment.
# Another.

one

The first
sentence.

one -> two

A sentence.

A paragraph of
two lines.
# A comment within.

Another.
`)
	want := []step{
		{"one", "", "The first sentence.", nil},
		{"one", "two", "A sentence.", []string{"A paragraph of two lines.", "Another."}},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(step{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestOrder checks that each step begins with a flavor that the reader knows.
func TestOrder(t *testing.T) {
	var known []string
	for i, s := range loaded(t).steps {
		if i == 0 && s.right != "" || i > 0 && (!slices.Contains(known, s.left) || slices.Contains(known, s.right)) {
			t.Errorf("%s comes after %q", s.name(), known)
		}
		if s.sentence == "" || len(s.paragraphs) == 0 {
			t.Errorf("%s has no notes", s.name())
		}
		known = append(known, s.last())
	}
}

// TestNotesLead checks that all code in the notes is found in the flavors, but for the
// names of system calls.
func TestNotesLead(t *testing.T) {
	data, err := loaded(t).pageData()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range data.Steps {
		for _, part := range slices.Concat(s.Notes...) {
			if part.Code && part.At == "" && !strings.HasSuffix(part.Text, "(2)") {
				t.Errorf("%s, %s: there is no %q", s.Left, s.Right, part.Text)
			}
		}
	}
}

// TestNotesExplain checks that the notes of a step name all that changes in it.
func TestNotesExplain(t *testing.T) {
	m := loaded(t)
	for _, s := range m.steps {
		notes := strings.Join(s.paragraphs, " ")
		for _, name := range changedNames(t, m, s) {
			if !regexp.MustCompile("`[^`]*\\b" + name + "\\b[^`]*`").MatchString(notes) {
				t.Errorf("%s: the notes do not name %s", s.name(), name)
			}
		}
	}
}

// changedNames returns the functions in which a line changes, and what only one of the
// flavors declares. In main, the server's own name changes.
func changedNames(t *testing.T, m *module, s step) (names []string) {
	var declared [2]map[string]int
	for side, flavor := range []string{s.left, s.last()} {
		var err error
		if _, declared[side], err = m.parse(flavor, "main.go"); err != nil {
			t.Fatal(err)
		}
	}
	if s.right == "" {
		return []string{"main", "loop", "accept", "serve", "step", "fill", "flush"}
	}
	for side, mine := range declared {
		for name := range mine {
			if declared[1-side][name] == 0 {
				names = append(names, name)
			}
		}
	}
	hunks, err := m.hunks(s.left, s.right, "main.go")
	if err != nil {
		t.Fatal(err)
	}
	files := [2][]string{m.lines[s.left]["main.go"], m.lines[s.right]["main.go"]}
	for _, r := range compare(files[0], files[1], hunks) {
		for side, n := range r.lines {
			if !r.changed || n == 0 {
				continue
			}
			if f := function.FindStringSubmatch(title(files[side], n)); f != nil && f[1] != "main" {
				names = append(names, f[1])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

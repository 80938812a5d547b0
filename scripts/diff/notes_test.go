package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestSameness(t *testing.T) {
	for in, want := range map[string]string{ // the flavors that have a.go, and what is in it
		"one:x two:x three:x four:x": "a.go is the same in 4 flavors.",
		"one:x two:x three:x four:y": "a.go is the same in one, two and three, and differs in four.",
		"one:x two:x":                "a.go is the same in one and two, and is not in three and four.",
		"two:x three:y":              "a.go differs in two and three.",
		"two:x":                      "a.go is in two only.",
		"":                           "There is no a.go in one, two, three and four.",
	} {
		m := &module{lines: map[string]map[string][]string{"one": {}, "two": {}, "three": {}, "four": {}}}
		for _, field := range strings.Fields(in) {
			flavor, text, _ := strings.Cut(field, ":")
			m.lines[flavor]["a.go"] = []string{text}
		}
		if got := m.sameness("a.go", []string{"one", "two", "three", "four"}); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}

// TestNotes checks that each step begins with a flavor that the reader knows; that all code
// in the notes is found, each note has a place, and each event a sentence; and that the
// notes name all that changes.
func TestNotes(t *testing.T) {
	m, data := loaded()
	var known, events []string
	for i, e := range data.Traces["stblock"] {
		if i >= len(data.Events) || data.Events[i].Name != e.Name {
			t.Fatalf("the notes lack event %d, %q", i, e.Name)
		}
		events = append(events, e.Name, e.Name+"?")
	}
	for i, s := range m.steps {
		if i == 0 && s.right != "" || i > 0 && (!slices.Contains(known, s.left) || slices.Contains(known, s.right)) {
			t.Errorf("%s comes after %q", s.name(), known)
		}
		known = append(known, s.last())
		changed := changedNames(m, data, s)
		code := ""
		for _, n := range s.notes {
			if !slices.Contains(slices.Concat(changed, events, []string{"", "conn"}), n.at) {
				t.Errorf("%s: %q is neither an event nor what changes: %q", s.name(), n.at, changed)
			}
			code += " " + n.at
			for _, p := range prose(n.text, data.places(s)) {
				if p.Code {
					code += " " + p.Text
				}
				if p.Code && p.At == "" {
					t.Errorf("%s: there is no %q", s.name(), p.Text)
				}
			}
		}
		for _, name := range changed {
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(code) {
				t.Errorf("%s: the notes do not name %s", s.name(), name)
			}
		}
	}
	for code, want := range map[string]string{"c.serve()": "\t\t\tc.serve()", "go c.serve()": "\t\t\tgo c.serve()", "mu.Lock": "\tmu.Lock()"} {
		at := data.places(m.steps[1])(code)
		n, _ := strconv.Atoi(at[1:])
		if line := m.lines[map[byte]string{'L': "stblock", 'R': "mtblock"}[at[0]]]["main.go"][n-1]; line != want {
			t.Errorf("%s leads to %s, %q", code, at, line)
		}
	}
}

// changedNames returns the functions in which a line changes, but for main, and what only one
// of the flavors declares; of a flavor alone, its functions.
func changedNames(m *module, data *pageData, s step) (names []string) {
	var files [2]pageFile
	for side, flavor := range []string{s.left, s.last()} {
		files[side] = data.Flavors[slices.Index(m.flavors, flavor)]
	}
	for side, f := range files {
		for name := range f.Declared {
			if _, both := files[1-side].Declared[name]; !both || s.right == "" {
				names = append(names, strings.TrimPrefix(name, "."))
			}
		}
	}
	for _, stretch := range data.Pairs[s.left+".."+s.right] {
		for _, r := range stretch.Rows {
			for side, n := range r.lines {
				if !r.changed || n == 0 {
					continue
				}
				if f := regexp.MustCompile(`^func (?:\(.*?\) )?(\w+)`).FindStringSubmatch(title(files[side].Lines, n)); f != nil && f[1] != "main" {
					names = append(names, f[1])
				}
			}
		}
	}
	return names
}

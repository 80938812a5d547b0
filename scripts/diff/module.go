package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A module is the flavors, and the order in which they are read.
type module struct {
	dir     string
	steps   []step
	events  []note // what is said of them in all steps
	flavors []string
	files   []string                       // of any flavor: main.go, and then those that stay
	lines   map[string]map[string][]string // by flavor and file
}

// load reads the flavors in dir.
func load(dir string) (*module, error) {
	m := &module{dir: dir, lines: map[string]map[string][]string{}}
	m.steps, m.events = parseNotes(notes)
	m.files = []string{"main.go"}
	for _, s := range m.steps {
		flavor := s.last()
		m.flavors = append(m.flavors, flavor)
		m.lines[flavor] = map[string][]string{}
		found, err := filepath.Glob(m.path(flavor, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, name := range append([]string{m.path(flavor, "main.go")}, found...) {
			file := filepath.Base(name)
			if file == "stub.go" || strings.HasSuffix(file, "_test.go") {
				continue // no part of the server
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			m.lines[flavor][file] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
			if !slices.Contains(m.files, file) {
				m.files = append(m.files, file)
			}
		}
	}
	return m, nil
}

func (m *module) path(flavor, file string) string { return filepath.Join(m.dir, flavor, file) }

// returns reports whether step i begins with a flavor of an earlier step than the last.
func (m *module) returns(i int) bool { return i > 0 && m.steps[i].left != m.steps[i-1].last() }

// hunks returns what diff(1) says of two flavors' files; nothing if one has none.
func (m *module) hunks(a, b, file string) (string, error) {
	if m.lines[a][file] == nil || m.lines[b][file] == nil {
		return "", nil
	}
	return unified(m.path(a, file), m.path(b, file))
}

// sameness says in which of some flavors a file is the same.
func (m *module) sameness(file string, flavors []string) string {
	var first []string // the lines of the first
	var same, differ, none []string
	for _, flavor := range flavors {
		lines := m.lines[flavor][file]
		switch {
		case lines == nil:
			none = append(none, flavor)
		case first == nil || slices.Equal(lines, first):
			first = lines
			same = append(same, flavor)
		default:
			differ = append(differ, flavor)
		}
	}
	switch {
	case len(same) == 0:
		return fmt.Sprintf("There is no %s in %s.", file, and(none))
	case len(same) == 1 && len(differ) == 0:
		return fmt.Sprintf("%s is in %s only.", file, same[0])
	case len(same) == 1:
		return fmt.Sprintf("%s differs in %s.", file, and(append(same, differ...)))
	}
	text := file + " is the same in " + and(same)
	if len(same) > 3 {
		text = fmt.Sprint(file, " is the same in ", len(same), " flavors")
	}
	if len(differ) > 0 {
		text += ", and differs in " + and(differ)
	}
	if len(none) > 0 {
		text += ", and is not in " + and(none)
	}
	return text + "."
}

// and joins names as in a sentence.
func and(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// parts are the files of a flavor: what changes, and what stays the same.
var parts = []string{"main.go", "answer.go", "listen.go"}

// A module is the flavors, and the order in which they are read.
type module struct {
	dir     string
	steps   []step
	flavors []string
	lines   map[string]map[string][]string // of the flavors' files
}

// load reads the flavors in dir.
func load(dir string) (*module, error) {
	m := &module{dir: dir, steps: parseNotes(notes), lines: map[string]map[string][]string{}}
	m.flavors = flavorsOf(m.steps)
	for _, flavor := range m.flavors {
		m.lines[flavor] = map[string][]string{}
		for _, file := range parts {
			text, err := os.ReadFile(m.path(flavor, file))
			if errors.Is(err, fs.ErrNotExist) && file != "main.go" {
				continue
			}
			if err != nil {
				return nil, err
			}
			m.lines[flavor][file] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		}
	}
	return m, nil
}

func (m *module) path(flavor, file string) string { return filepath.Join(m.dir, flavor, file) }

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
	var text string
	switch {
	case len(differ) > 0:
		text = fmt.Sprintf("%s differs: %s from %s", file, and(differ), and(same))
	case len(same) == 0:
		return fmt.Sprintf("There is no %s in %s.", file, and(none))
	case len(same) > 2:
		text = fmt.Sprintf("%s is the same in %d flavors", file, len(same))
	case len(same) == 2:
		text = fmt.Sprintf("%s is the same in %s", file, and(same))
	default:
		text = fmt.Sprintf("%s is in %s", file, and(same))
	}
	if len(none) > 0 {
		text += ", and not in " + and(none)
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

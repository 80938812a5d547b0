//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecorded reads output of strace -f, from which most calls in vain and most of the
// runtime's are taken out. A line == says that an event began there; =+, that it began
// while strace was at the next line. Both have what the clients then got.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.strace")
	if err != nil || len(files) != 4 {
		t.Fatalf("recorded: %q, %v", files, err)
	}
	for _, file := range files {
		calls, events := recorded(t, file)
		list, err := rows(calls, events)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		tab := table{title: filepath.Base(file), rows: map[string][]row{}}
		for _, r := range list {
			tab.add(r)
		}
		var got strings.Builder
		tab.print(&got)
		want, err := os.ReadFile(strings.TrimSuffix(file, ".strace") + ".txt")
		if err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
	}
}

func recorded(t *testing.T, file string) (calls []call, events []event) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	for line := range strings.Lines(string(text)) {
		mark, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if mark != "==" && mark != "=+" {
			output.WriteString(line)
			continue
		}
		name, got, _ := strings.Cut(rest, ": ")
		e := event{output.Len(), name, strings.ReplaceAll(got, "; ", "\n"), strings.Contains(file, "busywait")}
		if mark == "=+" {
			e.begin++
		}
		events = append(events, e)
	}
	if calls, err = parse(output.String()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return calls, events
}

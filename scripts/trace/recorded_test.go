//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/scripts/trace/recording"
)

// TestRecorded reads output of strace, from which the stacks and most calls in vain are taken
// out. A line == says that an event began there; =+, that it began while strace was at the
// next line. Both have what the clients then got.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.strace")
	if err != nil || len(files) != 4 {
		t.Fatalf("recorded: %q, %v", files, err)
	}
	for _, file := range files {
		output, events := recorded(t, file)
		trace := recording.Trace{Proto: "resp", Flavor: filepath.Base(file), Events: rows(parse(output), events)}
		var got strings.Builder
		table(&got, trace, trace, width, false)
		want, err := os.ReadFile(strings.TrimSuffix(file, ".strace") + ".txt")
		if err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
	}
}

func recorded(t *testing.T, file string) (output string, events []event) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		mark, rest, _ := strings.Cut(line, " ")
		if mark != "==" && mark != "=+" {
			output += line
			continue
		}
		name, got, _ := strings.Cut(strings.TrimSpace(rest), ":")
		e := event{begin: len(output), name: name, polls: strings.Contains(file, "busywait")}
		for _, gain := range strings.FieldsFunc(got, func(r rune) bool { return r == ';' }) {
			e.got = append(e.got, recording.Row{Kind: "client", Text: strings.TrimSpace(gain)})
		}
		if mark == "=+" {
			e.begin++
		}
		events = append(events, e)
	}
	return output, events
}

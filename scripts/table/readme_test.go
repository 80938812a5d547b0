package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// README's figures are those of scripts/results.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := readme([]string{"-file", file, "-results", "../results"}, nil); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("README.md (-want +got; go run ./scripts/table readme writes it anew):\n%s", diff)
	}
}

// Every figure that the template asks for is there.
func TestReadmeSection(t *testing.T) {
	section, err := readmeSection("../results")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(section) {
		if strings.Contains(line, "|  |") || strings.Contains(line, "NaN") {
			t.Errorf("a figure is missing in %q", line)
		}
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 110 && !strings.HasPrefix(line, "![") {
			t.Errorf("a line of %d characters: %q", n, line)
		}
	}
}

func TestReadmeLacksItsLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("no figures here\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := readme([]string{"-file", file, "-results", "../results"}, nil); err == nil || !strings.Contains(err.Error(), "lacks the lines") {
		t.Errorf("error %v; want that the lines are not there", err)
	}
}

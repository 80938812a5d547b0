package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSameness(t *testing.T) {
	for in, want := range map[string]string{ // the flavors that have a.go, and what is in it
		"one:x two:x three:x": "a.go is the same in one, two and three.",
		"one:x two:x":         "a.go is the same in one and two; three has none.",
		"two:x":               "a.go is in two only.",
		"one:x two:y three:x": "a.go is the same in one and three; two has its own.",
		"two:x three:y":       "a.go differs in two and three; one has none.",
		"":                    "There is no a.go in one, two and three.",
	} {
		m := &module{lines: map[string]map[string][]string{"one": {}, "two": {}, "three": {}}}
		for _, field := range strings.Fields(in) {
			flavor, text, _ := strings.Cut(field, ":")
			m.lines[flavor]["a.go"] = []string{text}
		}
		if got := m.sameness("a.go", []string{"one", "two", "three"}); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}

// TestShow shows two flavors of which a file that should be the same is not.
func TestShow(t *testing.T) {
	dir := t.TempDir()
	write := func(flavor, file, text string) {
		os.Mkdir(filepath.Join(dir, flavor), 0o755)
		if err := os.WriteFile(filepath.Join(dir, flavor, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	steps, _ := parseNotes(notes)
	for _, flavor := range flavorsOf(steps) {
		write(flavor, "main.go", "package main\n\n// "+flavor+"\n")
		write(flavor, "answer.go", "a\n")
		write(flavor, "stub.go", flavor)
		write(flavor, "x_test.go", flavor)
	}
	write("mtblock", "answer.go", "different\n")
	write("mtblock", "threads.go", "c\n")
	for args, want := range map[string]string{
		"-w mtblock busywait": `threads.go is in mtblock only.
--- a/mtblock/main.go
+++ b/busywait/main.go
@@ -1,3 +1,3 @@
 package main
 
-// mtblock
+// busywait
--- a/mtblock/answer.go
+++ b/busywait/answer.go
@@ -1 +1 @@
-different
+a
`,
		"mtblock busywait": `threads.go is in mtblock only.
` + strings.Repeat("-", 99) + `
   1 package main                                     1 package main
   2                                                  2
   3 // mtblock                                  |    3 // busywait
answer.go differs in mtblock and busywait.
` + strings.Repeat("-", 99) + `
   1 different                                   |    1 a
`,
	} {
		t.Setenv("COLUMNS", "100")
		var out strings.Builder
		if err := run(&out, append([]string{"-C", dir}, strings.Fields(args)...)); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(want, out.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", args, d)
		}
	}
}

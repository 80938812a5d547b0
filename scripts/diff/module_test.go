package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSameness(t *testing.T) {
	for _, test := range []struct {
		file string
		in   string // the flavors that have it, and what is in it
		want string
	}{
		{"a.go", "one:x two:x three:x", "a.go is the same in 3 flavors."},
		{"a.go", "one:x two:x", "a.go is the same in one and two; three has none."},
		{"a.go", "two:x", "a.go is in two only."},
		{"a.go", "one:x two:y three:x", "a.go differs: two from one and three."},
		{"a.go", "two:x three:y", "a.go differs: three from two; one has none."},
		{"a.go", "", "There is no a.go in one, two and three."},
	} {
		m := &module{lines: map[string]map[string][]string{"one": {}, "two": {}, "three": {}}}
		for _, field := range strings.Fields(test.in) {
			flavor, text, _ := strings.Cut(field, ":")
			m.lines[flavor][test.file] = []string{text}
		}
		if got := m.sameness(test.file, []string{"one", "two", "three"}); got != test.want {
			t.Errorf("%q: %q; want %q", test.in, got, test.want)
		}
	}
}

// TestShow shows two flavors of which a file that should be the same is not.
func TestShow(t *testing.T) {
	dir := t.TempDir()
	for _, flavor := range flavorsOf(parseNotes(notes)) {
		files := map[string]string{"main.go": "package main\n\n// " + flavor + "\n", "answer.go": "a\n", "stub.go": flavor, "x_test.go": flavor}
		if flavor != "goroutinesrv" {
			files["listen.go"] = "b\n"
		}
		if flavor == "mtblock" {
			files["threads.go"] = "c\n"
			files["answer.go"] = "different\n"
		}
		if err := os.Mkdir(filepath.Join(dir, flavor), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, flavor, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("COLUMNS", "160")
	for _, test := range []struct {
		args, want string
	}{
		{"-w stblock goroutinesrv", `answer.go is the same in stblock and goroutinesrv.
listen.go is in stblock only.
--- a/stblock/main.go
+++ b/goroutinesrv/main.go
@@ -1,3 +1,3 @@
 package main
 
-// stblock
+// goroutinesrv
`},
		{"-w mtblock busywait", `listen.go is the same in mtblock and busywait.
threads.go is in mtblock only.
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
`},
		{"mtblock busywait", `listen.go is the same in mtblock and busywait.
threads.go is in mtblock only.
` + strings.Repeat("-", 159) + `
   1 package main                                                                   1 package main
   2                                                                                2
   3 // mtblock                                                                |    3 // busywait
answer.go differs: busywait from mtblock.
` + strings.Repeat("-", 159) + `
   1 different                                                                 |    1 a
`},
	} {
		var out strings.Builder
		if err := run(&out, append([]string{"-C", dir}, strings.Fields(test.args)...)); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(test.want, out.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.args, d)
		}
	}
	var out strings.Builder
	if err := run(&out, []string{"-C", dir}); err != nil {
		t.Error(err)
	}
	_, got, _ := strings.Cut(out.String(), "kqueuesrv ")
	_, got, _ = strings.Cut(got, "\n\n")
	want := "answer.go differs: mtblock from stblock, goroutinesrv, busywait, epollsrv and kqueuesrv.\n" +
		"listen.go is the same in 5 flavors; goroutinesrv has none.\nthreads.go is in mtblock only.\n"
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the end of the list (-want +got):\n%s", d)
	}
}

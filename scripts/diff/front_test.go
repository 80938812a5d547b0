package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary be the program, too.
func TestMain(m *testing.M) {
	if os.Getenv("BE_DIFF") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// shell runs bash on a command line. It knows diff.sh as $front, the program as $diff, which
// is what diff.sh runs when it has built it, and the module's folder as $root.
func shell(t *testing.T, line string, more ...string) (stdout, stderr string, status int) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	script, _ := filepath.Abs("../diff.sh")
	root, _ := filepath.Abs("../..")
	program, _ := os.Executable()
	var out, errs bytes.Buffer
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = t.TempDir()
	cmd.Env = slices.Concat(os.Environ(), []string{"front=" + script, "root=" + root, "diff=" + program + " -C " + root, "BE_DIFF=1", "COLUMNS=160"}, more)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func source(t *testing.T, flavor string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + flavor + "/main.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tooLong returns a line of more columns than so many.
func tooLong(text string, columns int) []byte {
	text = regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(text, "")
	return regexp.MustCompile(fmt.Sprintf("(?m)^.{%d,}$", columns+1)).Find([]byte(text))
}

// TestArguments checks what is said of those that are wrong.
func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"nosuch mtblock", 2, "no flavor \"nosuch\": want two of\nstblock mtblock goroutinesrv busywait epollsrv kqueuesrv"},
		{"-x", 2, "flag provided but not defined: -x"},
		{"stblock", 2, "want two flavors, not 1"},
		{"stblock mtblock busywait", 2, "want two flavors, not 3"},
		{"-w", 2, "want two flavors, not 0"},
		{"-html", 2, "flag needs an argument: -html"},
		{"-html x stblock mtblock", 2, "-html shows all flavors: name none"},
		{"-html /nosuch/x", 1, "open /nosuch/x: no such file or directory"},
	} {
		want := "diff.sh: " + test.want + "\n"
		if test.status == 2 {
			want += "diff.sh: try diff.sh -h\n"
		}
		stdout, stderr, status := shell(t, "$diff "+test.args)
		if d := cmp.Diff(want, stderr); d != "" || status != test.status || stdout != "" {
			t.Errorf("%q: status %d, want %d; output %q; error (-want +got):\n%s", test.args, status, test.status, stdout, d)
		}
	}
}

// TestShell checks diff.sh, which builds the program and runs it.
func TestShell(t *testing.T) {
	want, _, _ := shell(t, `$diff -w epollsrv kqueuesrv`)
	for _, test := range []struct {
		name, line     string
		stdout, stderr string
		status         int
	}{
		{"help", `"$front" -h`, usage, "", 0},
		{"a symbolic link", `mkdir a b; ln -s "$front" a/one; ln -s ../a/one b/two; b/two -w epollsrv kqueuesrv`, want, "", 0},
		{"a strange place", `mkdir -p "it's \"my\" tmp" x/scripts; export CDPATH=.:$PWD/x TMPDIR="it's \"my\" tmp" GOWORK=/nosuch/go.work; "$front" -w epollsrv kqueuesrv && rmdir it*`, want, "", 0},
		{"settings of git", `export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=diff.interHunkContext GIT_CONFIG_VALUE_0=50 GIT_DIFF_OPTS=-U0; "$front" -w epollsrv kqueuesrv`, want, "", 0},
		{"a page", `"$front" -html page && test -s page`, "wrote page: open it in a browser\n", "", 0},
		{"a reader that leaves", `set -o pipefail; "$front" -w epollsrv kqueuesrv | head -n 1`, "answer.go is the same in epollsrv and kqueuesrv.\n", "", 0},
		{"a full disk", `"$front" >/dev/full`, "", "diff.sh: write /dev/stdout: no space left on device\n", 1},
		{"no output", `"$front" >&-`, "", "diff.sh: standard output is closed\n", 1},
	} {
		if _, err := os.Stat("/dev/full"); err != nil && strings.Contains(test.line, "/dev/full") {
			continue // not on this system
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := shell(t, test.line)
			if d := cmp.Diff([]string{test.stdout, test.stderr}, []string{stdout, stderr}); d != "" || status != test.status {
				t.Errorf("status %d, want %d; (-want +got):\n%s", status, test.status, d)
			}
		})
	}
}

// TestOutput checks the reading order, two flavors side by side, and as a patch.
func TestOutput(t *testing.T) {
	list, _, _ := shell(t, "$diff")
	m, _ := loaded(t)
	for _, s := range m.steps {
		n := len(m.lines[s.left]["main.go"])
		if s.right != "" {
			out, _ := exec.Command("diff", "../../"+s.left+"/main.go", "../../"+s.right+"/main.go").Output() // status 1: they differ
			n = len(regexp.MustCompile(`(?m)^[<>]`).FindAll(out, -1))
		}
		if want := fmt.Sprintf("%-27s %3d lines\n", s.name(), n); !strings.Contains(list, want) {
			t.Errorf("no line %q in:\n%s", want, list)
		}
	}
	if long := tooLong(list+usage, 79); long != nil {
		t.Errorf("too long: %s", long)
	}
	sides, _, _ := shell(t, "$diff ./stblock ../mtblock/") // as the shell completes them
	if !strings.Contains(sides, "| ") || !strings.Contains(sides, "go c.serve()") || strings.Contains(sides, "\x1b") {
		t.Errorf("stblock and mtblock: %s", sides)
	}
	if same, _, _ := shell(t, "$diff stblock stblock"); !strings.HasPrefix(same, "main.go is the same in stblock and stblock.\n") {
		t.Errorf("stblock and stblock: %s", same)
	}
	for columns, want := range map[string]int{"": 79, "x": 79, "0": 79, "1": 79, "60": 79, "99": 99, "100": 100, "9223372036854775807": 500, "99999999999999999999": 500} {
		out, stderr, status := shell(t, "$diff mtblock goroutinesrv", "COLUMNS="+columns)
		isOne := strings.Contains(out, "\n+")
		if long := tooLong(out, want); long != nil || isOne != (want < 100) || stderr != "" || status != 0 {
			t.Errorf("COLUMNS=%s: status %d, error %q; one side: %v; too long: %s", columns, status, stderr, isOne, long)
		}
	}
	if _, err := exec.LookPath("patch"); err == nil {
		stdout, stderr, status := shell(t, `$diff -w stblock mtblock >patch; cp "$root/stblock/main.go" . && patch -s main.go patch && cat main.go`)
		if d := cmp.Diff(source(t, "mtblock"), stdout); d != "" || status != 0 {
			t.Errorf("status %d, error %q; stblock, patched (-want +got):\n%s", status, stderr, d)
		}
	}
}

package main

import (
	"bytes"
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
	script, _ := filepath.Abs("../diff.sh")
	root, _ := filepath.Abs("../..")
	program, _ := os.Executable()
	var out, errs bytes.Buffer
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = t.TempDir()
	cmd.Env = slices.Concat(os.Environ(), []string{"front=" + script, "root=" + root, "diff=" + program + " -C " + root, "BE_DIFF=1", "COLUMNS=160"}, more)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
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

// tooLong returns a line of more than so many columns.
func tooLong(text string, columns int) []byte {
	text = regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(text, "")
	return regexp.MustCompile(fmt.Sprintf("(?m)^.{%d,}$", columns+1)).Find([]byte(text))
}

// TestShell checks what diff.sh says, wherever it is run, and how it ends.
func TestShell(t *testing.T) {
	want, _, _ := shell(t, `$diff -w epollsrv kqueuesrv`)
	const try = "diff.sh: try diff.sh -h\n"
	for _, test := range []struct {
		line           string
		stdout, stderr string
		status         int
	}{
		{`"$front" -h`, usage, "", 0},
		{`mkdir a b; ln -s "$front" a/one; ln -s ../a/one b/two; b/two -w epollsrv kqueuesrv`, want, "", 0},
		{`mkdir -p "it's \"my\" tmp" x/scripts; export CDPATH=.:$PWD/x TMPDIR="it's \"my\" tmp" GOWORK=/nosuch/go.work GOOS=plan9 GOFLAGS=-mod=vendor SHELLOPTS; set -f; "$front" -w epollsrv kqueuesrv && rmdir "$TMPDIR"`, want, "", 0},
		{`export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=diff.interHunkContext GIT_CONFIG_VALUE_0=50 GIT_DIFF_OPTS=-U0; "$front" -w epollsrv kqueuesrv`, want, "", 0},
		{`"$front" -html page && test -s page`, "wrote page: open it in a browser\n", "", 0},
		{`set -o pipefail; "$front" -w epollsrv kqueuesrv | head -n 1`, "answer.go is the same in epollsrv and kqueuesrv.\n", "", 0},
		{`"$front" >/dev/full`, "", "diff.sh: write /dev/stdout: no space left on device\n", 1},
		{`"$front" >&-`, "", "diff.sh: standard output is closed\n", 1},
		{`$diff nosuch mtblock`, "", "diff.sh: no flavor \"nosuch\": want two of\nstblock mtblock goroutinesrv busywait epollsrv kqueuesrv\n" + try, 2},
		{`$diff -x`, "", "diff.sh: flag provided but not defined: -x\n" + try, 2},
		{`$diff stblock`, "", "diff.sh: want two flavors, not 1\n" + try, 2},
		{`$diff stblock mtblock busywait -w`, "", "diff.sh: want two flavors, not 3\n" + try, 2},
		{`$diff -html`, "", "diff.sh: flag needs an argument: -html\n" + try, 2},
		{`$diff -html x stblock mtblock`, "", "diff.sh: -html shows all flavors: name none\n" + try, 2},
		{`$diff -html /nosuch/x`, "", "diff.sh: open /nosuch/x: no such file or directory\n", 1},
	} {
		if _, err := os.Stat("/dev/full"); err != nil && strings.Contains(test.line, "/dev/full") {
			continue // not on this system
		}
		stdout, stderr, status := shell(t, test.line)
		if d := cmp.Diff([]string{test.stdout, test.stderr}, []string{stdout, stderr}); d != "" || status != test.status {
			t.Errorf("%s: status %d, want %d; (-want +got):\n%s", test.line, status, test.status, d)
		}
	}
}

// TestOutput checks the reading order, two flavors side by side, and as a patch.
func TestOutput(t *testing.T) {
	list, _, _ := shell(t, "$diff")
	m, _ := loaded()
	for _, s := range m.steps {
		n := len(m.lines[s.left]["main.go"])
		if s.right != "" {
			out, _ := exec.Command("diff", "../../"+s.left+"/main.go", "../../"+s.right+"/main.go").Output() // status 1: they differ
			n = len(regexp.MustCompile(`(?m)^[<>]`).FindAll(out, -1))
		}
		if want := fmt.Sprintf("%-27s %3d lines\n", s.name(), n); !strings.Contains(list, want) {
			t.Errorf("no %q in:\n%s", want, list)
		}
	}
	if line := tooLong(list+usage, 79); line != nil {
		t.Errorf("more than 79 columns: %s", line)
	}
	for columns, want := range map[string]int{"": 79, "x": 79, "0": 79, "1": 79, "99": 99, "100": 100, "9223372036854775807": 500, "99999999999999999999": 500} {
		out, stderr, status := shell(t, "$diff ./mtblock ../goroutinesrv/", "COLUMNS="+columns) // as the shell completes them
		isOne := strings.Contains(out, "\n+")
		if tooLong(out, want) != nil || isOne != (want < 100) || strings.Contains(out, "\x1b") || !strings.Contains(out, "listen.go differs in mtblock and goroutinesrv.\n") || stderr != "" || status != 0 {
			t.Errorf("COLUMNS=%s: status %d, error %q; one side: %v; too long: %s", columns, status, stderr, isOne, tooLong(out, want))
		}
	}
	if _, err := exec.LookPath("patch"); err == nil {
		stdout, stderr, status := shell(t, `$diff -w stblock mtblock >patch; cp "$root/stblock/main.go" . && patch -s main.go patch && cat main.go`)
		if d := cmp.Diff(source(t, "mtblock"), stdout); d != "" || status != 0 {
			t.Errorf("status %d, error %q; stblock, patched (-want +got):\n%s", status, stderr, d)
		}
	}
}

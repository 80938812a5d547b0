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

var (
	script, _  = filepath.Abs("../diff.sh")
	root, _    = filepath.Abs("../..")
	program, _ = os.Executable()
)

// env lets a shell know diff.sh as $front, and the program as $diff, which is what diff.sh
// runs when it has built it. The flavors are in $root.
var env = []string{"front=" + script, "root=" + root, "diff=" + program, "BE_DIFF=1"}

// shell runs bash on a command line.
func shell(t *testing.T, line string, more ...string) (stdout, stderr string, status int) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	var out, errs bytes.Buffer
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = t.TempDir()
	cmd.Env = slices.Concat(os.Environ(), env, []string{"COLUMNS=160"}, more)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// TestArguments checks what is said of those that are wrong.
func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"nosuch", "mtblock"}, 2, `no flavor "nosuch"; there are stblock mtblock goroutinesrv busywait epollsrv kqueuesrv`},
		{[]string{"-x"}, 2, "flag provided but not defined: -x"},
		{[]string{"stblock"}, 2, "want two flavors, not 1"},
		{[]string{"stblock", "mtblock", "busywait"}, 2, "want two flavors, not 3"},
		{[]string{"-w"}, 2, "want two flavors, not 0"},
		{[]string{"-html"}, 2, "flag needs an argument: -html"},
		{[]string{"-html", "x", "stblock", "mtblock"}, 2, "-html shows all flavors: name none"},
		{[]string{"-html", "/nosuch/x"}, 1, "open /nosuch/x: no such file or directory"},
	} {
		if test.status == 2 {
			test.want += "; diff.sh -h shows the usage"
		}
		stdout, stderr, status := shell(t, `"$diff" -C "$root" `+strings.Join(test.args, " "))
		if d := cmp.Diff("diff.sh: "+test.want+"\n", stderr); d != "" || status != test.status || stdout != "" {
			t.Errorf("%q: status %d, want %d; output %q; error (-want +got):\n%s", test.args, status, test.status, stdout, d)
		}
	}
}

func TestUsage(t *testing.T) {
	if stdout, stderr, status := shell(t, `"$front" -h`); stdout != usage || stderr != "" || status != 0 {
		t.Errorf("-h: status %d, output %q, error %q", status, stdout, stderr)
	}
	if stdout, stderr, status := shell(t, `"$front" -x`); stdout != "" || stderr == "" || status != 2 {
		t.Errorf("-x: status %d, output %q, error %q", status, stdout, stderr)
	}
}

// changedLines returns how many lines diff -u says change, without its header.
func changedLines(t *testing.T, a, b string) int {
	t.Helper()
	out, _ := exec.Command("diff", "-u", "../../"+a+"/main.go", "../../"+b+"/main.go").Output() // status 1: they differ
	return len(regexp.MustCompile(`(?m)^[+-]`).FindAll(out, -1)) - 2
}

// TestList checks the reading order and its numbers of lines.
func TestList(t *testing.T) {
	stdout, stderr, status := shell(t, `"$diff" -C "$root"`)
	if stderr != "" || status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, s := range parseNotes(notes) {
		n := strings.Count(source(t, s.left), "\n")
		if s.right != "" {
			n = changedLines(t, s.left, s.right)
		}
		if want := fmt.Sprintf("%-27s %3d lines\n", s.name(), n); !strings.Contains(stdout, want) {
			t.Errorf("no line %q in:\n%s", want, stdout)
		}
	}
}

func source(t *testing.T, flavor string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + flavor + "/main.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNames checks that flavors may be named as the shell completes them.
func TestNames(t *testing.T) {
	want, _, _ := shell(t, `"$diff" -C "$root" stblock mtblock`)
	if !strings.Contains(want, "go c.serve()") || strings.Contains(want, "\x1b") {
		t.Errorf("stblock and mtblock, without colour: %s", want)
	}
	got, stderr, status := shell(t, `"$diff" -C "$root" ./stblock ../mtblock/`)
	if d := cmp.Diff(want, got); d != "" || stderr != "" || status != 0 {
		t.Errorf("status %d, error %q; (-want +got):\n%s", status, stderr, d)
	}
}

// TestSame compares a flavor with itself.
func TestSame(t *testing.T) {
	for _, flag := range []string{"", "-w"} {
		stdout, stderr, status := shell(t, `"$diff" -C "$root" stblock stblock `+flag)
		if !strings.HasPrefix(stdout, "main.go is the same in stblock and stblock.\n") || stderr != "" || status != 0 {
			t.Errorf("%s: status %d, output %q, error %q", flag, status, stdout, stderr)
		}
	}
}

// TestPatch checks that the unified form is a patch from one flavor to another.
func TestPatch(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("patch is not installed")
	}
	stdout, stderr, status := shell(t, `"$diff" -C "$root" -w stblock mtblock >patch; cp "$root/stblock/main.go" . && patch -s main.go patch && cat main.go`)
	if d := cmp.Diff(source(t, "mtblock"), stdout); d != "" || status != 0 {
		t.Errorf("status %d, error %q; stblock, patched (-want +got):\n%s", status, stderr, d)
	}
}

// TestNarrow checks that two sides are not squeezed into few columns.
func TestNarrow(t *testing.T) {
	want, _, _ := shell(t, `"$diff" -C "$root" -w stblock mtblock`)
	got, stderr, status := shell(t, `"$diff" -C "$root" stblock mtblock`, "COLUMNS=99")
	if got != want || status != 0 || stderr != "diff.sh: 99 columns are too few for two sides, hence -w\n" {
		t.Errorf("99 columns: status %d, error %q; (-want +got):\n%s", status, stderr, cmp.Diff(want, got))
	}
}

// TestReader checks that a reader may stop before the end, and that one who gets nothing
// is told.
func TestReader(t *testing.T) {
	for _, command := range []string{`"$front"`, `"$diff" -C "$root" stblock mtblock`, `"$diff" -C "$root" -w stblock goroutinesrv`} {
		stdout, stderr, status := shell(t, `set -o pipefail; `+command+` | head -n 1`)
		if strings.Count(stdout, "\n") != 1 || stderr != "" || status != 0 {
			t.Errorf("%s: status %d, output %q, error %q", command, status, stdout, stderr)
		}
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		return // not on this system
	}
	_, stderr, status := shell(t, `"$front" >/dev/full`)
	if want := "diff.sh: write /dev/stdout: no space left on device\n"; stderr != want || status != 1 {
		t.Errorf("/dev/full: status %d, error %q; want 1, %q", status, stderr, want)
	}
}

// TestSurroundings checks that nothing around the script changes what it shows.
func TestSurroundings(t *testing.T) {
	want, _, _ := shell(t, `"$front" -w epollsrv kqueuesrv`)
	for name, test := range map[string]struct {
		line string
		env  []string
	}{
		"a symbolic link":               {`mkdir a b; ln -s "$front" a/one; ln -s ../a/one b/two; b/two -w epollsrv kqueuesrv`, nil},
		"CDPATH":                        {`mkdir -p x/scripts tmp; cd "$root" && CDPATH=.:$OLDPWD/x scripts/diff.sh -html /dev/null && cd "$OLDPWD" && CDPATH=. TMPDIR=tmp "$front" -w epollsrv kqueuesrv`, nil},
		"relative TMPDIR":               {`mkdir tmp; TMPDIR=tmp "$front" -html page && test -s page && TMPDIR=tmp "$front" -w epollsrv kqueuesrv && rmdir tmp`, nil},
		"TMPDIR with blanks and quotes": {`mkdir "it's \"my\" tmp"; TMPDIR="$PWD/it's \"my\" tmp" "$front" -w epollsrv kqueuesrv && rmdir it*`, nil},
		"GOWORK":                        {`"$front" -w epollsrv kqueuesrv`, []string{"GOWORK=/nosuch/go.work"}},
		"git":                           {`"$front" -w epollsrv kqueuesrv`, []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=diff.interHunkContext", "GIT_CONFIG_VALUE_0=50", "GIT_DIFF_OPTS=-U0"}},
	} {
		got, stderr, status := shell(t, test.line, test.env...)
		if d := cmp.Diff(want, got); d != "" || stderr != "" || status != 0 {
			t.Errorf("%s: status %d, error %q; (-want +got):\n%s", name, status, stderr, d)
		}
	}
}

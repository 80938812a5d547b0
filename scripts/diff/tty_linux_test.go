package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// inTerminal runs bash on a command line in a terminal of so many columns, and returns
// what it shows.
func inTerminal(t *testing.T, columns int, line string) string {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	fd := int(ptmx.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatalf("TIOCGPTN: %v", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatalf("TIOCSPTLCK: %v", err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatalf("TIOCSWINSZ: %v", err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = t.TempDir()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	for _, v := range slices.Concat(os.Environ(), env, []string{"TERM=xterm"}) {
		if !strings.HasPrefix(v, "COLUMNS=") && !strings.HasPrefix(v, "NO_COLOR=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	shown, _ := io.ReadAll(ptmx) // ends with EIO, when nobody has the terminal open
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v: %s", line, err, shown)
	}
	return strings.ReplaceAll(string(shown), "\r\n", "\n")
}

// TestTerminal checks the width that diff.sh takes in a terminal, and before a pager in
// one, and that colour is for the terminal alone.
func TestTerminal(t *testing.T) {
	for _, columns := range []int{100, 120, 200} {
		got := inTerminal(t, columns, `NO_COLOR=1 "$diff" -C "$root" stblock mtblock`)
		paged := inTerminal(t, columns, `"$diff" -C "$root" stblock mtblock | cat`)
		if longest := longestLine(got); longest > columns || longest < columns-1 {
			t.Errorf("the longest line has %d columns in a terminal of %d", longest, columns)
		}
		if paged != got {
			t.Errorf("%d columns: before a pager stands:\n%s", columns, paged)
		}
	}
	if got := inTerminal(t, 120, `"$front" stblock mtblock`); !strings.Contains(got, "\x1b[32;7mgo \x1b[0m") {
		t.Errorf("no word is marked in:\n%s", got)
	}
	const few = "diff.sh: 80 columns are too few for two sides, hence -w\n"
	if got := inTerminal(t, 80, `"$diff" -C "$root" stblock mtblock`); !strings.HasPrefix(got, few) || !strings.Contains(got, "\x1b[36m@@ ") {
		t.Errorf("80 columns:\n%s", got)
	}
	file := filepath.Join(t.TempDir(), "out")
	inTerminal(t, 120, `"$diff" -C "$root" stblock mtblock >`+file)
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), "\x1b") || longestLine(string(text)) > 120 {
		t.Errorf("in a file: %v, %s", err, text)
	}
}

func longestLine(text string) (longest int) {
	for line := range strings.Lines(text) {
		longest = max(longest, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
	}
	return longest
}

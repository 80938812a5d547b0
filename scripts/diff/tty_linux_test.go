package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inTerminal runs the program in a terminal of so many columns, by way of bash, and returns
// what it shows.
func inTerminal(t *testing.T, columns int, line string) string {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	number, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatalf("TIOCGPTN: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatalf("TIOCSPTLCK: %v", err)
	}
	if err := unix.IoctlSetWinsize(int(ptmx.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatalf("TIOCSWINSZ: %v", err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	program, _ := os.Executable()
	cmd := exec.Command("bash", "-c", `unset COLUMNS NO_COLOR; `+program+" -C ../.. "+line)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(os.Environ(), "BE_DIFF=1", "TERM=xterm")
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

// TestTerminal checks the width that diff.sh takes in a terminal, and before a pager in one,
// and that colour is for the terminal alone.
func TestTerminal(t *testing.T) {
	for _, columns := range []int{90, 100, 200} {
		got, paged := inTerminal(t, columns, "stblock mtblock"), inTerminal(t, columns, "stblock mtblock | cat")
		for name, text := range map[string]string{"terminal": got, "pager": paged} {
			if tooLong(text, columns) != nil || tooLong(text, columns-2) == nil || strings.Contains(text, "\x1b") != (name == "terminal") {
				t.Errorf("%d columns, %s:\n%s", columns, name, text)
			}
		}
		if columns >= 100 && !strings.Contains(got, "\x1b[32;7mgo \x1b[0m") {
			t.Errorf("no word is marked in:\n%s", got)
		}
	}
}

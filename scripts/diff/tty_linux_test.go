package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inTerminal runs the program in a terminal of so many columns, and returns what it shows.
func inTerminal(t *testing.T, columns int, args string) string {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	fd := int(ptmx.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = cmp.Or(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}))
	tty, err2 := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err := cmp.Or(err, err2); err != nil {
		t.Fatal(err)
	}
	program, _ := os.Executable()
	cmd := exec.Command("bash", "-c", `unset COLUMNS NO_COLOR; `+program+" -C ../.. "+args)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(os.Environ(), "BE_DIFF=1", "TERM=xterm")
	err = cmd.Start()
	tty.Close()
	shown, _ := io.ReadAll(ptmx) // ends with EIO, when nobody has the terminal open
	if err := cmp.Or(err, cmd.Wait()); err != nil {
		t.Errorf("%s: %v: %s", args, err, shown)
	}
	return strings.ReplaceAll(string(shown), "\r\n", "\n")
}

// TestTerminal checks the width that diff.sh takes in a terminal, and before a pager in one,
// and that colour is for the terminal alone.
func TestTerminal(t *testing.T) {
	for _, columns := range []int{90, 120} {
		for _, pager := range []string{"", " | cat"} {
			text := inTerminal(t, columns, "stblock mtblock"+pager)
			if tooLong(text, columns) != nil || tooLong(text, columns-2) == nil || strings.Contains(text, "\x1b[32;7mgo \x1b[0m") != (pager == "" && columns > 100) {
				t.Errorf("%d columns%s:\n%s", columns, pager, text)
			}
		}
	}
}

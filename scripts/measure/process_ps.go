//go:build unix && !linux

package main

import (
	"cmp"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attributes gives a child a process group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// coarse is whether processorTime counts in steps.
const coarse = true

// processorTime returns what a process has used, in steps of 10 ms.
func processorTime(pid int) (time.Duration, error) {
	text, err := ps(pid, "-o", "time=")
	if err != nil {
		return 0, err
	}
	return parseTime(text)
}

// sizeOf returns the memory and threads of a process. Of the threads, ps prints each in a
// line, below a heading.
func sizeOf(pid int) (s size, err error) {
	text, err := ps(pid, "-o", "rss=")
	if err != nil {
		return s, err
	}
	s.now, err = strconv.ParseInt(text, 10, 64)
	s.peak = s.now
	all := map[string]string{"darwin": "-M", "netbsd": "-s"}
	lines, _ := ps(pid, cmp.Or(all[runtime.GOOS], "-H"))
	s.threads = int64(strings.Count(lines, "\n"))
	return s, err
}

// ps returns what ps prints about a process.
func ps(pid int, options ...string) (string, error) {
	text, err := exec.Command("ps", append(options, "-p", strconv.Itoa(pid))...).Output()
	if err != nil {
		return "", fmt.Errorf("ps -p %d: %w", pid, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// transfers returns nothing: these systems do not tell how often a process has called read.
func transfers(int) (reads, writes int64) { return 0, 0 }

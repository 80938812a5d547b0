//go:build unix && !linux

package main

import (
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

// sizeOf returns the memory and threads of a process.
func sizeOf(pid int) (s size, err error) {
	text, err := ps(pid, "-o", "rss=")
	if err != nil {
		return s, err
	}
	if s.now, err = strconv.ParseInt(text, 10, 64); err != nil {
		return s, fmt.Errorf("ps -o rss=: %w", err)
	}
	s.peak = s.now
	s.threads, err = threads(pid)
	return s, err
}

// threads counts the lines that ps prints for the threads of a process, where it does
// not tell their number.
func threads(pid int) (int64, error) {
	all := "-H"
	switch runtime.GOOS {
	case "freebsd", "netbsd":
		text, err := ps(pid, "-o", "nlwp=")
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(text, 10, 64)
	case "darwin":
		all = "-M"
	}
	text, err := ps(pid, all)
	return int64(strings.Count(text, "\n")), err // there is a heading
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

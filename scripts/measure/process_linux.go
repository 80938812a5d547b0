package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes gives a child a process group of its own. It dies with this program.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// coarse is whether processorTime counts in steps.
const coarse = false

// processorTime returns what all threads of a process have used, also those that have
// ended. The clock's number is that of clock_getcpuclockid(3).
func processorTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil {
		return 0, fmt.Errorf("clock_gettime of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// sizeOf returns the memory and threads of a process. See proc(5).
func sizeOf(pid int) (s size, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		fmt.Sscanf(line, "VmHWM: %d", &s.peak)
		fmt.Sscanf(line, "VmRSS: %d", &s.now)
		fmt.Sscanf(line, "Threads: %d", &s.threads)
	}
	return s, err
}

// transfers returns how often a process has called read and write, and the like.
func transfers(pid int) (reads, writes int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for line := range strings.Lines(string(text)) {
		fmt.Sscanf(line, "syscr: %d", &reads)
		fmt.Sscanf(line, "syscw: %d", &writes)
	}
	return reads, writes
}

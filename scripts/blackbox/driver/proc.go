package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// Status returns a number of /proc/PID/status: VmRSS, what the process has in memory
// now, and VmHWM, the most that it ever had, in bytes; or Threads.
func (s *Server) Status(t *testing.T, which string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
	m := regexp.MustCompile(which + `:\s+(\d+)( kB)?\n`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s: no %s in /proc/%d/status: %v", s.Name, which, s.Cmd.Process.Pid, err)
	}
	n, _ := strconv.Atoi(string(m[1]))
	if len(m[2]) > 0 {
		n <<= 10
	}
	return n
}

// ExpectGrowth checks how much memory the process needed since it had before.
// The race detector needs up to ten times as much memory, for its shadow of it.
func (s *Server) ExpectGrowth(t *testing.T, before, limit int) {
	t.Helper()
	if Race {
		limit *= 10
	}
	growth := s.Status(t, "VmHWM") - before
	if growth > limit {
		t.Errorf("memory grew by %d MiB; want at most %d", growth/MiB, limit/MiB)
	}
}

// CPU returns the processor time of the process's threads.
func (s *Server) CPU(t *testing.T) (sum time.Duration) {
	t.Helper()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.Cmd.Process.Pid))
	for _, file := range threads {
		var ns time.Duration
		text, _ := os.ReadFile(file) // fails if the thread has ended
		fmt.Sscan(string(text), &ns)
		sum += ns
	}
	if sum == 0 {
		t.Fatalf("no processor time of %s in /proc/%d/task/*/schedstat", s.Name, s.Cmd.Process.Pid)
	}
	return sum
}

// ExpectQuiet checks that the process has little to do.
func (s *Server) ExpectQuiet(t *testing.T, when string) {
	t.Helper()
	before, begin := s.CPU(t), time.Now()
	time.Sleep(300 * time.Millisecond)
	if load := float64(s.CPU(t)-before) / float64(time.Since(begin)); load > 0.3 && !s.Spins {
		t.Errorf("%s: takes %.0f%% of a core", when, 100*load)
	}
}

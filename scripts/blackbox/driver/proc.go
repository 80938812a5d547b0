package driver

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// OnlyLinux skips a test that looks into /proc.
func OnlyLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks into Linux's /proc")
	}
}

// procFile reads a file of /proc/PID.
func (s *Server) procFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.Pid(), name))
	if err != nil || s.HasEnded() {
		t.Fatalf("%s has ended: %v", s.Name, err)
	}
	return string(data)
}

// Status returns a number of /proc/PID/status: VmRSS, what the process has in memory
// now, and VmHWM, the most that it ever had, in bytes; or Threads.
func (s *Server) Status(t *testing.T, which string) int {
	t.Helper()
	m := regexp.MustCompile(which + `:\s+(\d+)( kB)?\n`).FindStringSubmatch(s.procFile(t, "status"))
	if m == nil {
		t.Fatalf("no %s in /proc/%d/status", which, s.Pid())
	}
	n, _ := strconv.Atoi(m[1])
	if m[2] != "" {
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
	t.Logf("%s: memory grew by %.1f MiB", t.Name(), float64(growth)/MiB)
	if growth > limit {
		t.Errorf("memory grew by %d MiB; want at most %d", growth/MiB, limit/MiB)
	}
}

// load returns the part of a core that the process takes, over half a second.
func (s *Server) load(t *testing.T) float64 {
	t.Helper()
	ticks := func() (n int) {
		_, rest, _ := strings.Cut(s.procFile(t, "stat"), ") ")
		for _, field := range strings.Fields(rest)[11:13] { // utime, stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			n += ticks
		}
		return n
	}
	before, begin := ticks(), time.Now()
	time.Sleep(500 * time.Millisecond)
	return float64(ticks()-before) / 100 / time.Since(begin).Seconds() // 100 ticks a second
}

// ExpectQuiet checks that the process has little to do.
func (s *Server) ExpectQuiet(t *testing.T, when string) {
	t.Helper()
	if load := s.load(t); load > 0.5 && !s.Spins {
		t.Errorf("%s: takes %.0f%% of a core", when, 100*load)
	}
}

// Sockets returns how many sockets the process has.
func (s *Server) Sockets(t *testing.T) (n int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd/", s.Pid())
	links, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, _ := os.Readlink(dir + link.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

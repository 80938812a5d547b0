//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// traced has the calls that strace prints. It leaves out what the runtime of Go calls for
// itself, such as futex, nanosleep and mmap.
const traced = "trace=/^(socket|bind|listen|accept4?|getsockname|[gs]etsockopt|shutdown|read|write|close|" +
	"fcntl(64)?|epoll_.*|eventfd2|clone3?|exit)$"

// A server runs under strace.
type server struct {
	calls *os.File // what strace prints
	addr  string
}

// startServer starts a flavor on a free port, and waits until it is ready.
func startServer(program, proto string) *server {
	calls, err := os.CreateTemp("", "calls")
	check(err)
	s := &server{calls: calls}
	strace := exec.Command("strace", "-f", "-k", "-q", "-e", "signal=none", "-e", traced, "-o", calls.Name(),
		program, "-addr", "127.0.0.1:0", "-proto", proto)
	words, err := strace.StderrPipe()
	check(err)
	check(strace.Start())
	end = func() {
		if pid := s.pid(); pid > 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		strace.Process.Kill()
		strace.Wait()
		os.Remove(calls.Name())
	}
	time.AfterFunc(5*patience, func() { check(fmt.Errorf("the conversation has no end")) })
	said := ""
	for in := bufio.NewScanner(words); s.addr == ""; {
		if !in.Scan() {
			check(fmt.Errorf("it was not ready, and said:\n%s", said))
		}
		said += in.Text() + "\n"
		_, s.addr, _ = strings.Cut(in.Text(), " on ")
	}
	return s
}

// pid returns the first number in strace's output, or 0.
func (s *server) pid() (pid int) {
	text := make([]byte, 20)
	s.calls.ReadAt(text, 0)
	fmt.Sscan(string(text), &pid)
	return pid
}

// output returns what strace has printed, from an offset on.
func (s *server) output(from int) string {
	text, err := io.ReadAll(io.NewSectionReader(s.calls, int64(from), math.MaxInt32))
	check(err)
	return string(text)
}

// states has a letter for each thread of the server: see proc_pid_stat(5).
func (s *server) states() (states string) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.pid()))
	if len(files) == 0 {
		check(fmt.Errorf("the server has ended"))
	}
	for _, file := range files {
		stat, _ := os.ReadFile(file)
		_, state, _ := strings.Cut(string(stat), ") ")
		states += state[:min(1, len(state))] // none if the thread has ended meanwhile
	}
	return states
}

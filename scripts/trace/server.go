//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	strace *exec.Cmd
	pid    int
	addr   string
	calls  string // the file that strace writes to
}

// startServer starts a flavor on a free port, with its file in dir, and waits until it is
// ready. Who is first in strace's output is the server.
func startServer(program, proto, dir string) (*server, error) {
	s := &server{calls: filepath.Join(dir, "calls")}
	s.strace = exec.Command("strace", "-f", "-k", "-q", "-e", "signal=none", "-e", traced, "-o", s.calls,
		program, "-addr", "127.0.0.1:0", "-proto", proto)
	words, err := s.strace.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.strace.Start(); err != nil {
		return nil, err
	}
	time.AfterFunc(5*patience, s.kill) // and then all that waits for it fails
	var said strings.Builder
	ready := regexp.MustCompile(proto + ` on (\S+)$`)
	for in := bufio.NewScanner(words); s.addr == "" && in.Scan(); {
		said.WriteString(in.Text() + "\n")
		if m := ready.FindStringSubmatch(in.Text()); m != nil {
			s.addr = m[1]
		}
	}
	s.pid = s.firstPid()
	switch {
	case s.addr == "":
		err = fmt.Errorf("it was not ready, and said:\n%s", &said)
	case s.pid == 0:
		err = fmt.Errorf("strace has printed no call")
	default:
		return s, nil
	}
	s.stop()
	return nil, err
}

// firstPid returns the first number in strace's output, or 0.
func (s *server) firstPid() (pid int) {
	if file, err := os.Open(s.calls); err == nil {
		defer file.Close()
		fmt.Fscan(file, &pid)
	}
	return pid
}

// kill ends the server and strace.
func (s *server) kill() {
	if pid := s.firstPid(); pid > 0 {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	s.strace.Process.Kill()
}

func (s *server) stop() {
	s.kill()
	s.strace.Wait()
}

// states has a letter for each thread of the server: see proc_pid_stat(5).
func (s *server) states() (states string, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.pid))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("the server has ended")
	}
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			return "X", nil // the thread has ended meanwhile
		}
		states += string(stat[bytes.LastIndexByte(stat, ')')+2])
	}
	return states, nil
}

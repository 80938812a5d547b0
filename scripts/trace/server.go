//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// A server runs under strace.
type server struct {
	strace *exec.Cmd
	pid    int
	addr   string
	calls  string        // the file that strace writes to
	ended  chan struct{} // closed when strace has ended, which is when the server has
}

// startServer starts a flavor on a free port, with its files in dir, and waits until it is
// ready.
func startServer(program, proto, dir string) (*server, error) {
	s := &server{calls: filepath.Join(dir, "calls"), ended: make(chan struct{})}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.strace = exec.Command("strace", "-f", "-q", "-e", "signal=none", "-o", s.calls, program, "-addr", "127.0.0.1:0", "-proto", proto)
	s.strace.Stdout, s.strace.Stderr = log, log
	if err := s.strace.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.strace.Wait()
		close(s.ended)
	}()
	if err := s.await(regexp.MustCompile(proto+` on (\S+)\n`), log.Name()); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// await waits for the line that tells the address. Who is first in strace's output is the
// server.
func (s *server) await(ready *regexp.Regexp, log string) error {
	for end := time.Now().Add(patience); ; {
		over := s.hasEnded(10 * time.Millisecond)
		words, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		if m := ready.FindSubmatch(words); m != nil {
			s.addr = string(m[1])
			calls, err := os.ReadFile(s.calls)
			if _, scanErr := fmt.Sscan(string(calls), &s.pid); err == nil && scanErr != nil {
				return fmt.Errorf("strace has printed no call")
			}
			return err
		}
		if over || time.Now().After(end) {
			return fmt.Errorf("it was not ready, and said:\n%s", words)
		}
	}
}

// hasEnded waits a while, and tells whether the server has ended.
func (s *server) hasEnded(wait time.Duration) bool {
	select {
	case <-s.ended:
		return true
	case <-time.After(wait):
		return false
	}
}

// stop ends the server; after three seconds, by force: with strace, it ends as well.
func (s *server) stop() {
	if s.pid > 0 {
		syscall.Kill(s.pid, syscall.SIGTERM)
	}
	if s.pid == 0 || !s.hasEnded(3*time.Second) {
		s.strace.Process.Kill()
		<-s.ended
	}
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

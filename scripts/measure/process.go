//go:build unix

package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

var errInterrupted = errors.New("interrupted")

// A process is a program that runs in a process group of its own.
type process struct {
	name     string
	cmd      *exec.Cmd
	out, err output
	ended    chan struct{} // closed when it has ended, and all that have its output
}

// start starts a command line.
func start(args []string) (*process, error) {
	p := &process{name: filepath.Base(args[0]), cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = 30 * time.Second // for strace, which prints when its server has ended
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// hasEnded waits a while, and tells whether the process has ended.
func (p *process) hasEnded(wait time.Duration) bool {
	select {
	case <-p.ended:
	case <-time.After(wait):
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill ends the process and its group by force, if it has not ended.
func (p *process) kill() {
	if !p.hasEnded(0) {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}

// words returns what the process has printed, indented; if that is long, both ends.
func (p *process) words() string {
	text := strings.TrimSpace(p.out.String() + p.err.String())
	if text == "" {
		text = "(nothing)"
	}
	lines := strings.Split(text, "\n")
	if n := len(lines); n > 24 {
		lines = append(append(lines[:12:12], "..."), lines[n-12:]...)
	}
	return "    " + strings.Join(lines, "\n    ")
}

// says returns the first whole line with a text in what the process has printed.
func (p *process) says(text string) (line string, ok bool) {
	for line := range strings.Lines(p.out.String() + p.err.String()) {
		if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
			return strings.TrimSpace(line), true
		}
	}
	return "", false
}

// said returns a channel that is closed when the process has said a text, or has ended.
func (p *process) said(text string) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ended, ok := false, false; !ended && !ok; _, ok = p.says(text) {
			ended = p.hasEnded(5 * time.Millisecond)
		}
	}()
	return done
}

// An output is what a process has printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

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
	p.cmd.WaitDelay = 5 * time.Second // for strace, which prints when its server has ended
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

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

// stop ends the process; after three seconds, by force.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.hasEnded(3 * time.Second)
	p.kill()
}

// kill ends the process and its group by force, if it has not ended.
func (p *process) kill() {
	if !p.hasEnded(0) {
		syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.ended
	}
}

// status says how the process has ended.
func (p *process) status() string {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return fmt.Sprintf("signal %d", status.Signal())
	}
	return fmt.Sprintf("exit status %d", p.cmd.ProcessState.ExitCode())
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

// await waits for a line with a text in what the process prints.
func (p *process) await(ctx context.Context, text string) (line string, err error) {
	for {
		ended := p.hasEnded(5 * time.Millisecond)
		for line := range strings.Lines(p.out.String() + p.err.String()) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return strings.TrimSpace(line), nil
			}
		}
		if ended {
			return "", fmt.Errorf("it ended with %s", p.status())
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
}

var errInterrupted = errors.New("interrupted")

// An output is what a process has printed, its first MiB.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b[:min(len(b), 1<<20-o.text.Len())])
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

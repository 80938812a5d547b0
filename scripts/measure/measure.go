//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A meter makes one measurement.
type meter struct {
	*options
	result
	ctx      context.Context
	parent   int // the process that wants the figures
	server   *process
	port     string
	beside   *process
	children []*process
}

// measure makes a measurement, and leaves no process behind. The command line of the
// server is given to launcher, if there is one.
func measure(ctx context.Context, o *options, launcher ...string) (*result, error) {
	m := &meter{options: o, ctx: ctx, parent: os.Getppid()}
	defer func() {
		for _, p := range m.children {
			p.kill()
		}
	}()
	if err := m.startServer(launcher); err != nil {
		return nil, err
	}
	for _, step := range []func() error{m.prepare, m.startBeside, m.run} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	m.stopServer()
	return &m.result, nil
}

// start starts a child, with the server's port in place of PORT.
func (m *meter) start(args []string) (*process, error) {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "PORT" {
			args[i] = m.port
		}
	}
	p, err := start(args)
	if err == nil {
		m.children = append(m.children, p)
	}
	return p, err
}

// prepare runs the clients that come first.
func (m *meter) prepare() error {
	for _, args := range m.preparations {
		if _, err := m.runClient(args, 0); err != nil {
			return err
		}
	}
	err := m.settle()
	m.before = m.last
	return err
}

// startBeside starts the client beside, and waits until it is in effect.
func (m *meter) startBeside() (err error) {
	if m.companion == nil {
		return nil
	}
	if m.beside, err = m.start(m.companion); err != nil {
		return err
	}
	if err := m.attend(m.beside, m.beside.said("in effect")); err != nil {
		return err
	}
	line, ok := m.beside.says("in effect")
	if !ok {
		return m.clientFailed(m.beside, "was not in effect: it ended with "+m.beside.cmd.ProcessState.String())
	}
	_, served, _ := strings.Cut(line, ", ")
	fmt.Sscan(served, &m.served)
	return m.settle()
}

// settle gives the server some time, if it is to be seen without a client.
func (m *meter) settle() error {
	if m.measured == nil {
		return m.attend(nil, after(300*time.Millisecond))
	}
	m.look()
	return nil
}

// run measures what the server does while a client runs, or time passes. A client that
// ends as accepted may have no figures.
func (m *meter) run() (err error) {
	pid := m.server.cmd.Process.Pid
	if m.used, err = processorTime(pid); err != nil {
		return err
	}
	reads, writes := transfers(pid)
	begin := time.Now()
	var p *process
	if m.measured == nil {
		err = m.attend(nil, after(m.watch))
	} else {
		p, err = m.runClient(m.measured, m.accept)
	}
	if err != nil {
		return err
	}
	m.wall = time.Since(begin)
	used, err := processorTime(pid)
	if err != nil && !m.crash {
		return m.serverDied()
	}
	m.cpu = used - m.used
	m.look()
	m.reads, m.writes = transfers(pid)
	m.reads, m.writes = m.reads-reads, m.writes-writes
	if m.beside != nil && m.beside.hasEnded(0) {
		return m.clientFailed(m.beside, "ended with "+m.beside.cmd.ProcessState.String())
	}
	if p != nil {
		m.client = clientFigures(p.out.String())
		if m.client == nil && p.cmd.ProcessState.Success() {
			return m.clientFailed(p, "printed no figures (a larger -n may help)")
		}
	}
	return nil
}

// stopServer ends the server, and notes what can be known only then, or better.
func (m *meter) stopServer() {
	m.end = "kept running"
	if m.server.hasEnded(0) {
		_, line, _ := strings.Cut(m.server.words(), "fatal error: ") // says the Go runtime
		line, _, _ = strings.Cut(line, "\n")
		m.end = "fatal error: " + strings.ReplaceAll(line, ",", ";")
	}
	m.server.cmd.Process.Signal(syscall.SIGTERM)
	m.server.hasEnded(3 * time.Second)
	m.server.kill()
	m.errors = m.server.err.String()
	state := m.server.cmd.ProcessState
	if coarse {
		m.cpu = state.UserTime() + state.SystemTime() - m.used
	}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		m.switches = int64(usage.Nvcsw) + int64(usage.Nivcsw)
	}
}

// runClient runs a client to its end, which must have exit status 0, or accept.
func (m *meter) runClient(args []string, accept int) (*process, error) {
	p, err := m.start(args)
	if err != nil {
		return nil, err
	}
	if err := m.attend(p, p.ended); err != nil {
		return nil, err
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 && code != accept {
		return nil, m.clientFailed(p, "ended with "+p.cmd.ProcessState.String())
	}
	return p, nil
}

// clientFailed says what went wrong with a client. If its server dies as well, that is why.
func (m *meter) clientFailed(p *process, how string) error {
	if !m.crash && m.server.hasEnded(500*time.Millisecond) {
		return m.serverDied()
	}
	p.kill()
	return fmt.Errorf("%s %s against %s in %s. It said:\n%s", p.name, how, m.server.name, m.in, p.words())
}

func (m *meter) serverDied() error {
	<-m.server.ended
	return fmt.Errorf("%s died in %s: it ended with %s. Its last words:\n%s",
		m.server.name, m.in, m.server.cmd.ProcessState, m.server.words())
}

// attend looks at the server until done is closed. A client p must make progress meanwhile,
// that is, use processor time; one that spins, because its server is gone, is left alone.
func (m *meter) attend(p *process, done <-chan struct{}) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	died := m.server.ended
	if m.crash {
		died = nil
	}
	client := stall{limit: m.stall, since: time.Now()}
	for {
		select {
		case <-done:
			return nil
		case <-died:
			return m.serverDied()
		case <-m.ctx.Done():
			return errInterrupted
		case <-tick.C:
		}
		if os.Getppid() != m.parent {
			return errInterrupted
		}
		m.look()
		if p == nil {
			continue
		}
		if used, err := processorTime(p.cmd.Process.Pid); err == nil && client.over(time.Now(), used) {
			return m.clientFailed(p, fmt.Sprintf("made no progress for %v", m.stall))
		}
	}
}

// A stall is the time in which a client has made no progress: its processor time stands still.
type stall struct {
	limit time.Duration
	since time.Time     // when the client last made progress
	used  time.Duration // its processor time then
}

// over reports whether the stall has reached its limit.
func (s *stall) over(now time.Time, used time.Duration) bool {
	if used-s.used > s.limit/500 {
		s.since, s.used = now, used
	}
	return now.Sub(s.since) >= s.limit
}

// look notes the server's memory and threads.
func (m *meter) look() {
	if s, err := sizeOf(m.server.cmd.Process.Pid); err == nil {
		m.last = s
		m.most.peak = max(m.most.peak, s.peak)
		m.most.threads = max(m.most.threads, s.threads)
	}
}

// after returns a channel that is closed after a time.
func after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}

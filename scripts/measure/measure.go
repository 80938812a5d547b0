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

const (
	dying    = 500 * time.Millisecond // a server may take so long to die, once a client has noticed
	settling = 300 * time.Millisecond // after its start, and a client's, it may still be at it
	interval = 100 * time.Millisecond // between two looks at it
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
	defer m.killAll()
	steps := []func() error{
		func() error { return m.startServer(launcher) },
		m.prepare,
		m.startBeside,
		m.run,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	m.stopServer()
	return &m.result, nil
}

// start starts a child.
func (m *meter) start(args []string) (*process, error) {
	p, err := start(args)
	if err == nil {
		m.children = append(m.children, p)
	}
	return p, err
}

func (m *meter) killAll() {
	for _, p := range m.children {
		p.kill()
	}
}

// prepare runs the clients that come first.
func (m *meter) prepare() error {
	for _, args := range m.preparations {
		if _, err := m.runClient(args, 0); err != nil {
			return err
		}
	}
	if err := m.settle(); err != nil {
		return err
	}
	m.before = m.last
	return nil
}

// startBeside starts the client beside, and waits until it is in effect.
func (m *meter) startBeside() (err error) {
	if m.companion == nil {
		return nil
	}
	if m.beside, err = m.startClient(m.companion); err != nil {
		return err
	}
	var line string
	var never error
	done := make(chan struct{})
	go func() {
		line, never = m.beside.await(m.ctx, "in effect")
		close(done)
	}()
	if err := m.attend(m.beside, done); err != nil {
		return err
	}
	if never != nil {
		return m.clientFailed(m.beside, "was not in effect: "+never.Error())
	}
	fmt.Sscanf(line, "in effect: %d connections, %d served", new(int64), &m.served)
	return m.settle()
}

// settle gives the server some time, if it is to be seen without a client.
func (m *meter) settle() error {
	if m.measured == nil {
		return m.attend(nil, after(settling))
	}
	m.look()
	return nil
}

// run measures what the server does while a client runs, or time passes.
func (m *meter) run() (err error) {
	pid := m.server.pid()
	if m.used, err = processorTime(pid); err != nil {
		return err
	}
	reads, writes := transfers(pid)
	begin := time.Now()
	if m.measured == nil {
		err = m.attend(nil, after(m.watch))
	} else {
		err = m.runMeasured()
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
		return m.clientFailed(m.beside, "ended with "+m.beside.status())
	}
	return nil
}

// runMeasured runs the client that is measured, and notes its figures. If it ends as
// accepted, there may be none.
func (m *meter) runMeasured() error {
	p, err := m.runClient(m.measured, m.accept)
	if err != nil {
		return err
	}
	m.client = clientFigures(p.out.String())
	if m.client == nil && p.cmd.ProcessState.Success() {
		return m.clientFailed(p, "printed no figures (a larger -n may help)")
	}
	return nil
}

// stopServer ends the server, and notes what can be known only then, or better.
func (m *meter) stopServer() {
	m.end = "it goes on"
	if m.server.hasEnded(0) {
		m.end = crash(m.server.words())
	}
	m.server.stop()
	state := m.server.cmd.ProcessState
	if coarse {
		m.cpu = state.UserTime() + state.SystemTime() - m.used
	}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		m.switches = int64(usage.Nvcsw) + int64(usage.Nivcsw)
	}
}

// crash returns the line in which the Go runtime says why it ends a program.
func crash(words string) string {
	_, line, _ := strings.Cut(words, "fatal error: ")
	line, _, _ = strings.Cut(line, "\n")
	return "fatal error: " + strings.ReplaceAll(line, ",", ";")
}

// startClient starts a client of the server.
func (m *meter) startClient(args []string) (*process, error) {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "PORT" {
			args[i] = m.port
		}
	}
	return m.start(args)
}

// runClient runs a client to its end, which must have exit status 0, or accept.
func (m *meter) runClient(args []string, accept int) (*process, error) {
	p, err := m.startClient(args)
	if err != nil {
		return nil, err
	}
	if err := m.attend(p, p.ended); err != nil {
		return nil, err
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 && code != accept {
		return nil, m.clientFailed(p, "ended with "+p.status())
	}
	return p, nil
}

// clientFailed says what went wrong with a client. If its server has died, that is why.
func (m *meter) clientFailed(p *process, how string) error {
	if !m.crash && m.server.hasEnded(dying) {
		return m.serverDied()
	}
	p.kill()
	return fmt.Errorf("%s %s against %s in %s. It said:\n%s", p.name, how, m.server.name, m.in, p.words())
}

func (m *meter) serverDied() error {
	<-m.server.ended
	return fmt.Errorf("%s died in %s: it ended with %s. Its last words:\n%s",
		m.server.name, m.in, m.server.status(), m.server.words())
}

// attend looks at the server, and at client p if there is one, until done is closed.
func (m *meter) attend(p *process, done <-chan struct{}) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	died := m.server.ended
	if m.crash {
		died = nil
	}
	s := stall{limit: m.stall, since: time.Now()}
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
		if used, err := processorTime(p.pid()); err == nil && s.reached(time.Now(), used) {
			return m.clientFailed(p, fmt.Sprintf("made no progress for %v", m.stall))
		}
	}
}

// look notes the server's memory and threads.
func (m *meter) look() {
	if s, err := sizeOf(m.server.pid()); err == nil {
		m.note(s)
	}
}

// A stall notices that a client makes no progress: it uses next to no processor time. One
// that spins, as its server is gone, is none of that kind.
type stall struct {
	limit time.Duration
	since time.Time     // of the last progress
	used  time.Duration // processor time then
}

func (s *stall) reached(now time.Time, used time.Duration) bool {
	if used-s.used > s.limit/500 {
		s.since, s.used = now, used
	}
	return now.Sub(s.since) >= s.limit
}

// after returns a channel that is closed after a time.
func after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}

//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"ioflavors/kvproto"
	"ioflavors/respproto"
	"ioflavors/scripts/trace/recording"
)

// patience is how long the server may take until it has nothing to do.
const patience = time.Minute

// A dialect has the words of a protocol.
type dialect struct {
	set, get  func(key, value string) []byte
	setName   string
	farewell  string // what A does at last, so that the server hangs up
	lastWords string
}

var dialects = map[string]dialect{
	"resp": {
		set:       func(key, value string) []byte { return respproto.AppendCommand(nil, "SET", key, value) },
		get:       func(key, _ string) []byte { return respproto.AppendCommand(nil, "GET", key) },
		setName:   "A sends a SET",
		farewell:  "A sends QUIT",
		lastWords: "QUIT\r\n",
	},
	"kv": {
		set: func(key, value string) []byte {
			return kvproto.Append(nil, &kvproto.Message{Key: []byte(key), Value: []byte(value), Kind: kvproto.PutOrUpdate})
		},
		get: func(key, _ string) []byte {
			return kvproto.Append(nil, &kvproto.Message{Key: []byte(key), Kind: kvproto.Get})
		},
		setName:   "A sends a PUT",
		farewell:  "A sends a bad frame",
		lastWords: "\x00\x00\x00\x00",
	},
}

// A talker holds the conversation. It speaks when the server has nothing to do.
type talker struct {
	server  *server
	a, b, c client
}

// talk starts a server, holds the conversation with it, and returns its calls.
func talk(program, proto string) (trace recording.Trace, err error) {
	dir, err := os.MkdirTemp("", "trace")
	if err != nil {
		return trace, err
	}
	defer os.RemoveAll(dir)
	s, err := startServer(program, proto, dir)
	if err != nil {
		return trace, err
	}
	defer s.stop()
	t := talker{server: s, a: client{name: "A"}, b: client{name: "B"}, c: client{name: "C"}}
	events, err := t.hold(dialects[proto])
	if err != nil {
		return trace, err
	}
	output, err := os.ReadFile(s.calls)
	if err != nil {
		return trace, err
	}
	calls, err := parse(string(output))
	if err != nil {
		return trace, err
	}
	if err := findLines(program, calls); err != nil {
		return trace, err
	}
	trace = recording.Trace{Proto: proto, Flavor: filepath.Base(program)}
	trace.Events, err = rows(calls, events)
	return trace, err
}

// hold holds the conversation. Events without a name are no part of it. The last one ends
// the calls in which the server waits for a client: strace prints no stack before the end.
func (t *talker) hold(d dialect) (events []event, err error) {
	get := d.get("greeting", "")
	steps := []struct {
		name string
		due  *client // who waits for a reply
		do   func() error
	}{
		{"the server starts", nil, func() error { return nil }},
		{"A connects", nil, func() error { return t.a.dial(t.server.addr) }},
		{d.setName, &t.a, func() error { return t.a.send(d.set("greeting", "hello")) }},
		{"B connects", nil, func() error { return t.b.dial(t.server.addr) }},
		{"B sends half a GET", nil, func() error { return t.b.send(get[:len(get)/2]) }},
		{"A sends a GET", &t.a, func() error { return t.a.send(get) }},
		{"A sends 3 GETs at once", &t.a, func() error { return t.a.send(slices.Repeat(get, 3)) }},
		{"B sends the other half", &t.b, func() error { return t.b.send(get[len(get)/2:]) }},
		{"A and B send a GET at the same time", &t.b, func() error { return t.together(get) }},
		{"", &t.a, func() error { return t.a.send(d.set("big", strings.Repeat("x", 16e6))) }},
		{"A asks for 16 MB, reads nothing", nil, func() error { t.a.paused = true; return t.a.send(d.get("big", "")) }},
		{"B sends a GET", &t.b, func() error { return t.b.send(get) }},
		{"A sends a GET, still reads nothing", nil, func() error { return t.a.send(get) }},
		{"A reads", &t.a, func() error { t.a.paused = false; return nil }},
		{"B half-closes", &t.b, func() error { return unix.Shutdown(t.b.fd, unix.SHUT_WR) }},
		{d.farewell, &t.a, func() error { return t.a.leave(d.lastWords) }},
		{"", nil, func() error { return t.c.dial(t.server.addr) }},
	}
	for i, step := range steps {
		begin, err := t.printed()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			begin = 0 // it has started before
		}
		polls, err := t.settle(step.do)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cmp.Or(step.name, "between two events"), err)
		}
		events = append(events, event{begin, step.name, t.gains(step.due), polls})
	}
	return events, nil
}

// together sends b from A and from B while the server is stopped, so that it finds both.
func (t *talker) together(b []byte) error {
	syscall.Kill(t.server.pid, syscall.SIGSTOP)
	defer syscall.Kill(t.server.pid, syscall.SIGCONT)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		states, err := t.server.states()
		if err != nil {
			return err
		}
		if strings.Trim(states, "Tt") == "" {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server does not stop: its threads are %s", states)
		}
	}
	for _, c := range []*client{&t.a, &t.b} {
		if err := c.send(b); err != nil {
			return err
		}
	}
	return t.deliver()
}

// deliver waits until the server's kernel has all that was sent.
func (t *talker) deliver() error {
	for end := time.Now().Add(patience); !t.a.delivered() || !t.b.delivered(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not all that was sent is delivered after %v", patience)
		}
	}
	return nil
}

// settle does what there is to do, and lets the clients read what comes of it, until the
// server waits for more, or polls.
func (t *talker) settle(do func() error) (polls bool, err error) {
	if err := do(); err != nil {
		return false, err
	}
	if err := t.deliver(); err != nil {
		return false, err
	}
	deadline := time.Now().Add(patience)
	for more := true; more; {
		if polls, err = t.quiet(deadline); err != nil {
			return false, err
		}
		more = false
		for _, c := range []*client{&t.a, &t.b} {
			n, err := c.read(unix.MSG_DONTWAIT)
			if err != nil {
				return false, err
			}
			more = more || n > 0
		}
	}
	return polls, nil
}

// gains tells what the clients have got since it was called last.
func (t *talker) gains(due *client) (rows []recording.Row) {
	for _, c := range []*client{&t.a, &t.b} {
		var gains []string
		if c.got > 0 {
			gains = append(gains, grouped(c.got)+" bytes")
		}
		if c.ended {
			gains = append(gains, "the end")
		}
		if c == due && len(gains) == 0 {
			gains = []string{"nothing"}
		}
		if len(gains) > 0 {
			rows = append(rows, recording.Row{Kind: "client", Text: c.name + " gets " + strings.Join(gains, " and ")})
		}
		c.got, c.ended = 0, false
	}
	return rows
}

// printed returns how much strace has printed.
func (t *talker) printed() (int, error) {
	info, err := os.Stat(t.server.calls)
	if err != nil {
		return 0, err
	}
	return int(info.Size()), nil
}

// quiet waits until all threads of the server sleep for a while, or it polls.
func (t *talker) quiet(deadline time.Time) (polling bool, err error) {
	from, err := t.printed()
	if err != nil {
		return false, err
	}
	for seen, asleep := -1, 0; asleep < 4; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false, fmt.Errorf("the server is still busy after %v", patience)
		}
		lines, err := readFrom(t.server.calls, from)
		if err != nil || polls(lines) {
			return true, err
		}
		states, err := t.server.states()
		if err != nil {
			return false, err
		}
		if asleep++; strings.Trim(states, "S") != "" || len(lines) != seen {
			asleep = 0
		}
		seen = len(lines)
	}
	return false, nil
}

// polls tells whether the last 30 reads, writes and accepts were all in vain.
func polls(lines string) bool {
	_, whole, _ := strings.Cut(lines, "\n") // the first line may have begun before
	calls, _ := parse(whole)
	vain := 0
	for _, c := range calls {
		if slices.Contains([]string{"read", "write", "accept"}, c.name) && c.exit != never {
			if vain++; !c.again() {
				vain = 0
			}
		}
	}
	return vain >= 30
}

// readFrom returns what is in a file from an offset on.
func readFrom(name string, from int) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, int64(from), math.MaxInt32))
	return string(text), err
}

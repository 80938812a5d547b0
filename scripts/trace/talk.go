//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"ioflavors/kvproto"
	"ioflavors/respproto"
	"ioflavors/scripts/trace/recording"
)

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
		set:       frame(kvproto.PutOrUpdate),
		get:       frame(kvproto.Get),
		setName:   "A sends a PUT",
		farewell:  "A sends a bad frame",
		lastWords: "\x00\x00\x00\x00",
	},
}

func frame(kind kvproto.Kind) func(key, value string) []byte {
	return func(key, value string) []byte {
		return kvproto.Append(nil, &kvproto.Message{Key: []byte(key), Value: []byte(value), Kind: kind})
	}
}

// talk starts a server, holds the conversation with it, and returns its calls.
func talk(program, proto string) recording.Trace {
	s := startServer(program, proto)
	t := talker{server: s, a: client{name: "A"}, b: client{name: "B"}}
	events := t.hold(dialects[proto])
	calls := parse(s.output(0))
	end()
	findLines(program, calls)
	return recording.Trace{Proto: proto, Flavor: filepath.Base(program), Events: rows(calls, events)}
}

// A talker holds the conversation. It speaks when the server has nothing to do.
type talker struct {
	server  *server
	a, b, c client
}

// hold holds the conversation. Events without a name are no part of it. In the last one,
// the server's wait for a client ends: strace prints a call's stack when it returns.
func (t *talker) hold(d dialect) (events []event) {
	get := d.get("greeting", "")
	begin := 0
	for _, step := range []struct {
		name string
		due  *client // who waits for a reply
		do   func()
	}{
		{"the server starts", nil, func() {}},
		{"A connects", nil, func() { t.a.dial(t.server.addr) }},
		{d.setName, &t.a, func() { t.a.send(d.set("greeting", "hello")) }},
		{"B connects", nil, func() { t.b.dial(t.server.addr) }},
		{"B sends half a GET", nil, func() { t.b.send(get[:len(get)/2]) }},
		{"A sends a GET", &t.a, func() { t.a.send(get) }},
		{"A sends 3 GETs at once", &t.a, func() { t.a.send(slices.Repeat(get, 3)) }},
		{"B sends the other half", &t.b, func() { t.b.send(get[len(get)/2:]) }},
		{"A and B send a GET at the same time", &t.b, func() { t.together(get) }},
		{"", &t.a, func() { t.a.send(d.set("big", strings.Repeat("x", 16e6))) }},
		{"A asks for 16 MB, reads nothing", nil, func() { t.a.paused = true; t.a.send(d.get("big", "")) }},
		{"B sends a GET", &t.b, func() { t.b.send(get) }},
		{"A sends a GET, still reads nothing", nil, func() { t.a.send(get) }},
		{"A reads", &t.a, func() { t.a.paused = false }},
		{"B half-closes", &t.b, func() { check(unix.Shutdown(t.b.fd, unix.SHUT_WR)) }},
		{d.farewell, &t.a, func() { t.a.send([]byte(d.lastWords)); t.a.read(0) }}, // hang up as soon as it has
		{"", nil, func() { t.c.dial(t.server.addr) }},
	} {
		step.do()
		polls := t.settle()
		events = append(events, event{begin, step.name, t.gains(step.due), polls})
		begin = len(t.server.output(0))
	}
	return events
}

// together sends b from A and from B while the server is stopped, so that it finds both.
func (t *talker) together(b []byte) {
	check(syscall.Kill(t.server.pid(), syscall.SIGSTOP))
	await("the server to stop", func() bool { return strings.Trim(t.server.states(), "Tt") == "" })
	t.a.send(b)
	t.b.send(b)
	t.deliver()
	check(syscall.Kill(t.server.pid(), syscall.SIGCONT))
}

// deliver waits until the server's kernel has all that was sent.
func (t *talker) deliver() {
	await("what was sent to arrive", func() bool { return t.a.delivered() && t.b.delivered() })
}

// settle lets the clients read what the server sends, until the server waits for more, or
// polls.
func (t *talker) settle() (polls bool) {
	t.deliver()
	for more := true; more; {
		polls = t.quiet()
		more = t.a.read(unix.MSG_DONTWAIT)+t.b.read(unix.MSG_DONTWAIT) > 0
	}
	return polls
}

// quiet waits until all threads of the server sleep for a while, or it polls.
func (t *talker) quiet() (polling bool) {
	from := len(t.server.output(0))
	seen, asleep := -1, 0
	await("the server to have nothing to do", func() bool {
		lines := t.server.output(from)
		if asleep++; strings.Trim(t.server.states(), "S") != "" || len(lines) != seen {
			asleep = 0
		}
		seen = len(lines)
		polling = polls(lines)
		return polling || asleep == 4
	})
	return polling
}

var success = regexp.MustCompile(`(?:read|write|accept4?)(?:\(| resumed).*\) += \d`)

// polls tells whether 30 calls and more were in vain since the last read, write or accept
// that was not.
func polls(output string) bool {
	if all := success.FindAllStringIndex(output, -1); all != nil {
		output = output[all[len(all)-1][1]:]
	}
	return strings.Count(output, "EAGAIN") > 30
}

// gains tells what the clients have got since it was called last.
func (t *talker) gains(due *client) (rows []recording.Row) {
	for _, c := range []*client{&t.a, &t.b} {
		got := ""
		switch {
		case c.got > 0 && c.ended:
			got = grouped(c.got) + " bytes and the end"
		case c.got > 0:
			got = grouped(c.got) + " bytes"
		case c.ended:
			got = "the end"
		case c == due:
			got = "nothing"
		}
		if got != "" {
			rows = append(rows, recording.Row{Kind: "client", Text: c.name + " gets " + got})
		}
		c.got, c.ended = 0, false
	}
	return rows
}

const patience = time.Minute

// await waits until ok.
func await(what string, ok func() bool) {
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			check(fmt.Errorf("still waiting for %s after %v", what, patience))
		}
	}
}

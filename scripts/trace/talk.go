//go:build linux

package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"ioflavors/kvproto"
	"ioflavors/respproto"
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
	proto   string
	server  *server
	a, b, c client
}

// A client is one end of a connection.
type client struct {
	name   string
	conn   *net.TCPConn
	paused bool // it reads nothing
	got    int  // bytes, in this event
	ended  bool // the server sends no more
}

// talk starts a server, holds the conversation with it, and prints its calls.
func talk(w io.Writer, program, proto string) error {
	dir, err := os.MkdirTemp("", "trace")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := startServer(program, proto, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	t := talker{proto: proto, server: s}
	events, err := t.hold()
	if err != nil {
		return err
	}
	output, err := os.ReadFile(s.calls)
	if err != nil {
		return err
	}
	calls, err := parse(string(output))
	if err != nil {
		return err
	}
	list, err := rows(calls, events)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	for _, r := range list {
		out.Write([]string{proto, filepath.Base(program), r.event, r.kind, r.thread, r.text, r.fold, r.times})
	}
	out.Flush()
	return out.Error()
}

// hold holds the conversation. Events without a name are no part of it.
func (t *talker) hold() (events []event, err error) {
	d := dialects[t.proto]
	t.a.name, t.b.name, t.c.name = "A", "B", "C"
	get := d.get("greeting", "")
	steps := []struct {
		name string
		due  *client // who waits for a reply
		do   func() error
	}{
		{"the server starts", nil, func() error { return nil }},
		{"", nil, func() error { return t.c.dial(t.server.addr) }},
		{"", &t.c, func() error { return t.c.send(d.set("big", strings.Repeat("x", 4e6))) }},
		{"", nil, t.c.close},
		{"A connects", nil, func() error { return t.a.dial(t.server.addr) }},
		{d.setName, &t.a, func() error { return t.a.send(d.set("greeting", "hello")) }},
		{"B connects", nil, func() error { return t.b.dial(t.server.addr) }},
		{"B sends half a GET", nil, func() error { return t.b.send(get[:len(get)/2]) }},
		{"A sends a GET", &t.a, func() error { return t.a.send(get) }},
		{"B sends the other half", &t.b, func() error { return t.b.send(get[len(get)/2:]) }},
		{"A asks for 4 MB, reads nothing", nil, func() error { t.a.paused = true; return t.a.send(d.get("big", "")) }},
		{"A reads", &t.a, func() error { t.a.paused = false; return nil }},
		{"B half-closes", &t.b, func() error { return t.b.conn.CloseWrite() }},
		{d.farewell, &t.a, func() error { return t.a.leave([]byte(d.lastWords)) }},
		{"", nil, func() error { return nil }},
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
			return nil, fmt.Errorf("%s: %w", cmp.Or(step.name, "before the conversation"), err)
		}
		events = append(events, event{begin, step.name, t.gains(step.due), polls})
	}
	return events, nil
}

// settle does what there is to do, and lets the clients read what comes of it, until the
// server waits for more, or polls.
func (t *talker) settle(do func() error) (polls bool, err error) {
	if err := do(); err != nil {
		return false, err
	}
	deadline := time.Now().Add(patience)
	for more := true; more; {
		if polls, err = t.quiet(deadline); err != nil {
			return false, err
		}
		more = false
		for _, c := range []*client{&t.a, &t.b, &t.c} {
			n, err := c.drain()
			if err != nil {
				return false, err
			}
			more = more || n > 0
		}
	}
	return polls, nil
}

// gains tells what the clients have got since it was called last, in lines.
func (t *talker) gains(due *client) (lines string) {
	for _, c := range []*client{&t.a, &t.b, &t.c} {
		var gains []string
		if c.got > 0 {
			gains = append(gains, grouped(c.got)+" bytes")
		}
		if c.ended && c.conn != nil {
			gains = append(gains, "the end")
			c.conn = nil
		} else if c == due && c.got == 0 && !c.ended {
			gains = append(gains, "nothing")
		}
		if len(gains) > 0 {
			lines += c.name + " gets " + strings.Join(gains, " and ") + "\n"
		}
		c.got = 0
	}
	return lines
}

func (c *client) dial(addr string) error {
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(raw.Control(func(fd uintptr) { err = keepSmall(int(fd)) }), err)
	}}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		return err
	}
	c.conn = conn.(*net.TCPConn)
	return conn.SetDeadline(time.Now().Add(5 * patience))
}

// keepSmall bounds what the kernels on both sides take for a client that reads nothing.
// With the segments of the loopback, some take 4 MB in one write.
func keepSmall(fd int) error {
	return errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, 16<<10),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<10))
}

func (c *client) send(b []byte) error {
	_, err := c.conn.Write(b)
	return err
}

func (c *client) close() error {
	defer func() { c.conn = nil }()
	return c.conn.Close()
}

// leave speaks the last words, and hangs up when the server has.
func (c *client) leave(words []byte) error {
	if err := c.send(words); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, c.conn)
	c.got, c.ended = int(n), true
	c.conn.Close()
	return err
}

// drain reads what is there, without waiting for more.
func (c *client) drain() (n int, err error) {
	if c.conn == nil || c.paused || c.ended {
		return 0, nil
	}
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	b := make([]byte, 1<<20)
	var readErr error
	err = raw.Read(func(fd uintptr) bool {
		var m int
		for m, readErr = 1, nil; m > 0; n += max(m, 0) {
			m, readErr = unix.Read(int(fd), b)
		}
		c.ended = m == 0
		return true
	})
	c.got += n
	if readErr == unix.EAGAIN {
		readErr = nil
	}
	return n, errors.Join(err, readErr)
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

// polls tells whether the last hundred reads, writes and accepts were all in vain.
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
	return vain >= 100
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

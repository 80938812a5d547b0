//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// A burden is a group of connections that a server has to bear with.
type burden struct {
	burdenOptions
	to      endpoint
	out     io.Writer
	loop    loop
	request []byte
	parked  []member // those that have no more to do
	opened  int64
	served  int64 // those that have got a reply
	done    int64 // those that are as they should be
	heard   time.Duration
	until   time.Duration // when to leave; 0: not in effect yet
	buf     []byte

	replySize int // bytes of a reply to read; 0: none is read
}

// burdenOptions are the flags of burden.
type burdenOptions struct {
	kind      string
	clients   int64
	requests  int64
	valueSize int64
	key       string
	duration  time.Duration
}

var burdenKinds = []string{"idle", "silent", "slow", "heavy"}

// maxOpening is how many connections wait for their first reply at a time. It is
// well below the backlog of the flavors.
const maxOpening = 1000

// errLeave ends a burden's loop when its time is over.
var errLeave = errors.New("leave")

func burdenCommand(args []string, s streams) error {
	f := newFlags("burden")
	b := &burden{out: s.out, buf: make([]byte, readSize)}
	b.burdenOptions = burdenOptions{clients: 1, requests: 500, valueSize: 1_000_000, key: "burden", duration: time.Minute}
	f.number("c", &b.clients, 1, 60_000)
	f.number("n", &b.requests, 1, 1_000_000)
	f.number("d", &b.valueSize, 1, kvproto.MaxFrame)
	f.text("key", &b.key, "want a key")
	f.seconds("T", &b.duration)
	if err := f.parse(args, "KIND"); err != nil {
		return err
	}
	b.kind = f.Arg(0)
	var err error
	if b.to, err = resolve(f.host, int(f.port)); err != nil {
		return err
	}
	if err := b.prepare(); err != nil {
		return err
	}
	return b.bear()
}

// prepare makes the request of each connection, and stores what it asks for.
func (b *burden) prepare() error {
	ping := respproto.AppendCommand(nil, "PING")
	get := respproto.AppendCommand(nil, "GET", b.key)
	switch b.kind {
	case "idle":
		b.request = ping
		b.replySize = len("+PONG\r\n")
		return nil
	case "silent":
		b.request = ping[:len(ping)/2]
		return nil
	case "slow":
		b.request = bytes.Repeat(get, int(b.requests))
	case "heavy":
		b.request = get
		b.replySize = int(b.valueSize) + len(fmt.Sprintf("$%d\r\n\r\n", b.valueSize))
	default:
		return usageError(fmt.Sprintf("invalid kind %q: want %s", b.kind, strings.Join(burdenKinds, ", ")))
	}
	return expectReply(b.to, "+OK\r\n", "SET", b.key, strings.Repeat("x", int(b.valueSize)))
}

// bear opens the connections and stays until its time is over.
func (b *burden) bear() error {
	defer b.close()
	b.heard = now()
	b.loop.onTick = b.tick
	err := b.open()
	if err == nil {
		err = b.loop.run()
	}
	if err == errLeave {
		return nil
	}
	return err
}

func (b *burden) close() {
	for _, m := range b.parked {
		unix.Close(m.socket().fd)
	}
	b.loop.close()
}

// open opens connections while not too many are under way.
func (b *burden) open() error {
	for b.opened < b.clients && b.opened-b.done < maxOpening {
		fd, err := dial(b.to)
		if err != nil {
			return fmt.Errorf("%w, after %d connections", err, b.opened)
		}
		b.opened++
		b.loop.add(&bearer{b: b, sock: socket{fd: fd}, connecting: true}, unix.POLLOUT)
	}
	return nil
}

// tick ends the burden when its time is over. What a server leaves waiting is no
// reason to give up: it may serve only so many, or read no more.
func (b *burden) tick() error {
	t := now()
	switch {
	case b.until > 0 && t >= b.until:
		return errLeave
	case b.until > 0 || t < b.heard+patience:
	case b.kind == "heavy":
		return silenceError(fmt.Sprintf("burden: nothing received for %v from %s", patience, b.to.name))
	default:
		b.begin()
	}
	return nil
}

// count notes one more connection that is as it should be, and goes on with others.
func (b *burden) count() error {
	if b.done++; b.done == b.clients {
		b.begin()
	}
	return b.open()
}

// park takes a connection that has no more to do out of the loop until all have been
// opened: the loop is the faster the fewer it waits for.
func (b *burden) park(c *bearer) error {
	b.loop.detach(c)
	b.parked = append(b.parked, c)
	return b.count()
}

// begin says that the burden is in effect, and looks after all connections from now
// on. Of slow ones only an end is awaited, which needs no event.
func (b *burden) begin() {
	b.until = now() + b.duration
	events := int16(unix.POLLIN)
	if b.kind == "slow" {
		events = 0
	}
	for _, m := range b.parked {
		b.loop.add(m, events)
	}
	b.parked = nil
	fmt.Fprintf(b.out, "in effect: %d connections, %d served\n", b.opened, b.served)
}

// A bearer is one connection of a burden.
type bearer struct {
	b          *burden
	sock       socket
	connecting bool
	unsent     []byte // the rest of the request
	missing    int    // bytes of the reply that have not arrived
	replies    int
}

func (c *bearer) socket() *socket { return &c.sock }

// ready continues where the socket is ready to. A hangup or an error shows in the
// read.
func (c *bearer) ready(events int16) error {
	switch {
	case c.connecting:
		if err := connected(c.sock.fd); err != nil {
			return connectError(c.b.to, err)
		}
		c.connecting = false
		return c.ask()
	case events&unix.POLLOUT != 0:
		return c.flush()
	}
	return c.receive()
}

// ask begins to send the request.
func (c *bearer) ask() error {
	c.unsent = c.b.request
	c.missing = c.b.replySize
	return c.flush()
}

// flush writes what the socket takes.
func (c *bearer) flush() error {
	n, err := unix.Write(c.sock.fd, c.unsent)
	if err == unix.EAGAIN || err == unix.EINTR {
		n, err = 0, nil
	}
	if err != nil {
		return c.closed(err)
	}
	if n > 0 {
		c.b.heard = now()
	}
	c.unsent = c.unsent[n:]
	if len(c.unsent) > 0 {
		return nil
	}
	c.b.loop.await(&c.sock, unix.POLLIN)
	if c.b.replySize == 0 {
		return c.b.park(c)
	}
	return nil
}

// receive reads once. A reply that is no value ends the burden: it is an error.
func (c *bearer) receive() error {
	b := c.b
	n, err := unix.Read(c.sock.fd, b.buf)
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil
	}
	if n <= 0 {
		return c.closed(err)
	}
	b.heard = now()
	if c.missing == b.replySize && (n > c.missing || b.buf[0] == '-') {
		return fmt.Errorf("burden: the server answers %.100q", b.buf[:n])
	}
	if c.missing -= n; c.missing > 0 {
		return nil
	}
	return c.answered()
}

// answered goes on after a whole reply.
func (c *bearer) answered() error {
	b := c.b
	c.replies++
	if c.replies == 1 {
		b.served++
	}
	switch {
	case b.kind != "heavy" && b.until == 0:
		return b.park(c)
	case b.kind != "heavy":
		return nil
	}
	b.loop.await(&c.sock, unix.POLLIN|unix.POLLOUT)
	if err := c.ask(); err != nil || c.replies > 1 {
		return err
	}
	return b.count()
}

func (c *bearer) closed(err error) error {
	if err != nil {
		return fmt.Errorf("burden: %w", err)
	}
	return errors.New("burden: the server has closed a connection")
}

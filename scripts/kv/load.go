//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A load is one test: how many requests of one kind go to a server, and how.
type load struct {
	to        endpoint
	proto     protocol
	op        op
	clients   int64
	requests  int64
	pipeline  int64
	valueSize int64
	keepAlive bool          // false: each pipeline gets a new connection
	keys      int64         // how many there are; 0: one
	key       string        // the only one, or zeroKey
	duration  time.Duration // no pipeline is sent after that; 0: no limit
	rate      int64         // requests per second; 0: as many as possible
	inOrder   bool          // use the keys one after another, not at random
	missingOK bool          // a missing key is a right reply
}

const (
	keyPrefix = "key:"
	keyDigits = 12
	zeroKey   = keyPrefix + "000000000000"
	maxKeys   = 1_000_000_000_000 // as many as keyDigits can tell apart; and maximum of -n

	readSize  = 256 << 10 // bytes in a read, at most
	maxExcess = 1 << 20   // bytes that a wrong reply may be longer than the right one
	maxPace   = 1e9       // seconds, so that times do not overflow
	tick      = 250 * time.Millisecond
	forever   = time.Duration(math.MaxInt64)
)

// A generator produces a load with one thread and non-blocking sockets: a
// goroutine for each client would cost the server's processor time. The thread
// waits with poll, which every Unix has. A call costs some 80 ns for each client,
// which is little beside the reads and writes, as a busy server makes many
// clients ready at a time.
type generator struct {
	load
	latency histogram // of the requests that got a right reply
	elapsed time.Duration
	wrong   int64  // requests that got a wrong reply, or none
	first   string // what was wrong first

	fds    []unix.PollFd // fds[i] is what conns[i] waits for
	conns  []*client
	active int           // clients that are not done
	peer   unix.Sockaddr // the server's address
	left   int64         // requests not yet sent
	start  time.Duration // of the first request
	pace   time.Duration // from one pipeline of a client to its next; 0: at once
	next   int64         // the next key, if in order
	buf    []byte

	value    []byte
	batch    []byte          // a full pipeline
	size     int             // of one request
	keyAt    int             // where the key is in a request, the first time
	want     []byte          // the right reply
	echoAt   int             // where a random key is in that; less than 0: it has none
	seen     map[string]bool // the replies of INCR
	repeated int64           // how many of them were there already
}

// newGenerator returns the generator of a load. It has no connections yet.
func newGenerator(l load) *generator {
	l.pipeline = min(l.pipeline, l.requests)
	l.clients = min(l.clients, (l.requests+l.pipeline-1)/l.pipeline)
	g := &generator{load: l, left: l.requests, buf: make([]byte, readSize), echoAt: -1}
	g.value = bytes.Repeat([]byte("x"), int(l.valueSize))
	request := l.proto.request(l.op, []byte(l.key), g.value)
	g.size = len(request)
	g.batch = bytes.Repeat(request, int(l.pipeline))
	g.want = l.proto.reply(l.op, []byte(l.key), g.value)
	g.keyAt = bytes.Index(request, []byte(l.key))
	if l.keys > 0 {
		g.echoAt = bytes.Index(g.want, []byte(l.key))
	}
	if l.rate > 0 {
		seconds := float64(l.clients) * float64(l.pipeline) / float64(l.rate)
		g.pace = max(1, time.Duration(min(seconds, maxPace)*float64(time.Second)))
	}
	return g
}

// add makes a client of a connected socket.
func (g *generator) add(fd int) *client {
	c := &client{g: g, fd: fd, slot: len(g.conns), requests: g.batch}
	if g.keys > 0 {
		c.requests = bytes.Clone(g.batch)
	}
	g.conns = append(g.conns, c)
	g.fds = append(g.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	g.active++
	return c
}

// fail counts n wrong replies.
func (g *generator) fail(n int64, what string) {
	if g.wrong == 0 && n > 0 {
		g.first = what
	}
	g.wrong += n
}

// verdict is an error if a reply was wrong.
func (g *generator) verdict(name string) error {
	if g.wrong == 0 {
		return nil
	}
	return fmt.Errorf("%s: wrong replies: %d of %d; the first: %s", name, g.wrong, g.requests, g.first)
}

// run connects the clients and runs the load to its end. It fails if the server
// cannot be reached, is silent for too long, or speaks another protocol. Other
// wrong replies are counted only. The clock runs from the first request to the
// last reply.
func (g *generator) run() error {
	defer g.close()
	for range g.clients {
		fd, peer, err := g.to.connect()
		if err != nil {
			return err
		}
		g.add(fd)
		g.peer = peer
	}
	g.start = now()
	for i, c := range g.conns {
		c.due = g.start + time.Duration(float64(g.pace)*float64(i)/float64(g.clients))
		if err := c.begin(); err != nil {
			return err
		}
	}
	err := g.serve()
	g.elapsed = now() - g.start
	return err
}

func (g *generator) close() {
	for _, c := range g.conns {
		unix.Close(c.fd) // -1: it is closed already
	}
}

// serve waits for the clients and continues with those that are ready, until none
// is left.
func (g *generator) serve() error {
	pause := min(tick, g.to.patience)
	nextCheck := now() + pause
	for {
		wait, err := g.sendDue(pause)
		if err != nil || g.active == 0 {
			return err
		}
		n, err := unix.Poll(g.fds, int((wait+time.Millisecond-1)/time.Millisecond))
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("poll: %w", err)
		}
		for i := 0; n > 0; i++ {
			if events := g.fds[i].Revents; events != 0 {
				n--
				if err := g.conns[i].ready(events); err != nil {
					return err
				}
			}
		}
		if t := now(); t >= nextCheck {
			nextCheck = t + pause
			if err := g.checkSilence(t - g.to.patience); err != nil {
				return err
			}
		}
	}
}

// sendDue sends the pipelines that are due, and returns how long to wait for
// events: until the next one is due, but not longer than pause. If there are no
// more requests to send, the clients that are idle leave.
func (g *generator) sendDue(pause time.Duration) (wait time.Duration, err error) {
	if g.pace == 0 {
		return pause, nil
	}
	t := now()
	wait = pause
	over := g.over()
	if g.duration > 0 && !over {
		wait = min(wait, max(0, g.start+g.duration-t))
	}
	for _, c := range g.conns {
		if c.idle && (over || c.due <= t) {
			if err := c.proceed(false); err != nil {
				return 0, err
			}
		} else if c.idle {
			wait = min(wait, c.due-t)
		}
	}
	return wait, nil
}

// over reports whether no more requests are to be sent.
func (g *generator) over() bool {
	if g.duration > 0 && now()-g.start >= g.duration {
		g.requests -= g.left
		g.left = 0
	}
	return g.left == 0
}

// checkSilence fails if a client has waited since the limit.
func (g *generator) checkSilence(limit time.Duration) error {
	silent := 0
	for _, c := range g.conns {
		if c.heard <= limit {
			silent++
		}
	}
	if silent == 0 {
		return nil
	}
	return silenceError("%s: nothing received for %v from %s on %d of %s",
		g.proto.name(g.op), g.to.patience, g.to.name, silent, count(int64(g.active), "connection"))
}

// count returns 1 and the noun, or n and its plural.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// A client is one connection. It sends a pipeline of requests with one write,
// reads all replies, and begins again.
type client struct {
	g          *generator
	fd         int           // -1: to be connected when the next pipeline is due
	slot       int           // index in fds and conns
	heard      time.Duration // when it last began to wait, or sent or received
	requests   []byte        // a full pipeline; with one key, all clients share it
	unsent     []byte        // the rest of the pipeline
	have       int           // bytes of the expected reply that have arrived
	odd        []byte        // the reply so far, if it is not the expected one
	sent       int64         // requests in the pipeline that is under way
	pending    int64         // those without a reply
	connecting bool
	idle       bool          // until it is due
	due        time.Duration // when to send the next pipeline, if there is a pace
	start      time.Duration // of the write, or when that was due
	latency    time.Duration // from start to the first bytes of the replies; 0: none yet
}

// await sets the events that the client waits for.
func (c *client) await(events int16) {
	c.g.fds[c.slot] = unix.PollFd{Fd: int32(c.fd), Events: events}
}

// ready continues where the socket is ready to. A hangup or an error shows in
// the read.
func (c *client) ready(events int16) error {
	if c.connecting {
		if errno, _ := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); errno != 0 {
			return c.g.to.connectError(unix.Errno(errno))
		}
		c.connecting = false
		c.send()
		return nil
	}
	if events&unix.POLLOUT != 0 {
		c.flush()
	}
	if events&^unix.POLLOUT != 0 {
		return c.receive()
	}
	return nil
}

// begin sends the next pipeline, or lets the client be idle until that is due.
func (c *client) begin() error {
	if c.g.pace == 0 || c.due <= now() {
		return c.proceed(c.g.pace > 0)
	}
	c.idle = true
	c.heard = c.due
	return nil
}

// proceed sends the next pipeline. Without requests left, the client leaves. A
// pipeline that is late, because the client waited for the last reply, is timed
// from when it was due.
func (c *client) proceed(late bool) error {
	due := c.due
	c.due += c.g.pace
	c.idle = false
	if c.g.over() {
		c.leave()
		return nil
	}
	c.sent = min(c.g.pipeline, c.g.left)
	c.pending = c.sent
	c.g.left -= c.sent
	if c.fd < 0 {
		return c.dial()
	}
	c.send()
	if late {
		c.start = due
	}
	return nil
}

// leave ends the client. If the test ends at a time, the connection stays open until
// all clients are done: one that is served only because another has left must not
// count as served.
func (c *client) leave() {
	c.g.active--
	c.heard = forever
	c.g.fds[c.slot].Fd = -1 // poll passes over it
	if c.g.duration == 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}

// dial begins to connect anew. The pipeline follows.
func (c *client) dial() error {
	fd, err := c.g.to.dial(c.g.peer)
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("%w (closed connections hold their port for a while: use a smaller -n)", err)
	}
	if err != nil {
		return err
	}
	c.fd = fd
	c.connecting = true
	c.heard = now()
	c.await(unix.POLLOUT)
	return nil
}

// send writes the requests of the pipeline.
func (c *client) send() {
	g := c.g
	c.unsent = c.requests[:int(c.sent)*g.size]
	for i := g.keyAt; g.keys > 0 && i < len(c.unsent); i += g.size {
		k := g.next
		g.next++
		if !g.inOrder {
			k = rand.Int64N(g.keys)
		}
		setDigits(c.unsent[i+len(keyPrefix):i+len(zeroKey)], k)
	}
	c.have = 0
	c.latency = 0
	c.start = now()
	c.heard = c.start
	c.flush()
}

// setDigits writes n in decimal, with leading zeros.
func setDigits(b []byte, n int64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
}

// flush writes what the socket takes and waits for writability if that is not
// all. After an error there is nothing to write; the read that follows finds the
// server's last reply, or the end.
func (c *client) flush() {
	n, err := unix.Write(c.fd, c.unsent)
	if err == unix.EAGAIN || err == unix.EINTR {
		n, err = 0, nil
	}
	if err != nil || n == len(c.unsent) {
		c.unsent = nil
		c.await(unix.POLLIN)
		return
	}
	c.unsent = c.unsent[n:]
	if n > 0 {
		c.heard = now()
	}
	c.await(unix.POLLIN | unix.POLLOUT)
}

// receive reads once and, when all replies are there, begins again.
func (c *client) receive() error {
	g := c.g
	t := now()
	n, err := unix.Read(c.fd, g.buf)
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil
	}
	if n <= 0 {
		return c.restart(err)
	}
	c.heard = t
	if c.latency == 0 {
		c.latency = max(1, t-c.start)
	}
	right, err := c.check(g.buf[:n])
	g.latency.add(c.latency, right)
	if err != nil && g.latency.count == 0 {
		if other := (protocolError{}); errors.As(err, &other) {
			return fmt.Errorf("%s: %w", g.to.name, err)
		}
	}
	switch {
	case err != nil || c.pending == 0 && !g.keepAlive:
		return c.restart(err)
	case c.pending > 0:
		return nil
	}
	return c.begin()
}

// restart gives up the requests without a reply and begins again with a new
// connection.
func (c *client) restart(err error) error {
	if err == nil {
		err = errors.New("the server closed the connection")
	}
	c.g.fail(c.pending, err.Error())
	unix.Close(c.fd)
	c.fd, c.pending, c.odd = -1, 0, nil
	c.await(0)
	return c.begin()
}

// key is the key of the oldest request without a reply.
func (c *client) key() []byte {
	i := int(c.sent-c.pending)*c.g.size + c.g.keyAt
	return c.requests[i : i+len(c.g.load.key)]
}

// expected is the right reply to the oldest request without a reply.
func (c *client) expected() []byte {
	if c.g.echoAt >= 0 {
		copy(c.g.want[c.g.echoAt:], c.key())
	}
	return c.g.want
}

// check compares the replies in data with the right ones, and counts those that are
// wrong. After an error the stream cannot be read on. The expected reply is compared
// as it arrives; only another one is kept until it is complete.
func (c *client) check(data []byte) (right int64, err error) {
	if len(c.odd) > 0 {
		data = append(c.odd, data...)
		c.odd = nil
	}
	for len(data) > 0 && c.pending > 0 {
		want := c.expected()
		rest := want[c.have:]
		n := min(len(data), len(rest))
		ok := bytes.Equal(data[:n], rest[:n])
		if ok && n < len(rest) {
			c.have += n
			return right, nil
		}
		if !ok {
			if c.have > 0 { // the reply began in an earlier read
				data = slices.Concat(want[:c.have], data)
				c.have = 0
			}
			n, ok, err = c.judge(data)
			if err != nil {
				return right, err
			}
			if n == 0 {
				c.odd = bytes.Clone(data)
				return right, nil
			}
		}
		if ok {
			right++
		}
		data = data[n:]
		c.have = 0
		c.pending--
	}
	if c.pending == 0 && len(data)+len(c.unsent) > 0 {
		c.g.fail(1, "a reply that belongs to no request")
		err = errors.New("the stream cannot be read on")
	}
	return right, err
}

// judge returns the length of a reply that is not the expected one, or 0 if it is not
// complete, and whether it is right nevertheless.
func (c *client) judge(in []byte) (n int, ok bool, err error) {
	g := c.g
	n, err = g.proto.length(in)
	if err == nil && n <= 0 && len(in) > len(g.want)+maxExcess {
		err = errors.New("it is far too long")
	}
	if err != nil {
		return 0, false, fmt.Errorf("malformed reply: %w", err)
	}
	if n <= 0 {
		return 0, false, nil
	}
	reply := in[:n]
	ok = g.proto.accepts(g.op, reply, c.key(), g.value, g.missingOK)
	if !ok {
		g.fail(1, g.proto.text(reply))
	} else if g.seen != nil {
		if g.seen[string(reply)] {
			g.repeated++
		}
		g.seen[string(reply)] = true
	}
	return n, ok, nil
}

//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// A load is one test: how many requests of one kind go to a server, and how.
type load struct {
	to        endpoint
	proto     protocol
	op        op
	clients   int
	requests  int64
	pipeline  int64
	valueSize int
	keepAlive bool
	keys      int64         // key space; 0: one key
	key       []byte        // the only one; nil: zeroKey, or a key space
	duration  time.Duration // when to issue no more requests; 0: when all are issued
	rate      int64         // requests per second, if there are to be no more; 0: as many as possible
	inOrder   bool          // use the keys one after another, not at random
	missingOK bool          // a missing key is a right reply
}

// A result is what a load measured. Requests that got a wrong reply, or none,
// are in faults only.
type result struct {
	load
	latency histogram
	elapsed time.Duration
	faults  [faultCount]int64
	note    string // what the server or the system said first about a fault
}

// faulty reports whether a reply was wrong.
func (r *result) faulty() bool { return r.faults != [faultCount]int64{} }

// A generator produces a load with one thread and non-blocking sockets.
type generator struct {
	result
	loop   loop
	left   int64         // requests not yet issued
	start  time.Duration // of the first request
	pace   time.Duration // from one pipeline of a client to its next; 0: at once
	next   int64         // the next key, if in order
	value  []byte
	digits int // where the digits of the key are in a request
	echo   int // and in a reply; 0 if the reply has no key
	buf    []byte
	seen   *numbers // what INCR has replied
	done   []int    // the sockets of clients that have no more to do
}

const (
	keyPrefix = "key:"
	keyDigits = 12
	maxKeys   = 1_000_000_000_000 // as many as keyDigits can tell apart
	readSize  = 256 << 10         // bytes in a read, at most
	maxExcess = 1 << 20           // bytes that a wrong reply may be longer than the right one
)

// zeroKey is the only key without -r and -key.
const zeroKey = keyPrefix + "000000000000"

// produce runs a load to its end. It fails if the server cannot be reached or is
// silent for too long; wrong replies are counted only.
func produce(l load, progress func(done int64)) (*result, error) {
	g := newGenerator(l)
	if err := g.run(progress); err != nil {
		return nil, err
	}
	return &g.result, nil
}

func newGenerator(l load) *generator {
	return &generator{result: result{load: l}, left: l.requests, buf: make([]byte, readSize)}
}

// run connects the clients and runs the load.
func (g *generator) run(progress func(done int64)) error {
	l := &g.load
	g.loop.onTick = func() error {
		progress(g.latency.count)
		return g.checkSilence()
	}
	defer g.close()
	batches := (l.requests + l.pipeline - 1) / l.pipeline
	g.clients = int(min(int64(l.clients), batches))
	g.value = bytes.Repeat([]byte("x"), l.valueSize)
	key := l.key
	if key == nil {
		key = []byte(zeroKey)
	}
	request := l.proto.request(l.op, key, g.value)
	reply := l.proto.reply(l.op, key, g.value)
	g.digits = keyIndex(request)
	if l.keys > 0 {
		g.echo = max(0, keyIndex(reply))
	}
	pipeline := bytes.Repeat(request, int(min(l.pipeline, l.requests)))
	for range g.clients {
		fd, err := connect(l.to)
		if err != nil {
			return err
		}
		c := &client{sock: socket{fd: fd}, g: g, requests: pipeline, size: len(request), want: reply}
		if l.keys > 0 {
			c.requests = bytes.Clone(pipeline)
		}
		if g.echo > 0 {
			c.want = bytes.Clone(reply)
		}
		g.loop.add(c, unix.POLLIN)
	}
	return g.measure()
}

// close closes all connections.
func (g *generator) close() {
	g.loop.close()
	for _, fd := range g.done {
		unix.Close(fd)
	}
}

// keyIndex returns where the digits of zeroKey are in b.
func keyIndex(b []byte) int {
	i := bytes.Index(b, []byte(zeroKey))
	if i < 0 {
		return i
	}
	return i + len(keyPrefix)
}

// measure starts all clients and runs the loop. The clock runs from the first
// request to the last reply.
func (g *generator) measure() error {
	if g.rate > 0 {
		perRound := int64(g.clients) * g.pipeline
		g.pace = max(1, time.Duration(float64(perRound)/float64(g.rate)*float64(time.Second)))
		g.loop.onWait = g.sendDue
	}
	g.start = now()
	for i := len(g.loop.members) - 1; i >= 0; i-- {
		c := g.loop.members[i].(*client)
		c.due = g.start + g.pace*time.Duration(i)/time.Duration(g.clients)
		c.begin()
	}
	err := g.loop.run()
	g.elapsed = now() - g.start
	return err
}

// sendDue sends the pipelines that are due, and returns the time to the next one.
func (g *generator) sendDue() time.Duration {
	t := now()
	next := patience
	for i := len(g.loop.members) - 1; i >= 0; i-- {
		c := g.loop.members[i].(*client)
		if c.idle && c.due <= t {
			c.proceed()
		}
		if c.idle {
			next = min(next, c.due-t)
		}
	}
	return next
}

// checkSilence fails if a connection gets nothing for too long.
func (g *generator) checkSilence() error {
	n := g.loop.silent()
	if n == 0 {
		return nil
	}
	requests := fmt.Sprintf("%d of %d requests", g.latency.count, g.requests)
	if g.duration > 0 {
		requests = fmt.Sprintf("%d requests", g.latency.count)
	}
	return silenceError(fmt.Sprintf("%s: nothing received for %v from %s on %d of %d connections; %s have their reply",
		g.proto.name(g.op), patience, g.to.name, n, len(g.loop.members), requests))
}

// nextKey returns the number of the key of the next request.
func (g *generator) nextKey() int64 {
	if g.inOrder {
		g.next++
		return (g.next - 1) % g.keys
	}
	return rand.Int64N(g.keys)
}

// fail counts n requests with a fault.
func (g *generator) fail(f fault, n int64, note []byte) {
	g.faults[f] += n
	if g.note == "" {
		g.note = string(note)
	}
}

// A client is one connection. It sends a pipeline of requests with one write,
// reads all replies, and begins again.
type client struct {
	sock       socket
	g          *generator
	requests   []byte // a full pipeline; with one key, all clients share it
	size       int    // of one request
	unsent     []byte // the rest of the pipeline
	want       []byte // the right reply to the oldest request without a reply
	have       int    // bytes of want that have arrived
	odd        []byte // the reply so far, if it is not equal to want
	batch      int64  // requests in the pipeline that is under way
	pending    int64  // those without a reply
	connecting bool
	idle       bool          // until it is due
	due        time.Duration // when to send the next pipeline, if there is a pace
	start      time.Duration // of the write, or when that was due
	latency    time.Duration // from start to the first bytes of the replies; 0: none yet
}

func (c *client) socket() *socket { return &c.sock }

// ready continues where the socket is ready to. A hangup or an error shows in
// the read.
func (c *client) ready(events int16) error {
	if c.connecting {
		if err := connected(c.sock.fd); err != nil {
			return connectError(c.g.to, err)
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

// begin sends the next pipeline, or lets the client be idle until that is due. A
// pipeline that is late, because the server was with its last reply, counts from
// when it was due: it would wait in a client that does not wait for replies.
func (c *client) begin() {
	if c.g.pace == 0 {
		c.proceed()
		return
	}
	if c.due > now() {
		c.idle = true
		c.sock.heard = c.due
		return
	}
	late := c.due
	if c.proceed() {
		c.start = late
	}
}

// proceed sends the next pipeline. Without requests left, the client leaves.
func (c *client) proceed() bool {
	c.idle = false
	c.due += c.g.pace
	if !c.take() {
		c.leave()
		return false
	}
	c.send()
	return true
}

// leave closes the connection. If the test ends at a time, it does so when all others
// are done: a client that is served only because another has left would not be served
// if the test went on.
func (c *client) leave() {
	if c.g.duration == 0 {
		c.g.loop.remove(c)
		return
	}
	c.g.loop.detach(c)
	c.g.done = append(c.g.done, c.sock.fd)
}

// take reserves the requests of the next pipeline and reports whether there are
// any.
func (c *client) take() bool {
	if c.g.duration > 0 && now()-c.g.start >= c.g.duration {
		c.g.requests -= c.g.left
		c.g.left = 0
	}
	n := min(c.g.pipeline, c.g.left)
	c.g.left -= n
	c.batch, c.pending = n, n
	return n > 0
}

// send writes the requests that are reserved.
func (c *client) send() {
	g := c.g
	c.unsent = c.requests[:int(c.batch)*c.size]
	if g.keys > 0 {
		for i := g.digits; i < len(c.unsent); i += c.size {
			setDigits(c.unsent[i:i+keyDigits], g.nextKey())
		}
	}
	c.expect()
	c.latency = 0
	c.start = now()
	c.sock.heard = c.start
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
// server's last words, or the end.
func (c *client) flush() {
	n, err := unix.Write(c.sock.fd, c.unsent)
	if err == unix.EAGAIN || err == unix.EINTR {
		n, err = 0, nil
	}
	if err != nil || n == len(c.unsent) {
		c.unsent = nil
		c.g.loop.await(&c.sock, unix.POLLIN)
		return
	}
	c.unsent = c.unsent[n:]
	if n > 0 {
		c.sock.heard = now()
	}
	c.g.loop.await(&c.sock, unix.POLLIN|unix.POLLOUT)
}

// receive reads once and, when all replies are there, begins again.
func (c *client) receive() error {
	g := c.g
	t := now()
	n, err := unix.Read(c.sock.fd, g.buf)
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil
	}
	if err != nil {
		return c.restart(err.Error())
	}
	if n == 0 {
		return c.restart("")
	}
	c.sock.heard = t
	if c.latency == 0 {
		c.latency = max(1, t-c.start)
	}
	if !c.check(g.buf[:n]) {
		return c.restart("")
	}
	if c.pending > 0 {
		return nil
	}
	if !g.keepAlive {
		return c.restart("")
	}
	c.begin()
	return nil
}

// restart gives up the requests without a reply and connects anew.
func (c *client) restart(note string) error {
	g := c.g
	if c.pending > 0 {
		g.fail(faultNoReply, c.pending, []byte(note))
	}
	g.loop.remove(c)
	if !c.take() {
		return nil
	}
	c.idle = false
	fd, err := dial(g.to)
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("%w (closed connections hold their port for a while: use a smaller -n)", err)
	}
	if err != nil {
		return err
	}
	c.sock.fd = fd
	c.connecting = true
	c.odd = nil
	g.loop.add(c, unix.POLLOUT)
	return nil
}

// expect prepares for the reply to the oldest request without one.
func (c *client) expect() {
	c.have = 0
	if c.g.echo > 0 {
		copy(c.want[c.g.echo:c.g.echo+keyDigits], c.key()[len(keyPrefix):])
	}
}

// key is the key of the oldest request without a reply.
func (c *client) key() []byte {
	if c.g.load.key != nil {
		return c.g.load.key
	}
	i := int(c.batch-c.pending)*c.size + c.g.digits
	return c.requests[i-len(keyPrefix) : i+keyDigits]
}

// check compares the replies in data with the right ones, and counts. It returns
// false if the stream cannot be read on.
func (c *client) check(data []byte) bool {
	g := c.g
	right := int64(0)
	f := faultNone
	for len(data) > 0 && c.pending > 0 && f != faultGarbage {
		var n int
		var done bool
		n, done, f = c.match(data)
		data = data[n:]
		if !done {
			break
		}
		if f == faultNone {
			right++
		}
		if c.pending--; c.pending > 0 {
			c.expect()
		}
	}
	g.latency.add(c.latency, right)
	if c.pending == 0 && len(data)+len(c.unsent) > 0 {
		g.fail(faultUnasked, 1, nil)
		return false
	}
	return f != faultGarbage
}

// match takes the bytes of one reply, or of a part of it, from data. It returns
// how many, whether the reply is done, and its fault.
func (c *client) match(data []byte) (n int, done bool, f fault) {
	rest := c.want[c.have:]
	n = min(len(data), len(rest))
	if len(c.odd) == 0 && bytes.Equal(data[:n], rest[:n]) {
		c.have += n
		return n, n == len(rest), faultNone
	}
	if len(c.odd) == 0 {
		c.odd = append(c.odd, c.want[:c.have]...)
	}
	in, before := data, len(c.odd)
	if before > 0 { // the reply began in an earlier read
		c.odd = append(c.odd, data...)
		in = c.odd
	}
	n, f = c.judge(in)
	if n == 0 {
		if before == 0 {
			c.odd = append(c.odd, data...)
		}
		return len(data), false, faultNone
	}
	c.odd = nil
	return n - before, true, f
}

// judge returns the length and the fault of a reply that is not equal to want,
// and counts the fault. The length is 0 if the reply is not complete.
func (c *client) judge(in []byte) (n int, f fault) {
	g := c.g
	n, f, note := g.proto.judge(g.op, in, c.key(), g.value)
	if n == 0 && len(in) > len(c.want)+maxExcess {
		n, f, note = len(in), faultGarbage, []byte("far too long")
	}
	if f == faultMissing && g.missingOK {
		f = faultNone
	}
	if f != faultNone {
		g.fail(f, 1, note)
	} else if n > 0 && g.seen != nil {
		g.seen.add(in[1 : n-2])
	}
	return n, f
}

//go:build unix

// Busywait is a key-value server with one thread, which never waits in any call.
//
// The thread tries accept(2), then read(2) or write(2) for each client, over and
// over; EAGAIN means not yet. It uses a whole core, even when nobody asks anything.
package main

import (
	"log"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var logged sync.Once // lets accept log its first error, and no others
var turns int        // how often step was called
var conns = map[int]*conn{}

// A conn is one client. While there are replies to send to it, it is not read from.
type conn struct {
	fd int
	session
	until time.Time // when to stop waiting for the client to close; zero until the last reply
}

func main() {
	addr, proto := start("busywait", "one thread, which never waits in any call")
	loop(listen(addr, proto))
}

// loop serves the clients. This thread does everything, so db needs no lock.
func loop(ln int) {
	unix.SetNonblock(ln, true)
	for {
		for i := 0; i < 100 && accept(ln); i++ { // others are waiting
		}
		for _, c := range conns {
			c.serve()
		}
	}
}

// accept takes a client, and reports whether there may be more.
func accept(ln int) bool {
	fd, _, err := syscall.Accept(ln) // unix.Accept would make a second call
	if err == nil {
		unix.SetNonblock(fd, true)
		conns[fd] = &conn{fd: fd, session: newSession()}
		return true
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
	}
	return err == unix.EINTR || err == unix.ECONNABORTED
}

// serve serves c, and closes it once step reports that it is done.
func (c *conn) serve() {
	if !c.step() {
		c.close()
	}
}

// close ends the connection.
func (c *conn) close() {
	delete(conns, c.fd)
	c.resp.Close()
	unix.Close(c.fd)
}

// step takes a turn: at most one read, the answers, at most one write. False: c is done.
func (c *conn) step() bool {
	if turns++; turns%1024 == 0 { // a few times in 10 ms: more often costs too much
		runtime.Gosched() // without it, the runtime takes our P away in every system call
	}
	c.begin()
	defer c.end()
	if !c.busy() && !c.fill() {
		return false
	}
	c.answerAll()
	if c.out.Len() > 0 && !c.flush() {
		return false
	}
	return c.busy() || !c.eof && (!c.quit || c.lingers())
}

// fill reads once, and appends to the input.
func (c *conn) fill() bool {
	room := c.in.AvailableBuffer()
	n, err := unix.Read(c.fd, room[:min(cap(room), maxRead)])
	if err != nil {
		return err == unix.EAGAIN || err == unix.EINTR
	}
	c.eof = n == 0
	c.in.Write(room[:n])
	return true
}

// flush writes once, at most maxOut bytes, and keeps the rest.
func (c *conn) flush() bool {
	n, err := unix.Write(c.fd, c.out.Bytes()[:min(c.out.Len(), maxOut)])
	if err != nil {
		return err == unix.EAGAIN || err == unix.EINTR
	}
	c.out.Next(n)
	return true
}

// lingers reports whether to go on waiting, after the last reply, for the client to close. If
// we closed first, input on its way would reset the connection, and replies would be lost.
func (c *conn) lingers() bool {
	if c.until.IsZero() {
		unix.Shutdown(c.fd, unix.SHUT_WR)
		c.until, c.dropped = time.Now().Add(time.Second), 0
	}
	return c.dropped < maxDrop && time.Now().Before(c.until)
}

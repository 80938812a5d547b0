//go:build unix

// Mtblock is a key-value server with a thread per client, which blocks in every call.
//
// Each thread waits in read(2) and write(2) for its client, and a mutex guards the
// dictionary. A client costs a thread: memory, and switches between threads.
package main

import (
	"log"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var mu sync.Mutex    // guards db
var logged sync.Once // lets accept log its first error, and no others
var slots = make(chan bool, threads())

// A conn is one client. While there are replies to send to it, it is not read from.
type conn struct {
	fd int
	session
	until time.Time // when to stop waiting for the client to close; zero until the last reply
}

func main() {
	addr, proto := start("mtblock", "a thread per client, which blocks in every call")
	loop(listen(addr, proto))
}

// loop serves the clients.
func loop(ln int) {
	runtime.GOMAXPROCS(min(64, 1+cap(slots)/4)) // many, so that the kernel does the scheduling
	for {
		if c := accept(ln); c != nil {
			slots <- true // waits while all threads are taken
			go c.serve()
		}
	}
}

// accept waits for a client.
func accept(ln int) *conn {
	fd, _, err := syscall.Accept(ln) // unix.Accept would make a second call
	if err == nil {
		return &conn{fd: fd, session: newSession()}
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
		time.Sleep(100 * time.Millisecond) // out of descriptors, or of memory
	}
	return nil
}

// serve serves c, and closes it once step reports that it is done.
func (c *conn) serve() {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	for c.step() {
	}
	c.close()
	<-slots
}

// close ends the connection.
func (c *conn) close() {
	c.resp.Close()
	unix.Close(c.fd)
}

// step takes a turn: at most one read, the answers, at most one write. False: c is done.
func (c *conn) step() bool {
	c.begin()
	defer c.end()
	if !c.busy() && !c.fill() {
		return false
	}
	mu.Lock()
	c.answerAll()
	mu.Unlock()
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
		return err == unix.EINTR
	}
	c.eof = n == 0
	c.in.Write(room[:n])
	return true
}

// flush writes once, at most maxOut bytes, and keeps the rest.
func (c *conn) flush() bool {
	n, err := unix.Write(c.fd, c.out.Bytes()[:min(c.out.Len(), maxOut)])
	if err != nil {
		return err == unix.EINTR
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
	wait := unix.NsecToTimeval(max(time.Until(c.until), time.Microsecond).Nanoseconds()) // 0 is for ever
	unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)
	return c.dropped < maxDrop && time.Now().Before(c.until)
}

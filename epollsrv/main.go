//go:build linux

// Epollsrv is a key-value server with one thread, which waits for all clients at once.
//
// The thread waits in epoll_wait(2) until sockets are ready, and then serves only
// those: an idle client costs nothing. But one slow command stalls all the others.
package main

import (
	"cmp"
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
var ep, epErr = unix.EpollCreate1(0)

// The kernel reports neither that descriptors are free again nor that a leaving client's time
// is up. So loop checks every 100 ms while accept is short of descriptors or clients leave.
var short bool
var leaving = map[*conn]bool{}

// A conn is one client. While there are replies to send to it, it is not read from.
type conn struct {
	fd int
	session
	until time.Time // when to stop waiting for the client to close; zero until the last reply
	want  uint32    // what the kernel reports: EPOLLIN or EPOLLOUT
}

func main() {
	addr, proto := start("epollsrv", "one thread, which waits for all clients at once in epoll_wait(2)")
	loop(listen(addr, proto))
}

// loop serves the clients. This thread does everything, so db needs no lock.
func loop(ln int) {
	unix.SetNonblock(ln, true)
	if err := cmp.Or(epErr, watch(unix.EPOLL_CTL_ADD, ln, unix.EPOLLIN)); err != nil {
		log.Fatalf("epoll: %v", err)
	}
	events := make([]unix.EpollEvent, 1024)
	tried := time.Now()
	for {
		timeout := -1 // for ever
		if short || len(leaving) > 0 {
			timeout = 100 // ms
		}
		n, _ := unix.EpollWait(ep, events, timeout) // EINTR is its only error
		for _, e := range events[:max(n, 0)] {
			if fd := int(e.Fd); fd != ln {
				conns[fd].serve()
				continue
			}
			for i := 0; i < 100 && accept(ln); i++ { // others are waiting
			}
		}
		if timeout < 0 || time.Since(tried) < 100*time.Millisecond {
			continue
		}
		tried, short = time.Now(), watch(unix.EPOLL_CTL_MOD, ln, unix.EPOLLIN) != nil
		for c := range leaving {
			c.serve()
		}
	}
}

// watch tells the kernel what to report about fd.
func watch(op, fd int, want uint32) error {
	return unix.EpollCtl(ep, op, fd, &unix.EpollEvent{Events: want, Fd: int32(fd)})
}

// accept takes a client, and reports whether there may be more.
func accept(ln int) bool {
	fd, _, err := syscall.Accept(ln) // unix.Accept would make a second call
	if err == nil {
		unix.SetNonblock(fd, true)
		conns[fd] = &conn{fd: fd, session: newSession()}
		conns[fd].expect()
		return true
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
		short = true // of descriptors or memory: stop watching ln for a while
		watch(unix.EPOLL_CTL_MOD, ln, 0)
	}
	return err == unix.EINTR || err == unix.ECONNABORTED
}

// serve serves c, and closes it once step reports that it is done.
func (c *conn) serve() {
	if !c.step() {
		c.close()
		return
	}
	c.expect()
}

// close ends the connection.
func (c *conn) close() {
	delete(conns, c.fd)
	delete(leaving, c)
	c.resp.Close()
	unix.Close(c.fd)
}

// expect tells the kernel to report what c waits for next, or closes c if that fails.
func (c *conn) expect() {
	op, want := unix.EPOLL_CTL_MOD, uint32(unix.EPOLLIN)
	if c.busy() {
		want = unix.EPOLLOUT
	}
	if c.want == 0 {
		op = unix.EPOLL_CTL_ADD
	}
	if want != c.want && watch(op, c.fd, want) != nil {
		c.close()
	}
	c.want = want
}

// step takes a turn: at most one read, the answers, at most one write. False: c is done.
func (c *conn) step() bool {
	if turns++; turns%256 == 0 { // a few times in 10 ms: more often costs too much
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
		leaving[c] = true
	}
	return c.dropped < maxDrop && time.Now().Before(c.until)
}

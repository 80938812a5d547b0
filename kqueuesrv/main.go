//go:build darwin || dragonfly || freebsd || netbsd || openbsd || kqueue_on_epoll

// Kqueuesrv is a key-value server with one thread, which waits for all clients at once.
//
// The thread waits in kevent(2) until sockets are ready, and then serves only
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
var kq, kqErr = unix.Kqueue()

const unwatched = 9 // no filter yet; 0 would not do: on NetBSD it is EVFILT_READ

// The kernel reports neither that descriptors are free again nor that a leaving client's time
// is up. So loop checks every 100 ms while accept is short of descriptors or clients leave.
var short bool
var leaving = map[*conn]bool{}

// A conn is one client. While there are replies to send to it, it is not read from.
type conn struct {
	fd int
	session
	until time.Time // when to stop waiting for the client to close; zero until the last reply
	want  int       // what the kernel reports: EVFILT_READ or EVFILT_WRITE
}

func main() {
	addr, proto := start("kqueuesrv", "one thread, which waits for all clients at once in kevent(2)")
	loop(listen(addr, proto))
}

// loop serves the clients. This thread does everything, so db needs no lock.
func loop(ln int) {
	unix.SetNonblock(ln, true)
	if err := cmp.Or(kqErr, watch(unix.EV_ADD, ln, unix.EVFILT_READ)); err != nil {
		log.Fatalf("kqueue: %v", err)
	}
	events := make([]unix.Kevent_t, 1024)
	tried := time.Now()
	for {
		timeout := (*unix.Timespec)(nil) // for ever
		if short || len(leaving) > 0 {
			timeout = &unix.Timespec{Nsec: 100e6}
		}
		n, _ := unix.Kevent(kq, nil, events, timeout) // EINTR is its only error
		for _, e := range events[:max(n, 0)] {
			if fd := int(e.Ident); fd != ln {
				conns[fd].serve()
				continue
			}
			for i := 0; i < 100 && accept(ln); i++ { // others are waiting
			}
		}
		if timeout == nil || time.Since(tried) < 100*time.Millisecond {
			continue
		}
		tried, short = time.Now(), watch(unix.EV_ENABLE, ln, unix.EVFILT_READ) != nil
		for c := range leaving {
			c.serve()
		}
	}
}

// watch tells the kernel what to report about fd.
func watch(op, fd, want int) error {
	change := make([]unix.Kevent_t, 1)
	unix.SetKevent(&change[0], fd, want, op)
	_, err := unix.Kevent(kq, change, nil, nil)
	return err
}

// accept takes a client, and reports whether there may be more.
func accept(ln int) bool {
	fd, _, err := syscall.Accept(ln) // unix.Accept would make a second call
	if err == nil {
		unix.SetNonblock(fd, true)
		conns[fd] = &conn{fd: fd, session: newSession(), want: unwatched}
		conns[fd].expect()
		return true
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
		short = true // of descriptors or memory: stop watching ln for a while
		watch(unix.EV_DISABLE, ln, unix.EVFILT_READ)
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
	want := unix.EVFILT_READ
	if c.busy() {
		want = unix.EVFILT_WRITE
	}
	if want != c.want && c.want != unwatched {
		watch(unix.EV_DELETE, c.fd, c.want)
	}
	if want != c.want && watch(unix.EV_ADD, c.fd, want) != nil {
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

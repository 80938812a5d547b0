//go:build darwin || dragonfly || freebsd || netbsd || openbsd || kqueue_on_epoll

// Kqueuesrv is a key-value server with one thread, which waits for all at once.
//
// The thread waits in kevent(2) until sockets are ready, and then serves these
// alone: an idle client costs nothing. But one slow command stalls all the others.
package main

import (
	"cmp"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"ioflavors/respproto"
)

// Only one thread touches db.
var logged sync.Once // accept's first error that lasts
var turns int        // of all clients
var paused time.Time // since when accept has no descriptors, or memory
var conns = map[int]*conn{}
var kq, noKqueue = unix.Kqueue()
var unwatched = 9 // no filter: 0 is one on NetBSD
var forever, soon = (*unix.Timespec)(nil), &unix.Timespec{Nsec: 100e6}
var wait = forever // or soon, if there is more to do than is reported
var tick time.Time // when that was last done

// A conn is one client. While it has replies to get, it is not read from.
type conn struct {
	fd int
	session
	until time.Time // when to close, after the last word
	want  int       // what the kernel is to report: input, or room for output
	again bool      // serve soon, whatever it reports
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("kqueuesrv: ")
	addr := flag.String("addr", "127.0.0.1:6379", "listen on `host:port`; port 0 takes a free one")
	proto := flag.String("proto", "resp", "speak `protocol` resp (Redis) or kv (protobuf)")
	flag.Parse()
	answer = map[string]func(*session, []byte) ([]byte, int){"resp": (*session).answerRESP, "kv": (*session).answerKV}[*proto]
	if _, _, err := net.SplitHostPort(*addr); err != nil || answer == nil || flag.NArg() > 0 {
		log.Printf("want -addr host:port, -proto resp or kv, and nothing else; not %q", os.Args[1:])
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() { <-stop; os.Exit(0) }()
	signal.Ignore(syscall.SIGPIPE) // of a log that nobody reads
	os.Pipe()                      // opens the runtime's own poller while there are descriptors
	loop(listen(*addr, *proto))
}

// loop serves the clients.
func loop(lfd int) {
	unix.SetNonblock(lfd, true)
	if err := cmp.Or(noKqueue, watch(unix.EV_ADD|unix.EV_CLEAR, lfd, unix.EVFILT_READ)); err != nil {
		log.Fatalf("kqueue: %v", err)
	}
	events := make([]unix.Kevent_t, 1024)
	for {
		n, _ := unix.Kevent(kq, nil, events, wait) // EINTR is its only error
		for _, e := range events[:max(n, 0)] {
			if int(e.Ident) != lfd {
				conns[int(e.Ident)].serve()
			}
			for int(e.Ident) == lfd && accept(lfd) {
			}
		}
		if wait == forever || time.Since(tick) < 100*time.Millisecond {
			continue
		}
		tick, wait, paused = time.Now(), forever, time.Time{}
		for accept(lfd) {
		}
		for _, c := range conns {
			if c.again {
				c.serve()
			}
		}
	}
}

// watch tells the kernel what to report of fd.
func watch(op, fd, want int) error {
	change := make([]unix.Kevent_t, 1)
	unix.SetKevent(&change[0], fd, want, op)
	_, err := unix.Kevent(kq, change, nil, nil)
	return err
}

// accept takes a client, and reports whether there may be more.
func accept(lfd int) bool {
	if time.Since(paused) < 100*time.Millisecond {
		return false
	}
	fd, _, err := syscall.Accept(lfd) // unix.Accept would make a second call
	if err == nil {
		unix.SetNonblock(fd, true)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		conns[fd] = &conn{fd: fd, want: unwatched, session: session{resp: respproto.NewSession(), in: none, out: none}}
		conns[fd].expect()
		return true
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
		paused, wait = time.Now(), soon // out of descriptors, or of memory
	}
	return err != unix.EAGAIN
}

// serve takes c a turn further.
func (c *conn) serve() {
	if c.step() {
		c.expect()
		return
	}
	delete(conns, c.fd)
	c.resp.Close()
	unix.Close(c.fd)
}

// expect has the kernel report what c waits for next; or else, c is served again soon.
func (c *conn) expect() {
	want := unix.EVFILT_READ
	if c.more || c.out.Len() > 0 {
		want = unix.EVFILT_WRITE
	}
	if want != c.want && watch(unix.EV_ADD, c.fd, want) == nil {
		if c.want != unwatched {
			watch(unix.EV_DELETE, c.fd, c.want)
		}
		c.want = want
	}
	if c.again = want != c.want || !c.until.IsZero(); c.again {
		wait = soon
	}
}

// step takes c one read, its answers and one write further, and reports whether it stays.
func (c *conn) step() bool {
	if turns++; turns%64 == 0 {
		runtime.Gosched() // or the runtime takes the P from us, again and again
	}
	c.begin()
	defer c.end()
	if !c.more && c.out.Len() == 0 && !c.fill() {
		return false
	}
	c.answerAll()
	if c.out.Len() > 0 && !c.flush() {
		return false
	}
	return c.more || c.out.Len() > 0 || !c.eof && (!c.quit || c.lingers())
}

// fill reads once, behind the input that is left.
func (c *conn) fill() bool {
	room := c.in.AvailableBuffer()
	n, err := unix.Read(c.fd, room[:cap(room)])
	if err != nil {
		return err == unix.EAGAIN || err == unix.EINTR
	}
	c.eof = n == 0
	c.in.Write(room[:n])
	return true
}

// flush writes once.
func (c *conn) flush() bool {
	n, err := unix.Write(c.fd, c.out.Bytes()[:min(c.out.Len(), maxOut)])
	if err != nil {
		return err == unix.EAGAIN || err == unix.EINTR
	}
	c.out.Next(n)
	return true
}

// lingers reports whether c, which has had its last word, still has some time. The client
// is to close first: if we did, what it still sends might cut off replies on their way.
func (c *conn) lingers() bool {
	if c.until.IsZero() {
		unix.Shutdown(c.fd, unix.SHUT_WR)
		c.until = time.Now().Add(time.Second)
	}
	return c.late < maxLate && time.Now().Before(c.until)
}

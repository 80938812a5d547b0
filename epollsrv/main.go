//go:build linux

// Epollsrv is a key-value server with one thread, which waits for all at once.
//
// The thread waits in epoll_wait(2) until sockets are ready, and then serves these
// alone: an idle client costs nothing. But one slow command stalls all the others.
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
	"ioflavors/kvproto"
	"ioflavors/respproto"
)

const maxOut = 1 << 20       // bytes of replies that may wait before answering stops
var db = map[string][]byte{} // for the only thread
var answer func(*conn) bool  // answerRESP or answerKV
var logged sync.Once         // accept's first error that lasts

var ep int // the epoll instance
var forever, soon = -1, 100
var wait = forever // or soon, when accept is to be tried again

// A conn is one client. While it has replies to get, it is not read from.
type conn struct {
	fd    int
	want  int // what to wait for: input, or room for output
	resp  *respproto.Session
	in    []byte // input not yet answered
	out   []byte // output not yet sent
	more  bool   // in may begin with a whole request
	eof   bool   // the client sends no more
	quit  bool   // the client gets no more: its input is dropped
	steps int
}
type scratch struct{ in, out [16 << 10]byte } // for a thread to read and answer into

func main() {
	log.SetFlags(0)
	log.SetPrefix("epollsrv: ")
	addr := flag.String("addr", "127.0.0.1:6379", "listen on `host:port`; port 0 takes a free one")
	proto := flag.String("proto", "resp", "speak `protocol` resp (Redis) or kv (protobuf)")
	flag.Parse()
	answer = map[string]func(*conn) bool{"resp": (*conn).answerRESP, "kv": (*conn).answerKV}[*proto]
	if _, _, err := net.SplitHostPort(*addr); err != nil || answer == nil || flag.NArg() > 0 {
		log.Printf("want -addr host:port, -proto resp or kv, and nothing else; not %q", os.Args[1:])
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGTERM)
	go func() { <-stop; os.Exit(0) }()
	signal.Ignore(unix.SIGPIPE) // of a log that nobody reads
	os.Pipe()                   // opens the runtime's own poller while there are descriptors
	loop(listen(*addr, *proto))
}

// loop serves the clients that are ready.
func loop(lfd int) {
	var b scratch
	conns := map[int]*conn{}
	unix.SetNonblock(lfd, true)
	var err error
	if ep, err = unix.EpollCreate1(0); err != nil {
		log.Fatalf("epoll_create1: %v", err)
	}
	watch(unix.EPOLL_CTL_ADD, lfd, unix.EPOLLIN)
	events := make([]unix.EpollEvent, 1024)
	for {
		n, _ := unix.EpollWait(ep, events, wait) // in ms; EINTR is its only error
		if wait == soon {
			watch(unix.EPOLL_CTL_MOD, lfd, unix.EPOLLIN)
			wait = forever
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == lfd {
				for c := accept(lfd); c != nil; c = accept(lfd) {
					conns[c.fd] = c
				}
				continue
			}
			c := conns[int(e.Fd)]
			if !c.step(&b) {
				delete(conns, c.fd)
				c.resp.Close()
				unix.Close(c.fd)
				continue
			}
			want := unix.EPOLLIN
			if c.more || len(c.out) > 0 {
				want = unix.EPOLLOUT
			}
			if want != c.want {
				watch(unix.EPOLL_CTL_MOD, c.fd, want)
				c.want = want
			}
		}
	}
}

// watch tells epoll what to report of fd.
func watch(op, fd, want int) error {
	return unix.EpollCtl(ep, op, fd, &unix.EpollEvent{Events: uint32(want), Fd: int32(fd)})
}

// accept takes a client, if there is one.
func accept(lfd int) *conn {
	fd, _, err := unix.Accept(lfd)
	if err == nil {
		err = watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN)
	}
	if err == nil {
		unix.SetNonblock(fd, true)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		return &conn{fd: fd, want: unix.EPOLLIN, resp: respproto.NewSession()}
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
		unix.Close(fd)
		watch(unix.EPOLL_CTL_MOD, lfd, 0)
		wait = soon
	}
	return nil
}

// step takes c one read, its answers and one write further. It reports false if c
// is to be closed.
func (c *conn) step(b *scratch) bool {
	if c.steps++; c.steps%64 == 0 {
		runtime.Gosched() // or the runtime takes the P from us, again and again
	}
	if !c.more && len(c.out) == 0 && !c.fill(b) {
		return false
	}
	had := len(c.in)
	for c.more = !c.quit; c.more && len(c.out) < maxOut; {
		c.more = answer(c)
	}
	c.in = keep(c.in, had-len(c.in), b.in[:])
	ok := len(c.out) == 0 || c.flush(b)
	if c.quit && len(c.out) == 0 { // the client closes first: we might cut replies off
		unix.Shutdown(c.fd, unix.SHUT_WR)
		c.in = nil
	}
	return ok && (c.more || len(c.out) > 0 || !c.eof)
}

// fill reads once, behind the input that is left.
func (c *conn) fill(b *scratch) bool {
	n, err := unix.Read(c.fd, b.in[:])
	c.eof = n == 0
	if err != nil {
		return err == unix.EAGAIN || err == unix.EINTR
	}
	c.in = append(c.in, b.in[:n]...)
	return true
}

// flush writes once.
func (c *conn) flush(b *scratch) bool {
	n, err := unix.Write(c.fd, c.out)
	if err != nil {
		return err == unix.EAGAIN || err == unix.EINTR
	}
	c.out = keep(c.out[n:], n, b.out[:])
	return true
}

// keep returns what is left of a buffer. It is copied if the buffer is shared, or
// if most of it is used up, so that no conn holds on to more than it needs.
func keep(rest []byte, used int, shared []byte) []byte {
	if len(rest) == 0 {
		return shared[:0]
	}
	if n := cap(rest); len(rest) < used || &rest[:n][n-1] == &shared[len(shared)-1] {
		return append([]byte{}, rest...)
	}
	return rest
}

// answerRESP answers the first Redis request in c.in, if it is there as a whole.
func (c *conn) answerRESP() bool {
	args, n, err := c.resp.Parse(c.in)
	if n == 0 {
		c.out, c.quit = respproto.AppendError(c.out, err), err != nil
		return false
	}
	c.in = c.in[n:]
	switch command := respproto.Lookup(args); command {
	case respproto.Get:
		c.out = c.resp.AppendValue(c.out, db[string(args[1])])
	case respproto.Set:
		db[string(args[1])] = append([]byte{}, args[2]...)
		c.out = respproto.AppendOK(c.out)
	case respproto.Incr:
		c.out, db[string(args[1])] = respproto.AppendIncr(c.out, db[string(args[1])])
	case respproto.Exists, respproto.Del:
		n := 0
		for _, key := range args[1:] {
			if _, ok := db[string(key)]; ok {
				n++
			}
			if command == respproto.Del {
				delete(db, string(key))
			}
		}
		c.out = respproto.AppendInt(c.out, n)
	case respproto.DBSize:
		c.out = respproto.AppendInt(c.out, len(db))
	case respproto.FlushAll:
		db = map[string][]byte{}
		c.out = respproto.AppendOK(c.out)
	default:
		c.out, c.quit = c.resp.AppendOther(c.out, args, len(db))
	}
	return !c.quit
}

// answerKV answers the first protobuf request in c.in, if it is there as a whole.
func (c *conn) answerKV() bool {
	m, n, err := kvproto.Parse(c.in)
	if n == 0 {
		c.out, c.quit = kvproto.AppendError(c.out, err), err != nil
		return false
	}
	c.in = c.in[n:]
	switch m.Kind {
	case kvproto.Get:
		c.out = kvproto.AppendValue(c.out, m.Key, db[string(m.Key)])
	case kvproto.PutOrUpdate:
		db[string(m.Key)] = append([]byte{}, m.Value...)
		c.out = kvproto.AppendOk(c.out)
	default:
		c.out = kvproto.AppendNotOk(c.out, m.Kind, m.Key)
	}
	return true
}

// listen returns a socket that listens on addr, and says so.
func listen(addr, proto string) int {
	check := func(err error) {
		if err != nil {
			log.Fatalf("listen %s: %v", addr, err)
		}
	}
	at, err := net.ResolveTCPAddr("tcp", addr)
	check(err)
	ip := at.AddrPort().Addr().Unmap()
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: at.Port, Addr: ip.As16()})
	if ip.Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: at.Port, Addr: ip.As4()}
	}
	lfd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	check(err)
	check(unix.SetsockoptInt(lfd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	unix.SetsockoptInt(lfd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0) // :: is IPv4 too
	check(unix.Bind(lfd, sa))
	check(unix.Listen(lfd, 4096)) // cut to the system's limit
	sa, _ = unix.Getsockname(lfd)
	if sa4, ok := sa.(*unix.SockaddrInet4); ok {
		at.Port = sa4.Port
	} else {
		at.Port = sa.(*unix.SockaddrInet6).Port
	}
	log.Printf("%s on %s", proto, at)
	return lfd
}

//go:build unix

// Mtblock is a key-value server with a thread per client, which blocks in every call.
//
// Each thread waits in read(2) and write(2) for its client, and a mutex guards the
// dictionary. A client costs a thread: memory, and switches between threads.
package main

import (
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

var mu sync.Mutex    // guards db
var logged sync.Once // accept's first error that lasts
var slots = make(chan bool, threads())

// A conn is one client. While it has replies to get, it is not read from.
type conn struct {
	fd int
	session
	until time.Time // when to close, after the last word
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mtblock: ")
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
	runtime.GOMAXPROCS(min(64, 1+cap(slots)/4)) // more than there are cores: let the kernel schedule
	for {
		slots <- true
		if c := accept(lfd); c != nil {
			go c.serve()
			continue
		}
		<-slots
	}
}

// accept waits for a client.
func accept(lfd int) *conn {
	fd, _, err := syscall.Accept(lfd) // unix.Accept would make a second call
	if err == nil {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		return &conn{fd: fd, session: session{resp: respproto.NewSession(), in: none, out: none}}
	}
	if err != unix.EAGAIN && err != unix.EINTR && err != unix.ECONNABORTED {
		logged.Do(func() { log.Printf("accept: %v", err) })
		time.Sleep(100 * time.Millisecond) // out of descriptors, or of memory
	}
	return nil
}

// serve serves c until it leaves.
func (c *conn) serve() {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	for c.step() {
	}
	c.resp.Close()
	unix.Close(c.fd)
	<-slots
}

// step takes c one read, its answers and one write further, and reports whether it stays.
func (c *conn) step() bool {
	c.begin()
	defer c.end()
	if !c.more && c.out.Len() == 0 && !c.fill() {
		return false
	}
	mu.Lock()
	c.answerAll()
	mu.Unlock()
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
		return err == unix.EINTR
	}
	c.eof = n == 0
	c.in.Write(room[:n])
	return true
}

// flush writes once.
func (c *conn) flush() bool {
	n, err := unix.Write(c.fd, c.out.Bytes()[:min(c.out.Len(), maxOut)])
	if err != nil {
		return err == unix.EINTR
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
	left := time.Until(c.until)
	limit := unix.NsecToTimeval(max(left, time.Microsecond).Nanoseconds())
	unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	return c.late < maxLate && left > 0
}

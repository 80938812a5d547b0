// Goroutinesrv is a key-value server with a goroutine per client and one for the db.
//
// Clients' goroutines wait in package net, and the runtime in epoll_wait(2) or
// kevent(2) for them all. Each read costs a round trip on a channel, to the db's.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"ioflavors/respproto"
)

var logged sync.Once            // accept's first error that lasts
var commands = make(chan *conn) // to the goroutine that has db

// A conn is one client. While it has replies to get, it is not read from.
type conn struct {
	sock *net.TCPConn
	session
	until time.Time // when to close, after the last word
	done  chan bool // what was read is answered
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("goroutinesrv: ")
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
	loop(listen(*addr, *proto))
}

// loop serves the clients.
func loop(ln *net.TCPListener) {
	go command()
	for {
		if c := accept(ln); c != nil {
			go c.serve()
		}
	}
}

// command answers what the clients' goroutines have read.
func command() {
	for c := range commands {
		c.answerAll()
		c.done <- true
	}
}

// accept waits for a client.
func accept(ln *net.TCPListener) *conn {
	sock, err := ln.AcceptTCP()
	if err == nil {
		return &conn{sock: sock, session: session{resp: respproto.NewSession(), in: none, out: none}, done: make(chan bool, 1)}
	}
	logged.Do(func() { log.Printf("accept: %v", err) })
	time.Sleep(100 * time.Millisecond) // out of descriptors, or of memory
	return nil
}

// serve serves c until it leaves.
func (c *conn) serve() {
	for c.step() {
	}
	c.resp.Close()
	c.sock.Close()
}

// step takes c one read, its answers and one write further, and reports whether it stays.
func (c *conn) step() bool {
	c.begin()
	defer c.end()
	if !c.more && c.out.Len() == 0 && !c.fill() {
		return false
	}
	commands <- c
	<-c.done
	if c.out.Len() > 0 && !c.flush() {
		return false
	}
	return c.more || c.out.Len() > 0 || !c.eof && (!c.quit || c.lingers())
}

// fill reads once, behind the input that is left.
func (c *conn) fill() bool {
	room := c.in.AvailableBuffer()
	n, err := c.sock.Read(room[:cap(room)])
	if err != nil && err != io.EOF {
		return false
	}
	c.eof = err == io.EOF
	c.in.Write(room[:n])
	return true
}

// flush writes once.
func (c *conn) flush() bool {
	n, err := c.sock.Write(c.out.Bytes()[:min(c.out.Len(), maxOut)])
	if err != nil {
		return false
	}
	c.out.Next(n)
	return true
}

// lingers reports whether c, which has had its last word, still has some time. The client
// is to close first: if we did, what it still sends might cut off replies on their way.
func (c *conn) lingers() bool {
	if c.until.IsZero() {
		c.sock.CloseWrite()
		c.until = time.Now().Add(time.Second)
		c.sock.SetReadDeadline(c.until)
	}
	left := time.Until(c.until)
	return c.late < maxLate && left > 0
}

// listen returns a socket that listens on addr, and says so.
func listen(addr, proto string) *net.TCPListener {
	network := "tcp"
	if host, _, _ := net.SplitHostPort(addr); net.ParseIP(host).To4() != nil {
		network = "tcp4" // or 0.0.0.0 were IPv6 too
	}
	config := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}}
	config.SetMultipathTCP(false)
	ln, err := config.Listen(context.Background(), network, addr)
	if err != nil {
		log.Fatalf("listen %s: %v", addr, cmp.Or(errors.Unwrap(errors.Unwrap(err)), err)) // just what the kernel said
	}
	log.Printf("%s on %s", proto, ln.Addr())
	return ln.(*net.TCPListener)
}

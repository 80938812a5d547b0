// Goroutinesrv is a key-value server with a goroutine per client and one for the dictionary.
//
// A client's goroutine waits in package net, and the runtime waits for all clients in
// epoll_wait(2) or kevent(2). Each turn costs a round trip on a channel.
package main

import (
	"io"
	"log"
	"net"
	"sync"
	"time"
)

var logged sync.Once // lets accept log its first error, and no others
var commands = make(chan *conn)

// A conn is one client. While there are replies to send to it, it is not read from.
type conn struct {
	sock *net.TCPConn
	session
	until time.Time // when to stop waiting for the client to close; zero until the last reply
	done  chan bool // command sends on it when it has answered
}

func main() {
	addr, proto := start("goroutinesrv", "a goroutine per client and one for the dictionary")
	loop(listen(addr, proto))
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

// command owns db. It answers the input of each client that comes through commands.
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
		return &conn{sock: sock, session: newSession(), done: make(chan bool, 1)}
	}
	logged.Do(func() { log.Printf("accept: %v", reason(err)) })
	time.Sleep(100 * time.Millisecond) // out of descriptors, or of memory
	return nil
}

// serve serves c, and closes it once step reports that it is done.
func (c *conn) serve() {
	for c.step() {
	}
	c.close()
}

// close ends the connection.
func (c *conn) close() {
	c.resp.Close()
	c.sock.Close()
}

// step takes a turn: at most one read, the answers, at most one write. False: c is done.
func (c *conn) step() bool {
	c.begin()
	defer c.end()
	if !c.busy() && !c.fill() {
		return false
	}
	commands <- c
	<-c.done
	if c.out.Len() > 0 && !c.flush() {
		return false
	}
	return c.busy() || !c.eof && (!c.quit || c.lingers())
}

// fill reads once, and appends to the input.
func (c *conn) fill() bool {
	room := c.in.AvailableBuffer()
	n, err := c.sock.Read(room[:min(cap(room), maxRead)])
	if err != nil && err != io.EOF {
		return false
	}
	c.eof = err == io.EOF
	c.in.Write(room[:n])
	return true
}

// flush writes once, at most maxOut bytes, and keeps the rest.
func (c *conn) flush() bool {
	n, err := c.sock.Write(c.out.Bytes()[:min(c.out.Len(), maxOut)])
	if err != nil {
		return false
	}
	c.out.Next(n)
	return true
}

// lingers reports whether to go on waiting, after the last reply, for the client to close. If
// we closed first, input on its way would reset the connection, and replies would be lost.
func (c *conn) lingers() bool {
	if c.until.IsZero() {
		c.sock.CloseWrite()
		c.until, c.dropped = time.Now().Add(time.Second), 0
		c.sock.SetReadDeadline(c.until)
	}
	return c.dropped < maxDrop && time.Now().Before(c.until)
}

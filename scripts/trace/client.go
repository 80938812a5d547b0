//go:build linux

package main

import (
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// A client is one end of a connection.
type client struct {
	name   string
	fd     int  // 0 if there is no connection
	paused bool // it reads nothing
	got    int  // bytes, in this event
	ended  bool // in this event, the server has closed the connection
}

// dial connects to a server. Small segments bound what the server's kernel takes for a client
// that reads nothing, and a small buffer bounds what the client's kernel takes.
func (c *client) dial(addr string) {
	to, err := netip.ParseAddrPort(addr)
	check(err)
	c.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(err)
	check(errors.Join(
		unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1<<10),
		unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10),
		unix.Connect(c.fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})))
}

// send sends all of b.
func (c *client) send(b []byte) {
	for len(b) > 0 {
		n, err := unix.Write(c.fd, b)
		check(os.NewSyscallError("write", err))
		b = b[n:]
	}
}

// delivered tells whether the server's kernel has all that was sent.
func (c *client) delivered() bool {
	if c.fd == 0 {
		return true
	}
	n, err := unix.IoctlGetInt(c.fd, unix.TIOCOUTQ)
	check(err)
	return n == 0
}

// read reads to the end, or, with MSG_DONTWAIT, what is there. It returns how much it was.
func (c *client) read(flags int) (n int) {
	b := make([]byte, 1<<20)
	for c.fd != 0 && !c.paused {
		m, _, err := unix.Recvfrom(c.fd, b, flags)
		if err == unix.EAGAIN {
			break
		}
		check(os.NewSyscallError("read", err))
		n, c.got = n+m, c.got+m
		if m == 0 {
			unix.Close(c.fd)
			c.fd, c.ended = 0, true
		}
	}
	return n
}

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
// that reads nothing, and so does a small buffer what the client's kernel takes.
func (c *client) dial(addr string) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	c.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return errors.Join(
		unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1<<10),
		unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<10),
		os.NewSyscallError("connect", unix.Connect(c.fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})))
}

// send sends all of b.
func (c *client) send(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(c.fd, b)
		if err != nil {
			return os.NewSyscallError("write", err)
		}
		b = b[n:]
	}
	return nil
}

// delivered tells whether the server's kernel has all that was sent.
func (c *client) delivered() bool {
	if c.fd == 0 {
		return true
	}
	n, err := unix.IoctlGetInt(c.fd, unix.TIOCOUTQ)
	return err != nil || n == 0
}

// leave speaks the last words, and hangs up as soon as the server has.
func (c *client) leave(words string) error {
	if err := c.send([]byte(words)); err != nil {
		return err
	}
	_, err := c.read(0)
	return err
}

// read reads to the end, or, with MSG_DONTWAIT, what is there.
func (c *client) read(flags int) (n int, err error) {
	b := make([]byte, 1<<20)
	for c.fd != 0 && !c.paused {
		m, _, err := unix.Recvfrom(c.fd, b, flags)
		if err == unix.EAGAIN {
			break
		}
		if err != nil {
			return n, os.NewSyscallError("read", err)
		}
		n += m
		c.got += m
		if m == 0 {
			c.ended = true
			c.close()
		}
	}
	return n, nil
}

func (c *client) close() {
	unix.Close(c.fd)
	c.fd = 0
}

//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

var epoch = time.Now()

// now returns the monotonic time since the start of the program.
func now() time.Duration { return time.Since(epoch) }

// An endpoint is a server.
type endpoint struct {
	name     string        // its address
	patience time.Duration // how long a connection may wait without sending or receiving
}

// cause strips what packages net and os wrap around an error: the rest of the
// message names the call and the address already.
func cause(err error) error {
	var errno unix.Errno
	var timeout net.Error
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &timeout) && timeout.Timeout():
		return silenceError("no answer in the time that -w sets")
	}
	return err
}

func (e endpoint) connectError(err error) error {
	return fmt.Errorf("connect %s: %w", e.name, cause(err))
}

// open connects with package net.
func (e endpoint) open() (patientConn, error) {
	conn, err := net.DialTimeout("tcp", e.name, e.patience)
	if err != nil {
		return patientConn{}, e.connectError(err)
	}
	return patientConn{conn, e.patience}, nil
}

// A patientConn gives up when a read, or a write of each MiB, takes too long.
type patientConn struct {
	net.Conn
	patience time.Duration
}

func (c patientConn) Read(b []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(c.patience))
	return c.Conn.Read(b)
}

func (c patientConn) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		c.SetWriteDeadline(time.Now().Add(c.patience))
		m, err = c.Conn.Write(b[n:min(len(b), n+1<<20)])
		n += m
	}
	return n, err
}

// connect returns a connected socket, which does not block, and the address of
// the server.
func (e endpoint) connect() (fd int, peer unix.Sockaddr, err error) {
	conn, err := e.open()
	if err != nil {
		return -1, nil, err
	}
	defer conn.Close()
	raw, err := conn.Conn.(*net.TCPConn).SyscallConn()
	if err == nil {
		raw.Control(func(original uintptr) { fd, err = unix.Dup(int(original)) })
	}
	if err == nil {
		peer, err = unix.Getpeername(fd)
	}
	if err != nil {
		return -1, nil, e.connectError(err)
	}
	return fd, peer, nil
}

// dial connects to an address without waiting. The socket becomes writable when
// that is done or has failed.
func (e endpoint) dial(sa unix.Sockaddr) (fd int, err error) {
	family := unix.AF_INET6
	if _, ok := sa.(*unix.SockaddrInet4); ok {
		family = unix.AF_INET
	}
	// macOS has no SOCK_NONBLOCK: make the socket, then set its flags.
	fd, err = unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(unix.SetNonblock(fd, true), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	if err == nil {
		err = unix.Connect(fd, sa)
	}
	if err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		unix.Close(fd)
		return -1, e.connectError(err)
	}
	return fd, nil
}

// exchange sends a request on a connection of its own and returns the reply.
func (e endpoint) exchange(p protocol, request []byte) ([]byte, error) {
	conn, err := e.open()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A server may refuse a request before it has read all of it. Then its reply
	// says more than the error of the write.
	_, sendErr := conn.Write(request)
	reply, err := receive(conn, p)
	if err != nil && sendErr != nil {
		err = sendErr
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.name, cause(err))
	}
	return reply, nil
}

// receive reads one reply.
func receive(conn io.Reader, p protocol) ([]byte, error) {
	in := make([]byte, 0, 4096)
	for {
		n, readErr := conn.Read(in[len(in):cap(in)])
		in = in[:len(in)+n]
		n, err := p.length(in)
		switch {
		case err != nil:
			return nil, fmt.Errorf("malformed reply: %w", err)
		case n > 0:
			return in[:n], nil
		case readErr == io.EOF:
			return nil, errors.New("the server closed the connection without a reply")
		case readErr != nil:
			return nil, readErr
		}
		in = slices.Grow(in, max(1, -n))
	}
}

//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a connection may wait without receiving or sending a
// byte. Then the run fails. It is the flag -w.
var patience = 30 * time.Second

var epoch = time.Now()

// now returns the monotonic time since the start of the program.
func now() time.Duration { return time.Since(epoch) }

// An endpoint is the address of a server.
type endpoint struct {
	name   string // for messages and package net
	family int
	sa     unix.Sockaddr
}

// resolve finds the address of a host, IPv4 first. An IPv6 zone is an interface.
func resolve(host string, port int) (endpoint, error) {
	addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return endpoint{}, fmt.Errorf("resolve %s: %w", host, cause(err))
	}
	if ip := addr.IP.To4(); ip != nil {
		sa := &unix.SockaddrInet4{Port: port, Addr: [4]byte(ip)}
		return endpoint{addr.String(), unix.AF_INET, sa}, nil
	}
	sa := &unix.SockaddrInet6{Port: port, Addr: [16]byte(addr.IP)}
	if addr.Zone != "" {
		zone, err := net.InterfaceByName(addr.Zone)
		if err != nil {
			return endpoint{}, fmt.Errorf("resolve %s: %w", host, cause(err))
		}
		sa.ZoneId = uint32(zone.Index)
	}
	return endpoint{addr.String(), unix.AF_INET6, sa}, nil
}

// cause strips what package net wraps around an error: the rest of the message
// names the call and the address already.
func cause(err error) error {
	var errno unix.Errno
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &dns):
		return errors.New(dns.Err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout()
	}
	return err
}

// silenceError says that there was nothing to hear for as long as patience.
type silenceError string

func (e silenceError) Error() string { return string(e) }

func errTimeout() error { return silenceError(fmt.Sprintf("no answer for %v", patience)) }

// dial returns a non-blocking socket that is connected or, if it is not yet, is
// writable as soon as that is decided. Then connected tells.
func dial(e endpoint) (fd int, err error) {
	// macOS has no SOCK_NONBLOCK: make the socket, then set its flags.
	fd, err = unix.Socket(e.family, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	unix.CloseOnExec(fd)
	err = unix.SetNonblock(fd, true)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = unix.Connect(fd, e.sa)
	}
	if err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		unix.Close(fd)
		return -1, connectError(e, err)
	}
	return fd, nil
}

// connected returns why the connect of a socket failed that is writable now.
func connected(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	return err
}

func connectError(e endpoint, err error) error {
	return fmt.Errorf("connect %s: %w", e.name, err)
}

// connect dials and waits.
func connect(e endpoint) (fd int, err error) {
	fd, err = dial(e)
	if err != nil {
		return -1, err
	}
	err = awaitWritable(fd)
	if err == nil {
		err = connected(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, connectError(e, err)
	}
	return fd, nil
}

// awaitWritable waits for one socket, but not longer than patience.
func awaitWritable(fd int) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	deadline := now() + patience
	for left := patience; left > 0; left = deadline - now() {
		n, err := unix.Poll(fds, milliseconds(left))
		if err != nil && err != unix.EINTR {
			return err
		}
		if n > 0 {
			return nil
		}
	}
	return errTimeout()
}

// milliseconds rounds up, so that Poll never spins on a rest below one.
func milliseconds(d time.Duration) int {
	return int((d + time.Millisecond - 1) / time.Millisecond)
}

// A socket is one connection in a loop.
type socket struct {
	fd    int
	slot  int           // index in the loop
	heard time.Duration // when it last began to wait, or sent or received
}

// A member is a connection and what to do with it. An error ends the loop.
type member interface {
	socket() *socket
	ready(events int16) error
}

// A loop waits for all its members with poll, which every Unix has. A call costs
// some 80 ns for each member, ready or not. At 1,000 members that is still little
// beside the reads and writes, as a busy server makes many ready at a time.
type loop struct {
	fds     []unix.PollFd // fds[i] is the socket of members[i]
	members []member
	onTick  func() error // called a few times a second; an error ends the loop

	// If it is set, onWait is called before each wait, and says how long that may be.
	onWait func() time.Duration
}

const tick = 250 * time.Millisecond

// add makes the loop wait for events on the socket of m.
func (l *loop) add(m member, events int16) {
	s := m.socket()
	s.slot = len(l.fds)
	s.heard = now()
	l.fds = append(l.fds, unix.PollFd{Fd: int32(s.fd), Events: events})
	l.members = append(l.members, m)
}

// await changes the events that the loop waits for.
func (l *loop) await(s *socket, events int16) { l.fds[s.slot].Events = events }

// remove closes the socket of m.
func (l *loop) remove(m member) {
	unix.Close(m.socket().fd)
	l.detach(m)
}

// detach takes m out of the loop: the last member moves to its place.
func (l *loop) detach(m member) {
	s := m.socket()
	last := len(l.fds) - 1
	l.fds[s.slot] = l.fds[last]
	l.members[s.slot] = l.members[last]
	l.members[s.slot].socket().slot = s.slot
	l.fds, l.members = l.fds[:last], l.members[:last]
}

// run serves the members until none is left.
func (l *loop) run() error {
	pause := min(tick, patience)
	nextTick := now() + pause
	for {
		wait := pause
		if l.onWait != nil {
			wait = min(wait, l.onWait())
		}
		if len(l.fds) == 0 {
			return nil
		}
		n, err := unix.Poll(l.fds, milliseconds(wait))
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("poll: %w", err)
		}
		if err := l.serve(n); err != nil {
			return err
		}
		t := now()
		if t < nextTick {
			continue
		}
		nextTick = t + pause
		if err := l.onTick(); err != nil {
			return err
		}
	}
}

// serve calls the n members that have events. It goes backwards: a member that
// leaves is replaced by one that has had its turn.
func (l *loop) serve(n int) error {
	for i := len(l.fds) - 1; i >= 0 && n > 0; i-- {
		events := l.fds[i].Revents
		if events == 0 {
			continue
		}
		n--
		if err := l.members[i].ready(events); err != nil {
			return err
		}
	}
	return nil
}

// silent returns how many members have waited longer than patience.
func (l *loop) silent() int {
	n := 0
	limit := now() - patience
	for _, m := range l.members {
		if m.socket().heard <= limit {
			n++
		}
	}
	return n
}

// close closes all sockets, after a run that failed.
func (l *loop) close() {
	for len(l.members) > 0 {
		l.remove(l.members[0])
	}
}

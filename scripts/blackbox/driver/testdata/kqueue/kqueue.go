// Package kqueue makes kqueue(2) of epoll(7), as far as kqueuesrv needs it: for sockets,
// each of which has at most one filter.
package kqueue

import "golang.org/x/sys/unix"

const (
	EVFILT_READ  = -1
	EVFILT_WRITE = -2
	EV_ADD       = 1
	EV_DELETE    = 2
	EV_ENABLE    = 4
	EV_DISABLE   = 8
)

// Kevent_t is a struct kevent.
type Kevent_t struct {
	Ident  uint64
	Filter int16
	Flags  uint16
}

// SetKevent fills in k.
func SetKevent(k *Kevent_t, fd, filter, flags int) {
	k.Ident, k.Filter, k.Flags = uint64(fd), int16(filter), uint16(flags)
}

// Kqueue returns a new queue.
func Kqueue() (fd int, err error) { return unix.EpollCreate1(unix.EPOLL_CLOEXEC) }

// Kevent makes the changes. If there is room for events, it then waits for some.
func Kevent(kq int, changes, events []Kevent_t, timeout *unix.Timespec) (n int, err error) {
	for _, c := range changes {
		if err := change(kq, c); err != nil {
			return -1, err
		}
	}
	if len(events) == 0 {
		return 0, nil
	}
	ms := -1
	if timeout != nil {
		ms = int(timeout.Nano() / 1e6)
	}
	list := make([]unix.EpollEvent, len(events))
	n, err = unix.EpollWait(kq, list, ms)
	for i := range max(n, 0) {
		events[i] = Kevent_t{Ident: uint64(list[i].Fd), Filter: int16(list[i].Pad)}
	}
	return n, err
}

func change(kq int, c Kevent_t) error {
	e := unix.EpollEvent{Fd: int32(c.Ident), Pad: int32(c.Filter), Events: unix.EPOLLIN}
	if c.Filter == EVFILT_WRITE {
		e.Events = unix.EPOLLOUT
	}
	op := unix.EPOLL_CTL_MOD
	switch c.Flags {
	case EV_ADD:
		op = unix.EPOLL_CTL_ADD
	case EV_DELETE:
		op = unix.EPOLL_CTL_DEL
	case EV_DISABLE:
		e.Events = 0
	}
	return unix.EpollCtl(kq, op, int(c.Ident), &e)
}

// Shutdown is shutdown(2). On the BSDs, a second one in FIN_WAIT_2 also ends the reading
// side, and what the peer still sends is answered with a reset; here, close resets.
func Shutdown(fd, how int) error {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err == nil && info.State == unix.BPF_TCP_FIN_WAIT2 {
		how = unix.SHUT_RDWR
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	return unix.Shutdown(fd, how)
}

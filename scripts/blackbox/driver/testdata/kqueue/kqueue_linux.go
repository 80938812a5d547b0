//go:build linux

package unix

// kqueue and kevent for sockets, made of epoll, so that a kqueue server can be
// tested on Linux. Types, constants and functions are those of FreeBSD and
// macOS. Source: kqueue(2) of FreeBSD and, where it is silent, its kernel.
//
// Refused with EINVAL: descriptors that are not sockets, filters other than
// EVFILT_READ and EVFILT_WRITE, EV_DISPATCH and NOTE_LOWAT; and both events for a
// socket that has one with EV_CLEAR, which epoll knows of sockets only.
//
// What differs from the BSD kernels:
//   - A socket in error has ECONNRESET in fflags, whatever the error. Linux
//     tells which only by clearing it, and read must still find it, as on BSD.
//   - shutdown(SHUT_WR) on this side does not set EV_EOF on EVFILT_WRITE.
//   - A socket that neither was connected nor listens reports EV_EOF.
//   - close removes the events of a socket only if no other descriptor (dup,
//     fork) refers to that socket.
//   - Timeouts are rounded up to the millisecond.

import (
	"math"
	"sync"
	"time"
)

// Filters and flags, with the values of FreeBSD.
const (
	EVFILT_READ  = -0x1
	EVFILT_WRITE = -0x2

	EV_ADD      = 0x1
	EV_DELETE   = 0x2
	EV_ENABLE   = 0x4
	EV_DISABLE  = 0x8
	EV_ONESHOT  = 0x10
	EV_CLEAR    = 0x20
	EV_RECEIPT  = 0x40
	EV_DISPATCH = 0x80
	EV_SYSFLAGS = 0xf000
	EV_ERROR    = 0x4000
	EV_EOF      = 0x8000

	NOTE_LOWAT = 0x1
)

// Kevent_t is struct kevent, laid out as on macOS (FreeBSD adds ext at the end).
type Kevent_t struct {
	Ident  uint64
	Filter int16
	Flags  uint16
	Fflags uint32
	Data   int64
	Udata  *byte
}

// SetKevent sets ident, filter and flags of k and leaves its other fields alone.
func SetKevent(k *Kevent_t, fd, mode, flags int) {
	k.Ident = uint64(fd)
	k.Filter = int16(mode)
	k.Flags = uint16(flags)
}

// A kqueue is an epoll descriptor and the events registered with it.
type kqueue struct {
	epfd  int
	mu    sync.Mutex // guards what follows; not held in epoll_wait
	socks map[int]kqSock
	added int32
}

// A kqSock is a socket known to epoll, with one or both of its events.
type kqSock struct {
	id    int32     // comes back from epoll, so that an earlier socket of this number is not taken for it
	notes [2]kqNote // of EVFILT_READ, of EVFILT_WRITE
	turn  int       // the one to report first, so that neither starves when only one fits
}

type kqNote struct {
	added, enabled bool
	flags          uint16
	udata          *byte
}

var (
	kqueuesMu sync.Mutex
	kqueues   = map[int]*kqueue{}
)

// Kqueue returns the descriptor of a new queue. Its errors are those of
// epoll_create1.
func Kqueue() (fd int, err error) {
	fd, err = EpollCreate1(EPOLL_CLOEXEC)
	if err != nil {
		return -1, err
	}
	kqueuesMu.Lock()
	defer kqueuesMu.Unlock()
	kqueues[fd] = &kqueue{epfd: fd, socks: map[int]kqSock{}}
	return fd, nil
}

// Kevent applies changes, then waits until it can store events: for ever if
// timeout is nil, not at all if there is no room for events. It returns how many
// it stored, 0 after the timeout, or -1 and the error.
//
// A change that fails is stored as an event with EV_ERROR and the errno in Data;
// without room for it, Kevent ends with that error. EV_RECEIPT stores one, with
// errno 0, for a change that succeeds. If it stored any such event, Kevent
// returns without waiting. EINTR leaves the changes applied.
func Kevent(kq int, changes, events []Kevent_t, timeout *Timespec) (n int, err error) {
	kqueuesMu.Lock()
	q := kqueues[kq]
	kqueuesMu.Unlock()
	if _, err := FcntlInt(uintptr(kq), F_GETFD, 0); err != nil || q == nil {
		return -1, EBADF
	}
	for _, c := range changes {
		errno, _ := q.change(c).(Errno)
		if errno == 0 && c.Flags&EV_RECEIPT == 0 {
			continue
		}
		if n == len(events) && errno != 0 {
			return -1, errno
		}
		if n == len(events) {
			return n, nil
		}
		c.Flags, c.Data = EV_ERROR, int64(errno)
		events[n] = c
		n++
	}
	if n > 0 || len(events) == 0 {
		return n, nil
	}
	return q.wait(events, timeout)
}

// change applies one change.
func (q *kqueue) change(c Kevent_t) error {
	const kept = EV_ONESHOT | EV_RECEIPT | EV_CLEAR
	const known = EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | kept
	fd, which, flags := int(c.Ident), EVFILT_READ-int(c.Filter), c.Flags&^EV_SYSFLAGS
	switch {
	case which != 0 && which != 1, flags&^known != 0, c.Fflags&NOTE_LOWAT != 0:
		return EINVAL
	case flags&EV_ENABLE != 0 && flags&EV_DISABLE != 0:
		return EINVAL
	case c.Ident > math.MaxInt32:
		return EBADF
	}
	if _, err := GetsockoptInt(fd, SOL_SOCKET, SO_TYPE); err == ENOTSOCK {
		return EINVAL
	} else if err != nil {
		return err
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	s, ok := q.socks[fd]
	if ok && q.control(EPOLL_CTL_MOD, fd, s) != nil {
		// Closed since, and so forgotten by epoll: this is another socket.
		delete(q.socks, fd)
		s = kqSock{}
	}
	note := &s.notes[which]
	if !note.added && flags&EV_ADD == 0 {
		return ENOENT
	}
	if other := s.notes[1-which]; other.added && (other.flags|note.flags|flags)&EV_CLEAR != 0 {
		return EINVAL
	}
	if !note.added {
		*note = kqNote{added: true, enabled: true, flags: flags & kept}
	}
	note.udata = c.Udata
	switch {
	case flags&EV_DELETE != 0:
		*note = kqNote{}
	case flags&EV_DISABLE != 0:
		note.enabled = false
	case flags&EV_ENABLE != 0: // EV_ADD alone leaves a disabled event disabled
		note.enabled = true
	}
	return q.store(fd, s)
}

// store makes s what is known about fd, here and in epoll.
func (q *kqueue) store(fd int, s kqSock) error {
	op := EPOLL_CTL_MOD
	if _, ok := q.socks[fd]; !ok {
		op = EPOLL_CTL_ADD
		q.added++
		s.id = q.added
	}
	if !s.notes[0].added && !s.notes[1].added {
		delete(q.socks, fd)
		return q.control(EPOLL_CTL_DEL, fd, s)
	}
	if err := q.control(op, fd, s); err != nil {
		return err
	}
	q.socks[fd] = s
	return nil
}

// control has epoll watch fd for the enabled events of s.
func (q *kqueue) control(op, fd int, s kqSock) error {
	ev := EpollEvent{Fd: int32(fd), Pad: s.id}
	if s.notes[0].enabled {
		ev.Events |= EPOLLIN | EPOLLRDHUP
	}
	if s.notes[1].enabled {
		ev.Events |= EPOLLOUT
	}
	if (s.notes[0].flags|s.notes[1].flags)&EV_CLEAR != 0 {
		ev.Events |= EPOLLET
	}
	if ev.Events == 0 {
		ev.Events = EPOLLET // EPOLLHUP comes even so, but once, and does not spin wait
	}
	for {
		// Only EPOLL_CTL_ADD needs memory, as only EV_ADD does. A fault that a tracer
		// injects in the others is none that a BSD kernel has.
		err := EpollCtl(q.epfd, op, fd, &ev)
		if op == EPOLL_CTL_ADD || err != ENOSPC {
			return err
		}
	}
}

// Shutdown is shutdown(2). On the BSDs, a second SHUT_WR in FIN_WAIT_2 ends the
// reading side as well, and what the peer still sends is answered with a reset; here,
// close resets.
func Shutdown(fd, how int) error {
	info, err := GetsockoptTCPInfo(fd, IPPROTO_TCP, TCP_INFO)
	if err == nil && info.State == BPF_TCP_FIN_WAIT2 && how == SHUT_WR {
		how = SHUT_RDWR
		SetsockoptLinger(fd, SOL_SOCKET, SO_LINGER, &Linger{Onoff: 1})
	}
	return linuxShutdown(fd, how)
}

// wait stores what is ready in events, which has room for one at least.
func (q *kqueue) wait(events []Kevent_t, timeout *Timespec) (int, error) {
	const forever = time.Duration(1 << 62) // 146 years
	left := forever
	if t := timeout; t != nil {
		if t.Sec < 0 || t.Nsec < 0 || t.Nsec >= 1e9 {
			return -1, EINVAL
		}
		if t.Sec <= math.MaxInt32 {
			left = time.Duration(t.Nano())
		}
	}
	raw := make([]EpollEvent, len(events))
	for start := time.Now(); ; {
		ms := (left - time.Since(start) + time.Millisecond - 1) / time.Millisecond
		ms = min(max(ms, 0), math.MaxInt32)
		n, err := EpollWait(q.epfd, raw, int(ms))
		if err != nil {
			return -1, err
		}
		if n = q.translate(raw[:n], events); n > 0 || ms == 0 {
			return n, nil
		}
	}
}

// translate turns epoll's events into kqueue's. Each socket gets one before any
// gets its second; what finds no room is still ready at the next call.
func (q *kqueue) translate(raw []EpollEvent, events []Kevent_t) (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, second := range []bool{false, true} {
		for _, r := range raw {
			fd := int(r.Fd)
			s, ok := q.socks[fd]
			if !ok || s.id != r.Pad {
				continue
			}
			which := s.turn
			if !second && !s.ready(which, r.Events) {
				which = 1 - which
			}
			if n == len(events) || !s.ready(which, r.Events) {
				continue
			}
			events[n] = s.report(fd, which, r.Events)
			n++
			s.turn = 1 - which
			q.socks[fd] = s
			if s.notes[which].flags&EV_ONESHOT != 0 {
				s.notes[which] = kqNote{}
				q.store(fd, s) // fails only if fd has been closed, and its events with it
			}
		}
	}
	return n
}

// ready tells whether the event is enabled and has happened.
func (s *kqSock) ready(which int, happened uint32) bool {
	wanted := [2]uint32{EPOLLIN | EPOLLRDHUP, EPOLLOUT}[which]
	return s.notes[which].enabled && happened&(wanted|EPOLLHUP|EPOLLERR) != 0
}

// report returns the event for the caller of Kevent.
func (s *kqSock) report(fd, which int, happened uint32) Kevent_t {
	k := Kevent_t{
		Ident:  uint64(fd),
		Filter: int16(EVFILT_READ - which),
		Flags:  s.notes[which].flags,
		Udata:  s.notes[which].udata,
	}
	var eof bool
	if which == 0 {
		k.Data = readable(fd)
		eof = happened&(EPOLLRDHUP|EPOLLHUP) != 0
	} else {
		k.Data = writable(fd)
		eof = happened&EPOLLHUP != 0
	}
	if eof {
		k.Flags |= EV_EOF
	}
	if eof && happened&EPOLLERR != 0 {
		k.Fflags = uint32(ECONNRESET)
	}
	return k
}

// readable returns how many bytes can be read, or connections accepted.
func readable(fd int) int64 {
	if listens, _ := GetsockoptInt(fd, SOL_SOCKET, SO_ACCEPTCONN); listens == 0 {
		n, _ := IoctlGetUint32(fd, SIOCINQ)
		return int64(n)
	}
	if info, err := GetsockoptTCPInfo(fd, IPPROTO_TCP, TCP_INFO); err == nil {
		return max(1, int64(info.Unacked)) // of a listening socket, the backlog in use
	}
	return 1 // not TCP: the backlog cannot be asked for
}

// writable returns the free bytes in the send buffer, 1 at the least.
func writable(fd int) int64 {
	size, _ := GetsockoptInt(fd, SOL_SOCKET, SO_SNDBUF)
	used, _ := IoctlGetUint32(fd, SIOCOUTQ)
	return max(1, int64(size)-int64(used))
}

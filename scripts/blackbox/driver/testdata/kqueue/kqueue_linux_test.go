package unix_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// The signatures of the BSDs.
var (
	_ func() (int, error)                                                      = unix.Kqueue
	_ func(int, []unix.Kevent_t, []unix.Kevent_t, *unix.Timespec) (int, error) = unix.Kevent
	_ func(*unix.Kevent_t, int, int, int)                                      = unix.SetKevent
)

const (
	read  = unix.EVFILT_READ
	write = unix.EVFILT_WRITE
)

var noWait = &unix.Timespec{}

// An event is a Kevent_t in words, for diffs. The exact space in a send buffer is
// the kernel's affair: Data of a write event is 1 if it is above 0.
type event struct {
	Fd     int
	Filter int16
	Flags  string
	Fflags unix.Errno
	Data   int64
}

func describe(k unix.Kevent_t) event {
	if k.Filter == write && k.Flags&unix.EV_ERROR == 0 && k.Data > 0 {
		k.Data = 1
	}
	var flags []string
	for _, f := range []struct {
		bit  uint16
		name string
	}{{unix.EV_ONESHOT, "ONESHOT"}, {unix.EV_CLEAR, "CLEAR"}, {unix.EV_RECEIPT, "RECEIPT"}, {unix.EV_ERROR, "ERROR"}, {unix.EV_EOF, "EOF"}} {
		if k.Flags&f.bit != 0 {
			flags = append(flags, f.name)
			k.Flags &^= f.bit
		}
	}
	if k.Flags != 0 {
		flags = append(flags, fmt.Sprintf("%#x", k.Flags))
	}
	return event{int(k.Ident), k.Filter, strings.Join(flags, "|"), unix.Errno(k.Fflags), k.Data}
}

// change returns one change, or one event to compare with.
func change(fd, filter, flags int) unix.Kevent_t {
	var k unix.Kevent_t
	unix.SetKevent(&k, fd, filter, flags)
	return k
}

func newKqueue(t *testing.T) int {
	t.Helper()
	kq, err := unix.Kqueue()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(kq) })
	return kq
}

// apply makes changes that must succeed.
func apply(t *testing.T, kq int, changes ...unix.Kevent_t) {
	t.Helper()
	if n, err := unix.Kevent(kq, changes, nil, nil); n != 0 || err != nil {
		t.Fatalf("Kevent with changes only = %d, %v; want 0, nil", n, err)
	}
}

// refuse makes a change that must fail with want.
func refuse(t *testing.T, kq int, c unix.Kevent_t, want unix.Errno) {
	t.Helper()
	if n, err := unix.Kevent(kq, []unix.Kevent_t{c}, nil, nil); n != -1 || err != want {
		t.Fatalf("Kevent(%+v) = %d, %v; want -1, %v", c, n, err, want)
	}
}

// wait returns what Kevent stores in a list with this room, EINTR apart. Any
// goroutine may call it.
func wait(t *testing.T, kq, room int, timeout *unix.Timespec) []unix.Kevent_t {
	t.Helper()
	events := make([]unix.Kevent_t, room)
	for {
		n, err := unix.Kevent(kq, nil, events, timeout)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			t.Error(err)
			return nil
		}
		return events[:n]
	}
}

// poll returns the events that are there now, by fd and filter.
func poll(t *testing.T, kq int) []event {
	t.Helper()
	var got []event
	for _, k := range wait(t, kq, 64, noWait) {
		got = append(got, describe(k))
	}
	slices.SortFunc(got, func(a, b event) int {
		if a.Fd != b.Fd {
			return a.Fd - b.Fd
		}
		return int(b.Filter) - int(a.Filter)
	})
	return got
}

// expect wants exactly these events, by fd and filter, and gives the network
// 5 seconds to bring them about.
func expect(t *testing.T, kq int, want ...event) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		diff := cmp.Diff(want, poll(t, kq))
		if diff == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("events (-want +got):\n%s", diff)
		}
	}
}

func send(t *testing.T, fd int, data string) {
	t.Helper()
	if n, err := unix.Write(fd, []byte(data)); n != len(data) || err != nil {
		t.Fatalf("write = %d, %v", n, err)
	}
}

func receive(t *testing.T, fd int, want string) {
	t.Helper()
	buf := make([]byte, len(want)+1)
	n, err := unix.Read(fd, buf)
	if err != nil || string(buf[:max(n, 0)]) != want {
		t.Fatalf("read = %q, %v; want %q", buf[:max(n, 0)], err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// closeAtEnd closes fd after the test; one closed by the test itself must not be
// given to it, for its number may be another socket's by then.
func closeAtEnd(t *testing.T, fd int) { t.Cleanup(func() { unix.Close(fd) }) }

// unixPair and tcpPair return two ends of a connection. The test must close b.
func unixPair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	closeAtEnd(t, fds[0])
	return fds[0], fds[1]
}

func tcpPair(t *testing.T) (a, b int) {
	t.Helper()
	lfd, addr := listen(t)
	b = connect(t, addr)
	a, _, err := unix.Accept4(lfd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	must(t, err)
	closeAtEnd(t, a)
	return a, b
}

// pair is unixPair with both ends closed after the test.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	a, b = unixPair(t)
	closeAtEnd(t, b)
	return a, b
}

func listen(t *testing.T) (lfd int, addr unix.Sockaddr) {
	t.Helper()
	lfd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	closeAtEnd(t, lfd)
	must(t, unix.Bind(lfd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, unix.Listen(lfd, 16))
	addr, err = unix.Getsockname(lfd)
	must(t, err)
	return lfd, addr
}

func connect(t *testing.T, addr unix.Sockaddr) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.Connect(fd, addr))
	return fd
}

// eachPair runs a test on both kinds of connection.
func eachPair(t *testing.T, test func(t *testing.T, a, b int)) {
	for name, pair := range map[string]func(*testing.T) (int, int){"unix": unixPair, "tcp": tcpPair} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			test(t, a, b)
		})
	}
}

func TestConstantsAreThoseOfTheBSDs(t *testing.T) {
	ours := map[string]int64{
		"EVFILT_READ": unix.EVFILT_READ, "EVFILT_WRITE": unix.EVFILT_WRITE,
		"EV_ADD": unix.EV_ADD, "EV_DELETE": unix.EV_DELETE, "EV_ENABLE": unix.EV_ENABLE,
		"EV_DISABLE": unix.EV_DISABLE, "EV_ONESHOT": unix.EV_ONESHOT, "EV_CLEAR": unix.EV_CLEAR,
		"EV_RECEIPT": unix.EV_RECEIPT, "EV_DISPATCH": unix.EV_DISPATCH, "EV_SYSFLAGS": unix.EV_SYSFLAGS,
		"EV_ERROR": unix.EV_ERROR, "EV_EOF": unix.EV_EOF, "NOTE_LOWAT": unix.NOTE_LOWAT,
	}
	for _, file := range []string{"zerrors_freebsd_amd64.go", "zerrors_darwin_arm64.go"} {
		text, err := os.ReadFile(file)
		must(t, err)
		theirs := map[string]int64{}
		for _, m := range regexp.MustCompile(`(?m)^\s+(\w+)\s+= (-?0x[0-9a-f]+)$`).FindAllStringSubmatch(string(text), -1) {
			if _, ok := ours[m[1]]; ok {
				theirs[m[1]], err = strconv.ParseInt(m[2], 0, 64)
				must(t, err)
			}
		}
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Errorf("%s (-theirs +ours):\n%s", file, diff)
		}
	}
}

func TestKeventIsThatOfMacOS(t *testing.T) {
	text, err := os.ReadFile("ztypes_darwin_arm64.go")
	must(t, err)
	m := regexp.MustCompile(`(?s)type Kevent_t struct \{\n(.*?)\}`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatal("no Kevent_t")
	}
	var ours []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[unix.Kevent_t]()) {
		ours = append(ours, f.Name, strings.Replace(f.Type.String(), "uint8", "byte", 1))
	}
	if diff := cmp.Diff(strings.Fields(m[1]), ours); diff != "" {
		t.Errorf("fields (-theirs +ours):\n%s", diff)
	}
}

func TestSetKevent(t *testing.T) {
	u := new(byte)
	got := unix.Kevent_t{Fflags: 1, Data: 2, Udata: u}
	unix.SetKevent(&got, 7, write, unix.EV_ADD|unix.EV_ONESHOT)
	want := unix.Kevent_t{Ident: 7, Filter: -2, Flags: 0x11, Fflags: 1, Data: 2, Udata: u}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReadIsLevelTriggeredAndCountsBytes(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b int) {
		closeAtEnd(t, b)
		kq := newKqueue(t)
		apply(t, kq, change(a, read, unix.EV_ADD))
		expect(t, kq)
		send(t, b, "hello")
		expect(t, kq, event{Fd: a, Filter: read, Data: 5})
		send(t, b, "you")
		expect(t, kq, event{Fd: a, Filter: read, Data: 8})
		expect(t, kq, event{Fd: a, Filter: read, Data: 8})
		receive(t, a, "helloyou")
		expect(t, kq)
	})
}

func TestDatagramsAreReported(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	closeAtEnd(t, fds[0])
	closeAtEnd(t, fds[1])
	kq := newKqueue(t)
	apply(t, kq, change(fds[0], read, unix.EV_ADD))
	send(t, fds[1], "hello")
	expect(t, kq, event{Fd: fds[0], Filter: read, Data: 5})
}

// TestErrorWithoutEOF has a datagram socket learn that nobody is at the other end.
func TestErrorWithoutEOF(t *testing.T) {
	var fds [2]int
	for i := range fds {
		var err error
		fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Bind(fds[i], &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	}
	closeAtEnd(t, fds[0])
	addr, err := unix.Getsockname(fds[1])
	must(t, err)
	must(t, unix.Connect(fds[0], addr))
	must(t, unix.Close(fds[1]))
	kq := newKqueue(t)
	apply(t, kq, change(fds[0], read, unix.EV_ADD))
	expect(t, kq)
	send(t, fds[0], "hello")
	expect(t, kq, event{Fd: fds[0], Filter: read})
	if n, err := unix.Read(fds[0], make([]byte, 1)); err != unix.ECONNREFUSED {
		t.Errorf("read = %d, %v; want %v", n, err, unix.ECONNREFUSED)
	}
	expect(t, kq)
}

func TestEOFComesWithUnreadData(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b int) {
		closeAtEnd(t, b)
		kq := newKqueue(t)
		apply(t, kq, change(a, read, unix.EV_ADD), change(a, write, unix.EV_ADD))
		send(t, b, "hello")
		must(t, unix.Shutdown(b, unix.SHUT_WR))
		writable := event{Fd: a, Filter: write, Data: 1} // the peer still reads
		expect(t, kq, event{Fd: a, Filter: read, Flags: "EOF", Data: 5}, writable)
		receive(t, a, "hello")
		for range 3 {
			expect(t, kq, event{Fd: a, Filter: read, Flags: "EOF"}, writable)
		}
	})
}

// TestSecondShutdownEndsReading does what the BSDs do in FIN_WAIT_2.
func TestSecondShutdownEndsReading(t *testing.T) {
	a, b := tcpPair(t)
	closeAtEnd(t, b)
	kq := newKqueue(t)
	apply(t, kq, change(a, read, unix.EV_ADD))
	must(t, unix.Shutdown(a, unix.SHUT_WR))
	receive(t, b, "")
	for state := uint8(0); state != unix.BPF_TCP_FIN_WAIT2; { // the peer has the FIN
		info, err := unix.GetsockoptTCPInfo(a, unix.IPPROTO_TCP, unix.TCP_INFO)
		must(t, err)
		state = info.State
	}
	expect(t, kq)
	send(t, b, "hello")
	expect(t, kq, event{Fd: a, Filter: read, Data: 5})
	must(t, unix.Shutdown(a, unix.SHUT_WR))
	expect(t, kq, event{Fd: a, Filter: read, Flags: "EOF", Data: 5})
	receive(t, a, "hello")
	receive(t, a, "")
	expect(t, kq, event{Fd: a, Filter: read, Flags: "EOF"})
	must(t, unix.Dup2(b, a)) // closes a
	if n, err := unix.Write(b, []byte("hello")); err == nil {
		t.Errorf("the peer can write %d bytes; want a reset", n)
	}
}

// TestSecondShutdownElsewhere has no other state in which it does anything.
func TestSecondShutdownElsewhere(t *testing.T) {
	a, b := unixPair(t)
	closeAtEnd(t, b)
	kq := newKqueue(t)
	apply(t, kq, change(a, read, unix.EV_ADD))
	must(t, unix.Shutdown(a, unix.SHUT_WR))
	must(t, unix.Shutdown(a, unix.SHUT_WR))
	expect(t, kq)
	send(t, b, "hello")
	receive(t, a, "hello")
}

func TestWriteHasEOFWhenThePeerIsGone(t *testing.T) {
	a, b := unixPair(t)
	kq := newKqueue(t)
	apply(t, kq, change(a, write, unix.EV_ADD))
	expect(t, kq, event{Fd: a, Filter: write, Data: 1})
	must(t, unix.Close(b))
	expect(t, kq, event{Fd: a, Filter: write, Flags: "EOF", Data: 1})
}

func TestResetIsReportedAndLeftForRead(t *testing.T) {
	for _, unread := range []string{"", "hello"} {
		t.Run("unread "+unread, func(t *testing.T) {
			a, b := tcpPair(t)
			kq := newKqueue(t)
			apply(t, kq, change(a, read, unix.EV_ADD), change(a, write, unix.EV_ADD))
			send(t, b, unread)
			must(t, unix.SetsockoptLinger(b, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
			must(t, unix.Close(b))
			reset := unix.ECONNRESET
			expect(t, kq,
				event{Fd: a, Filter: read, Flags: "EOF", Fflags: reset, Data: int64(len(unread))},
				event{Fd: a, Filter: write, Flags: "EOF", Fflags: reset, Data: 1})
			if unread != "" {
				receive(t, a, unread)
			}
			if n, err := unix.Read(a, make([]byte, 1)); err != reset {
				t.Fatalf("read = %d, %v; want %v", n, err, reset)
			}
			expect(t, kq,
				event{Fd: a, Filter: read, Flags: "EOF"},
				event{Fd: a, Filter: write, Flags: "EOF", Data: 1})
		})
	}
}

func TestListeningSocketCountsItsBacklog(t *testing.T) {
	lfd, addr := listen(t)
	kq := newKqueue(t)
	apply(t, kq, change(lfd, read, unix.EV_ADD))
	expect(t, kq)
	for range 3 {
		closeAtEnd(t, connect(t, addr))
	}
	for backlog := 3; backlog > 0; backlog-- {
		expect(t, kq, event{Fd: lfd, Filter: read, Data: int64(backlog)})
		fd, _, err := unix.Accept4(lfd, unix.SOCK_CLOEXEC)
		must(t, err)
		closeAtEnd(t, fd)
	}
	expect(t, kq)
}

func TestListeningUnixSocketHasOneAtLeast(t *testing.T) {
	addr := &unix.SockaddrUnix{Name: t.TempDir() + "/s"}
	fds := [2]int{}
	for i := range fds {
		var err error
		fds[i], err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		closeAtEnd(t, fds[i])
	}
	must(t, unix.Bind(fds[0], addr))
	must(t, unix.Listen(fds[0], 4))
	kq := newKqueue(t)
	apply(t, kq, change(fds[0], read, unix.EV_ADD))
	must(t, unix.Connect(fds[1], addr))
	expect(t, kq, event{Fd: fds[0], Filter: read, Data: 1})
}

func TestWriteFollowsTheSendBuffer(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b int) {
		closeAtEnd(t, b)
		must(t, unix.SetNonblock(b, true))
		kq := newKqueue(t)
		apply(t, kq, change(a, write, unix.EV_ADD))
		expect(t, kq, event{Fd: a, Filter: write, Data: 1})
		buf := make([]byte, 1<<16)
		fill := func() {
			for {
				if _, err := unix.Write(a, buf); err != nil {
					return
				}
			}
		}
		for fill(); len(poll(t, kq)) > 0; time.Sleep(time.Millisecond) {
			fill() // TCP moves data to the peer meanwhile
		}
		for {
			if n, _ := unix.Read(b, buf); n <= 0 && len(poll(t, kq)) > 0 {
				break
			}
		}
		expect(t, kq, event{Fd: a, Filter: write, Data: 1})
	})
}

func TestWriteCountsTheFreeSpace(t *testing.T) {
	a, b := pair(t)
	size, err := unix.GetsockoptInt(a, unix.SOL_SOCKET, unix.SO_SNDBUF)
	must(t, err)
	kq := newKqueue(t)
	apply(t, kq, change(a, write, unix.EV_ADD))
	if got := wait(t, kq, 1, nil)[0].Data; got != int64(size) {
		t.Errorf("empty: Data = %d, want %d", got, size)
	}
	send(t, a, strings.Repeat("x", 1000))
	if got := wait(t, kq, 1, nil)[0].Data; got <= 0 || got > int64(size)-1000 {
		t.Errorf("1000 bytes unread: Data = %d, want 1 to %d", got, size-1000)
	}
	receive(t, b, strings.Repeat("x", 1000))
	if got := wait(t, kq, 1, nil)[0].Data; got != int64(size) {
		t.Errorf("read: Data = %d, want %d", got, size)
	}
}

func TestReadAndWriteAreTwoEvents(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	send(t, b, "hello")
	r, w := event{Fd: a, Filter: read, Data: 5}, event{Fd: a, Filter: write, Data: 1}
	apply(t, kq, change(a, write, unix.EV_ADD))
	expect(t, kq, w)
	apply(t, kq, change(a, read, unix.EV_ADD))
	expect(t, kq, r, w)
	apply(t, kq, change(a, write, unix.EV_DELETE))
	expect(t, kq, r)
	apply(t, kq, change(a, read, unix.EV_DELETE))
	expect(t, kq)
	refuse(t, kq, change(a, read, unix.EV_DELETE), unix.ENOENT)
	apply(t, kq, change(a, read, unix.EV_ADD))
	expect(t, kq, r)
}

func TestAddTwiceIsOneEventWithTheLastUdata(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	send(t, b, "hello")
	first, last := new(byte), new(byte)
	for _, u := range []*byte{first, last} {
		c := change(a, read, unix.EV_ADD)
		c.Udata = u
		apply(t, kq, c)
		got := wait(t, kq, 4, nil)
		if len(got) != 1 || got[0].Udata != u {
			t.Errorf("got %+v, want one event with Udata %p", got, u)
		}
	}
}

func TestDisableAndEnable(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	send(t, b, "hello")
	r, w := event{Fd: a, Filter: read, Data: 5}, event{Fd: a, Filter: write, Data: 1}
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_DISABLE), change(a, write, unix.EV_ADD))
	expect(t, kq, w)
	apply(t, kq, change(a, read, unix.EV_ENABLE))
	expect(t, kq, r, w)
	apply(t, kq, change(a, write, unix.EV_DISABLE))
	expect(t, kq, r)
	apply(t, kq, change(a, read, unix.EV_DISABLE))
	expect(t, kq)
	apply(t, kq, change(a, read, unix.EV_ADD)) // does not enable what is there
	expect(t, kq)
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_ENABLE))
	expect(t, kq, r)
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_DISABLE))
	expect(t, kq)
	apply(t, kq, change(a, read, unix.EV_DELETE)) // a disabled event is still there
	refuse(t, kq, change(a, read, unix.EV_ENABLE), unix.ENOENT)
	apply(t, kq, change(a, write, unix.EV_ENABLE))
	expect(t, kq, w)
}

// TestDisabledEventsSleep holds that a dead peer, which epoll reports unasked,
// neither ends a wait nor makes it burn the CPU.
func TestDisabledEventsSleep(t *testing.T) {
	a, b := unixPair(t)
	kq := newKqueue(t)
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_DISABLE))
	must(t, unix.Close(b))

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const ms = 100
	var before, after unix.Rusage
	start := time.Now()
	must(t, unix.Getrusage(unix.RUSAGE_THREAD, &before))
	got := wait(t, kq, 1, &unix.Timespec{Nsec: ms * 1e6})
	must(t, unix.Getrusage(unix.RUSAGE_THREAD, &after))
	if took := time.Since(start); took < ms*time.Millisecond {
		t.Errorf("the wait for %d ms ended after %v", ms, took)
	}
	used := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	if len(got) > 0 || used > ms/2*time.Millisecond {
		t.Errorf("got %+v and used %v of CPU in %d ms, want nothing", got, used, ms)
	}
	apply(t, kq, change(a, read, unix.EV_ENABLE))
	expect(t, kq, event{Fd: a, Filter: read, Flags: "EOF"})
}

// TestClearReportsOnce has each change of state reported once, be it a connection or
// bytes to read.
func TestClearReportsOnce(t *testing.T) {
	kq := newKqueue(t)
	lfd, addr := listen(t)
	apply(t, kq, change(lfd, read, unix.EV_ADD|unix.EV_CLEAR))
	expect(t, kq)
	for n := int64(1); n <= 2; n++ {
		closeAtEnd(t, connect(t, addr))
		expect(t, kq, event{Fd: lfd, Filter: read, Flags: "CLEAR", Data: n})
		expect(t, kq)
	}
	a, b := pair(t)
	send(t, b, "hello")
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_CLEAR))
	expect(t, kq, event{Fd: a, Filter: read, Flags: "CLEAR", Data: 5})
	expect(t, kq)
	send(t, b, "you")
	expect(t, kq, event{Fd: a, Filter: read, Flags: "CLEAR", Data: 8})
	expect(t, kq)
	apply(t, kq, change(a, read, unix.EV_DELETE))
	apply(t, kq, change(a, read, unix.EV_ADD))
	for range 2 {
		expect(t, kq, event{Fd: a, Filter: read, Data: 8})
	}
}

func TestOneshotIsDeletedWhenReported(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_ONESHOT))
	expect(t, kq)
	apply(t, kq, change(a, write, unix.EV_ADD))
	send(t, b, "hello")
	w := event{Fd: a, Filter: write, Data: 1}
	expect(t, kq, event{Fd: a, Filter: read, Flags: "ONESHOT", Data: 5}, w)
	expect(t, kq, w)
	refuse(t, kq, change(a, read, unix.EV_DELETE), unix.ENOENT)
	apply(t, kq, change(a, write, unix.EV_DELETE))

	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_ONESHOT)) // now the only event of the socket
	expect(t, kq, event{Fd: a, Filter: read, Flags: "ONESHOT", Data: 5})
	expect(t, kq)
	apply(t, kq, change(a, read, unix.EV_ADD))
	expect(t, kq, event{Fd: a, Filter: read, Data: 5})
}

func TestChangesThatFail(t *testing.T) {
	a, b := pair(t)
	var pipe [2]int
	must(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	closeAtEnd(t, pipe[0])
	closeAtEnd(t, pipe[1])
	lowat := change(a, read, unix.EV_ADD)
	lowat.Fflags = unix.NOTE_LOWAT
	huge := change(a, read, unix.EV_ADD)
	huge.Ident = math.MaxUint32 + 1 + uint64(a) // a, if cut to 32 bits
	const closed = 1 << 20

	for _, c := range []struct {
		name   string
		change unix.Kevent_t
		want   unix.Errno
	}{
		{"delete unknown", change(a, read, unix.EV_DELETE), unix.ENOENT},
		{"enable unknown", change(a, read, unix.EV_ENABLE), unix.ENOENT},
		{"disable unknown", change(a, read, unix.EV_DISABLE), unix.ENOENT},
		{"no action, unknown", change(a, read, 0), unix.ENOENT},
		{"delete the other filter", change(b, read, unix.EV_DELETE), unix.ENOENT},
		{"enable the other filter", change(b, read, unix.EV_ENABLE), unix.ENOENT},
		{"add closed", change(closed, read, unix.EV_ADD), unix.EBADF},
		{"delete closed", change(closed, read, unix.EV_DELETE), unix.EBADF},
		{"add above 32 bits", huge, unix.EBADF},
		{"add -1", change(-1, read, unix.EV_ADD), unix.EBADF},
		{"filter of files", change(a, -4, unix.EV_ADD), unix.EINVAL},
		{"filter 0", change(a, 0, unix.EV_ADD), unix.EINVAL},
		{"pipe", change(pipe[0], read, unix.EV_ADD), unix.EINVAL},
		{"EV_CLEAR for one of two", change(b, read, unix.EV_ADD|unix.EV_CLEAR), unix.EINVAL},
		{"EV_DISPATCH", change(a, read, unix.EV_ADD|unix.EV_DISPATCH), unix.EINVAL},
		{"EV_ENABLE and EV_DISABLE", change(a, read, unix.EV_ADD|unix.EV_ENABLE|unix.EV_DISABLE), unix.EINVAL},
		{"NOTE_LOWAT", lowat, unix.EINVAL},
	} {
		t.Run(c.name, func(t *testing.T) {
			kq := newKqueue(t)
			apply(t, kq, change(b, write, unix.EV_ADD))
			refuse(t, kq, c.change, c.want)

			c.change.Udata = new(byte)
			want := c.change
			want.Flags, want.Data = unix.EV_ERROR, int64(c.want)
			events := make([]unix.Kevent_t, 4)
			n, err := unix.Kevent(kq, []unix.Kevent_t{c.change}, events, nil)
			if n != 1 || err != nil || events[0] != want {
				t.Errorf("got %d, %v, %+v; want 1, nil, %+v", n, err, events[0], want)
			}
			expect(t, kq, event{Fd: b, Filter: write, Data: 1})
		})
	}
}

func TestErrorsComeAloneAndInOrder(t *testing.T) {
	a, b := pair(t)
	changes := []unix.Kevent_t{
		change(b, write, unix.EV_DELETE), change(a, write, unix.EV_ADD), change(1<<20, read, unix.EV_ADD),
	}
	unknown := event{Fd: b, Filter: write, Flags: "ERROR", Data: int64(unix.ENOENT)}
	closed := event{Fd: 1 << 20, Filter: read, Flags: "ERROR", Data: int64(unix.EBADF)}

	t.Run("room", func(t *testing.T) {
		kq := newKqueue(t)
		events := slices.Clone(changes)
		n, err := unix.Kevent(kq, events, events, nil) // changes and events may share an array
		must(t, err)
		var got []event
		for _, k := range events[:n] {
			got = append(got, describe(k))
		}
		if diff := cmp.Diff([]event{unknown, closed}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		expect(t, kq, event{Fd: a, Filter: write, Data: 1})
	})
	t.Run("room for one", func(t *testing.T) {
		kq := newKqueue(t)
		n, err := unix.Kevent(kq, changes, make([]unix.Kevent_t, 1), nil)
		if n != -1 || err != unix.EBADF {
			t.Errorf("Kevent = %d, %v; want -1, %v", n, err, unix.EBADF)
		}
		expect(t, kq, event{Fd: a, Filter: write, Data: 1})
	})
	t.Run("no room", func(t *testing.T) {
		kq := newKqueue(t)
		n, err := unix.Kevent(kq, changes, nil, nil)
		if n != -1 || err != unix.ENOENT {
			t.Errorf("Kevent = %d, %v; want -1, %v", n, err, unix.ENOENT)
		}
		expect(t, kq) // what stands behind the error is not applied
	})
}

func TestReceipt(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	changes := []unix.Kevent_t{
		change(a, write, unix.EV_ADD|unix.EV_RECEIPT), change(b, write, unix.EV_ADD),
	}
	// Without room for the receipt, the changes behind it are not applied.
	if n, err := unix.Kevent(kq, changes, nil, nil); n != 0 || err != nil {
		t.Fatalf("Kevent = %d, %v; want 0, nil", n, err)
	}
	onA := event{Fd: a, Filter: write, Flags: "RECEIPT", Data: 1}
	expect(t, kq, onA)
	events := make([]unix.Kevent_t, 4)
	n, err := unix.Kevent(kq, changes, events, nil)
	must(t, err)
	want := change(a, write, unix.EV_ERROR)
	if n != 1 || events[0] != want {
		t.Errorf("got %d %+v, want only %+v", n, events[0], want)
	}
	expect(t, kq, onA, event{Fd: b, Filter: write, Data: 1})
}

func TestTimeout(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	apply(t, kq, change(a, read, unix.EV_ADD))
	events := make([]unix.Kevent_t, 1)
	for _, d := range []time.Duration{0, 100 * time.Microsecond, 20 * time.Millisecond} {
		for {
			ts := unix.NsecToTimespec(int64(d))
			start := time.Now()
			n, err := unix.Kevent(kq, nil, events, &ts)
			if err == unix.EINTR {
				continue
			}
			if took := time.Since(start); n != 0 || err != nil || took < d {
				t.Errorf("timeout %v: Kevent = %d, %v after %v", d, n, err, took)
			}
			break
		}
	}
	for _, ts := range []unix.Timespec{{Sec: -1}, {Nsec: -1}, {Nsec: 1e9}} {
		if n, err := unix.Kevent(kq, nil, events, &ts); n != -1 || err != unix.EINVAL {
			t.Errorf("timeout %+v: Kevent = %d, %v; want -1, %v", ts, n, err, unix.EINVAL)
		}
	}
	send(t, b, "hello")
	for _, ts := range []*unix.Timespec{nil, {}, {Sec: 60}, {Sec: math.MaxInt64, Nsec: 999999999}} {
		if got := wait(t, kq, 1, ts); len(got) != 1 {
			t.Errorf("timeout %v, with an event: got none", ts)
		}
	}
}

func TestNoTimeoutWaits(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	apply(t, kq, change(a, read, unix.EV_ADD))
	for _, ts := range []*unix.Timespec{nil, {Sec: math.MaxInt64}} {
		done := make(chan []unix.Kevent_t)
		go func() { done <- wait(t, kq, 1, ts) }()
		select {
		case got := <-done:
			t.Fatalf("did not wait: %+v", got)
		case <-time.After(30 * time.Millisecond):
		}
		send(t, b, "hello")
		if diff := cmp.Diff(event{Fd: a, Filter: read, Data: 5}, describe((<-done)[0])); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		receive(t, a, "hello")
	}
}

func TestNoRoomDoesNotWait(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	send(t, b, "hello")
	for _, ts := range []*unix.Timespec{nil, {Sec: 3600}} {
		n, err := unix.Kevent(kq, []unix.Kevent_t{change(a, read, unix.EV_ADD)}, nil, ts)
		if n != 0 || err != nil {
			t.Errorf("Kevent = %d, %v; want 0, nil", n, err)
		}
	}
	expect(t, kq, event{Fd: a, Filter: read, Data: 5})
}

func TestChangesComeBeforeEvents(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	apply(t, kq, change(a, write, unix.EV_ADD))
	send(t, b, "hello")
	events := make([]unix.Kevent_t, 4)
	n, err := unix.Kevent(kq, []unix.Kevent_t{
		change(a, write, unix.EV_DELETE), change(a, read, unix.EV_ADD),
	}, events, noWait)
	if err != nil || n != 1 || events[0].Filter != read {
		t.Errorf("Kevent = %d, %v, %+v; want the read event alone", n, err, events[:max(n, 0)])
	}
}

func TestSignalInterruptsAndLeavesTheChanges(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	tid, done := make(chan int), make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tid <- unix.Gettid()
		_, err := unix.Kevent(kq, []unix.Kevent_t{change(a, read, unix.EV_ADD)}, make([]unix.Kevent_t, 1), nil)
		done <- err
	}()
	waiter := <-tid
	for {
		must(t, unix.Tgkill(unix.Getpid(), waiter, unix.SIGURG))
		select {
		case err := <-done:
			if err != unix.EINTR {
				t.Fatalf("Kevent: %v, want %v", err, unix.EINTR)
			}
			send(t, b, "hello")
			expect(t, kq, event{Fd: a, Filter: read, Data: 5})
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func TestCloseDropsEvents(t *testing.T) {
	kq := newKqueue(t)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	send(t, fds[1], "hello")
	apply(t, kq, change(fds[0], read, unix.EV_ADD), change(fds[0], write, unix.EV_ADD))
	expect(t, kq, event{Fd: fds[0], Filter: read, Data: 5}, event{Fd: fds[0], Filter: write, Data: 1})
	must(t, unix.Close(fds[0]))
	must(t, unix.Close(fds[1]))
	expect(t, kq)
}

// TestReusedNumberStartsClean closes a socket that has events, and gives its
// number to another, which must know nothing of them.
func TestReusedNumberStartsClean(t *testing.T) {
	for _, was := range []struct {
		name  string
		flags int
	}{{"enabled", unix.EV_ADD}, {"disabled", unix.EV_ADD | unix.EV_DISABLE}} {
		reuse := func(t *testing.T) (kq, fd int) {
			t.Helper()
			kq = newKqueue(t)
			fd, _ = pair(t)
			for _, filter := range []int{read, write} {
				c := change(fd, filter, was.flags)
				c.Udata = new(byte)
				apply(t, kq, c)
			}
			next, peer := unixPair(t)
			closeAtEnd(t, peer)
			send(t, peer, "hello")
			must(t, unix.Dup3(next, fd, unix.O_CLOEXEC)) // closes the socket that was fd
			return kq, fd
		}
		t.Run(was.name, func(t *testing.T) {
			kq, fd := reuse(t)
			expect(t, kq)
			for _, flags := range []int{unix.EV_DELETE, unix.EV_ENABLE, unix.EV_DISABLE} {
				for _, filter := range []int{read, write} {
					kq, fd := reuse(t)
					refuse(t, kq, change(fd, filter, flags), unix.ENOENT)
				}
			}
			apply(t, kq, change(fd, read, unix.EV_ADD))
			got := wait(t, kq, 4, noWait)
			want := change(fd, read, 0)
			want.Data = 5
			if len(got) != 1 || got[0] != want {
				t.Errorf("got %+v, want only %+v", got, want)
			}
			refuse(t, kq, change(fd, write, unix.EV_DELETE), unix.ENOENT)
		})
	}
}

// TestReusedNumberOfDuplicate is the case that epoll does not clean up: the
// socket that had the number is still open under another.
func TestReusedNumberOfDuplicate(t *testing.T) {
	kq := newKqueue(t)
	fd, peer := pair(t)
	other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	closeAtEnd(t, other)
	apply(t, kq, change(fd, read, unix.EV_ADD))
	next, nextPeer := pair(t)
	must(t, unix.Dup3(next, fd, unix.O_CLOEXEC))
	apply(t, kq, change(fd, read, unix.EV_ADD))
	send(t, peer, "for the old one")
	expect(t, kq)
	send(t, nextPeer, "hello")
	expect(t, kq, event{Fd: fd, Filter: read, Data: 5})
}

func TestClosedKqueue(t *testing.T) {
	a, b := pair(t)
	send(t, b, "hello")
	kq, err := unix.Kqueue()
	must(t, err)
	apply(t, kq, change(a, read, unix.EV_ADD))
	must(t, unix.Close(kq))
	for _, changes := range [][]unix.Kevent_t{nil, {change(a, read, unix.EV_ADD)}} {
		for _, events := range [][]unix.Kevent_t{nil, make([]unix.Kevent_t, 1)} {
			if n, err := unix.Kevent(kq, changes, events, nil); n != -1 || err != unix.EBADF {
				t.Errorf("Kevent = %d, %v; want -1, %v", n, err, unix.EBADF)
			}
		}
	}
	again := newKqueue(t) // as a rule of the same number
	expect(t, again)
	refuse(t, again, change(a, read, unix.EV_DELETE), unix.ENOENT)
	other, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_CLOEXEC, 1000) // a number that no kqueue had
	must(t, err)
	closeAtEnd(t, other)
	if n, err := unix.Kevent(other, nil, nil, nil); n != -1 || err != unix.EBADF {
		t.Errorf("Kevent of a socket = %d, %v; want -1, %v", n, err, unix.EBADF)
	}
}

// TestSmallListsLoseAndStarveNothing polls 6 sockets, ready to read and to write,
// with lists too short for all 12 events.
func TestSmallListsLoseAndStarveNothing(t *testing.T) {
	for room := 1; room <= 14; room++ {
		t.Run(strconv.Itoa(room), func(t *testing.T) {
			kq := newKqueue(t)
			for range 6 {
				a, b := pair(t)
				send(t, b, "hello")
				apply(t, kq, change(a, read, unix.EV_ADD), change(a, write, unix.EV_ADD))
			}
			type key struct {
				fd     uint64
				filter int16
			}
			seen := map[key]int{}
			const rounds = 120
			for range rounds {
				batch := map[key]bool{}
				for _, k := range wait(t, kq, room, noWait) {
					batch[key{k.Ident, k.Filter}] = true
					seen[key{k.Ident, k.Filter}]++
				}
				if len(batch) == 0 || room >= 12 && len(batch) != 12 {
					t.Fatalf("%d different events in a list for %d", len(batch), room)
				}
			}
			if len(seen) != 12 {
				t.Errorf("saw %d events of 12: %v", len(seen), seen)
			}
			for k, n := range seen { // an even share would be rounds*room/12
				if n < rounds*min(room, 12)/12/2 || n > rounds {
					t.Errorf("%v came %d times in %d batches of %d", k, n, rounds, room)
				}
			}
		})
	}
}

func TestKqueuesAreIndependent(t *testing.T) {
	a, b := pair(t)
	send(t, b, "hello")
	kq1, kq2 := newKqueue(t), newKqueue(t)
	r, w := event{Fd: a, Filter: read, Data: 5}, event{Fd: a, Filter: write, Data: 1}
	apply(t, kq1, change(a, read, unix.EV_ADD))
	apply(t, kq2, change(a, read, unix.EV_ADD), change(a, write, unix.EV_ADD))
	expect(t, kq1, r)
	expect(t, kq2, r, w)
	apply(t, kq2, change(a, read, unix.EV_DELETE))
	expect(t, kq1, r)
	expect(t, kq2, w)
}

func TestChangeReachesAWaitingThread(t *testing.T) {
	a, b := pair(t)
	kq := newKqueue(t)
	send(t, b, "hello")
	apply(t, kq, change(a, read, unix.EV_ADD|unix.EV_DISABLE))
	done := make(chan []unix.Kevent_t)
	go func() { done <- wait(t, kq, 1, nil) }()
	time.Sleep(10 * time.Millisecond) // most likely it waits by now; if not, the result is the same
	apply(t, kq, change(a, read, unix.EV_ENABLE))
	if diff := cmp.Diff(event{Fd: a, Filter: read, Data: 5}, describe((<-done)[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestThreads has four goroutines change, close and reopen their sockets while
// two wait on the same kqueue, and then looks at what is left.
func TestThreads(t *testing.T) {
	kq := newKqueue(t)
	stop := make(chan struct{})
	var workers, waiters sync.WaitGroup
	for range 2 {
		waiters.Go(func() {
			events := make([]unix.Kevent_t, 3)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := unix.Kevent(kq, nil, events, &unix.Timespec{Nsec: 1e6}); err != nil && err != unix.EINTR {
					t.Errorf("wait: %v", err)
					return
				}
			}
		})
	}
	left := make([]event, 4)
	for i := range left {
		workers.Go(func() {
			a, b, err := churn(kq)
			if err != nil {
				t.Error(err)
				return
			}
			closeAtEnd(t, a)
			closeAtEnd(t, b)
			left[i] = event{Fd: a, Filter: write, Data: 1}
		})
	}
	workers.Wait()
	close(stop)
	waiters.Wait()
	slices.SortFunc(left, func(a, b event) int { return a.Fd - b.Fd })
	if !t.Failed() {
		expect(t, kq, left...)
	}
}

// churn works on 200 sockets in turn and leaves the last open, with a write event.
func churn(kq int) (a, b int, err error) {
	for i := range 200 {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, 0, err
		}
		_, err = unix.Write(fds[1], []byte("hello"))
		errs := []error{err}
		for _, c := range []unix.Kevent_t{
			change(fds[0], read, unix.EV_ADD),
			change(fds[0], write, unix.EV_ADD|unix.EV_DISABLE),
			change(fds[0], write, unix.EV_ENABLE),
			change(fds[0], read, unix.EV_DISABLE),
			change(fds[0], read, unix.EV_DELETE),
		} {
			_, err := unix.Kevent(kq, []unix.Kevent_t{c}, nil, nil)
			errs = append(errs, err)
		}
		if err := errors.Join(errs...); err != nil {
			return 0, 0, err
		}
		a, b = fds[0], fds[1]
		if i < 199 {
			unix.Close(a)
			unix.Close(b)
		}
	}
	return a, b, nil
}

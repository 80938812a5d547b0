//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestName names what calls are made on, and has the thread that accepts be number 1, also
// when Go moves it.
func TestName(t *testing.T) {
	output := `7 epoll_create1(EPOLL_CLOEXEC) = 3
7 eventfd2(0, EFD_CLOEXEC|EFD_NONBLOCK) = 4
7 epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data=0x4}) = 0
7 epoll_create1(0) = 5
7 listen(6, 4096) = 0
7 epoll_ctl(5, EPOLL_CTL_ADD, 6, {events=EPOLLIN|EPOLLET, data={u32=6, u64=6}}) = 0
7 epoll_pwait(5, [{events=EPOLLIN, data={u32=6, u64=6}}], 1024, -1, NULL, 0) = 1
7 accept4(6, NULL, NULL, SOCK_NONBLOCK) = 8
7 accept4(6, NULL, NULL, SOCK_NONBLOCK) = 9
9 setsockopt(9, SOL_TCP, TCP_NODELAY, [1], 4) = 0
9 accept4(6, NULL, NULL, SOCK_NONBLOCK) = -1 EAGAIN (Resource temporarily unavailable)
7 read(9, "a"..., 16384) = 1
7 write(9, "b"..., 10) = 4
7 write(9, "b"..., 6) = -1 EPIPE (Broken pipe)
7 setsockopt(9, SOL_SOCKET, SO_RCVTIMEO_OLD, ""..., 16) = 0
7 shutdown(9, SHUT_WR) = 0
9 fcntl(9, F_SETFL, O_RDWR|O_NONBLOCK) = 0
9 accept4(6, NULL, NULL, SOCK_NONBLOCK) = 10
9 epoll_pwait(5, [], 1024, 100, NULL, 0) = 0
9 epoll_pwait(5, [], 1024, -1, NULL, 0) = -1 EINTR (Interrupted system call)
8 epoll_pwait(3, [], 128, 0, NULL, 0) = 0
8 futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 1
8 read(10, 0x1, 16384) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
`
	calls, err := parse(output)
	if err != nil {
		t.Fatal(err)
	}
	lines, goroutines, err := name(calls)
	if err != nil || goroutines {
		t.Fatalf("goroutines: %v, %v", goroutines, err)
	}
	var got []string
	for _, l := range lines {
		if l.kind != "" {
			got = append(got, strings.Join([]string{l.role, l.kind, l.String()}, " "))
		}
	}
	want := []string{
		" call epoll_create() = epoll",
		"1 call listen(listener, 4096)",
		"1 call epoll_ctl(epoll, ADD listener, IN|ET)",
		"1 call epoll_wait(epoll) = listener IN",
		"1 call accept(listener) = C",
		"1 call accept(listener) = A",
		"1 call setsockopt(A, TCP_NODELAY)",
		"1 call accept(listener) = EAGAIN",
		"2 call read(A) = 1",
		"2 call write(A) = 4 of 10",
		"2 call write(A) = EPIPE",
		"2 call setsockopt(A, SO_RCVTIMEO)",
		"2 call shutdown(A, SHUT_WR)",
		"1 call fcntl(A, F_SETFL, O_NONBLOCK)",
		"1 call accept(listener) = B",
		"1 call epoll_wait(epoll) = 0",
		"1 runtime epoll_wait(epoll) = EINTR",
		"3 call read(B)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestNameMissing(t *testing.T) {
	if _, _, err := name([]call{{name: "accept", args: []string{"3"}, result: "5"}}); err == nil || err.Error() != "strace saw nobody accept A" {
		t.Errorf("one client: %v", err)
	}
}

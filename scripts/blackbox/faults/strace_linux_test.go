// Package faults tests the servers over a kernel and a network that refuse, interrupt
// and delay.
package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"ioflavors/scripts/blackbox/driver"
)

// A fault is an error that system calls return without having done anything.
type fault struct {
	calls, errno string
	flavors      string // that it may befall
	mayEnd       bool   // the server may end a client's connection on account of it
}

// Errors come as from a kernel. It interrupts any call. It says EAGAIN only of a
// socket that does not block, or has a time limit; and to package net, which is told
// only once that a socket is ready, never without need. A client for whom there is no
// room in epoll cannot be served.
const (
	all         = "stblock mtblock goroutinesrv " + nonBlocking
	nonBlocking = "busywait " + loops
	loops       = "epollsrv kqueuesrv"
)

var faults = []fault{
	{"read", "EINTR", all, false},
	{"write", "EINTR", all, false},
	{"read", "EAGAIN", nonBlocking, false},
	{"write", "EAGAIN", nonBlocking, false},
	{"?epoll_wait,?epoll_pwait", "EINTR", "goroutinesrv " + loops, false},
	{"epoll_ctl", "ENOSPC", "goroutinesrv " + loops, true},
	{"accept4", "EINTR", all, false},
	{"accept4", "ECONNABORTED", all, false},
	{"accept4", "EMFILE", all, false},
	{"accept4", "ENFILE", all, false},
	{"accept4", "ENOBUFS", all, false},
	{"accept4", "ENOMEM", all, false},
}

// TestFaults has clients that split and pipeline while system calls fail, at two rates.
// They must not notice.
func TestFaults(t *testing.T) {
	const clients = 6
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, fault := range faults {
			if !strings.Contains(fault.flavors, f.Name) || t.Failed() {
				continue
			}
			for i, when := range []string{"1+2", "2+3"} {
				d := driver.Both[i]
				t.Run(fmt.Sprint(fault.errno, " in ", fault.calls, ", ", when, ", ", d.Name), func(t *testing.T) {
					s := driver.Start(t, f, d.Name)
					s.Extra = regexp.MustCompile(`^([a-z]+: accept[^\n]*\n)?$`)
					fault.inject(t, s, when, func() {
						s.Meet(clients, func(i int) { talk(t, s, d, i, fault.mayEnd) })
					})
				})
			}
		}
	})
}

// TestUnwatched has no room in epoll, or in kqueue, for a client that is new, and for one
// that does not read its replies. Their connections are ended; nobody else notices.
func TestUnwatched(t *testing.T) {
	driver.EachFlavor(t, driver.Sleeping, func(t *testing.T, f driver.Flavor) {
		if !strings.Contains(loops, f.Name) {
			return
		}
		d := driver.RESP
		s := driver.Start(t, f, d.Name)
		c, slow := s.Dial(t), s.Dial(t)
		c.Ask(d.Put("big", driver.Big), d.OK)
		slow.Ask(d.Get("nosuch"), d.Missing("nosuch"))
		before := sockets(t, s)
		fault{calls: "epoll_ctl", errno: "ENOSPC"}.inject(t, s, "1+", func() {
			fresh := s.Dial(t)
			io.WriteString(fresh.Conn, d.Get("big"))
			if n, err := fresh.Read(make([]byte, 1)); n > 0 || os.IsTimeout(err) {
				t.Errorf("%d bytes of a reply, %v; want the end of the connection", n, err)
			}
			slow.Send(strings.Repeat(d.Get("big"), 64))
			driver.Await(t, "the end of the client that does not read", func() bool {
				return sockets(t, s) == before-1
			})
			c.Ask(d.Get("nosuch"), d.Missing("nosuch"))
		})
	})
}

// sockets returns how many sockets a server has.
func sockets(t *testing.T, s *driver.Server) (n int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd/", s.Cmd.Process.Pid)
	links, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, _ := os.Readlink(dir + link.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// TestTurns looks at the turns of a server: no client, and no crowd of clients, may keep
// the others waiting for more than 1 MiB in and 1 MiB out, or for more than 100 others.
func TestTurns(t *testing.T) {
	const crowd = 250
	sizes := regexp.MustCompile(`\b(read|write)\b.*, (\d+)(\) += | <unfinished)`)
	calls := regexp.MustCompile(`(accept4|read|write|epoll_ctl|epoll_p?wait)\((\d+)`)
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		d := driver.RESP
		s := driver.Start(t, f, d.Name)
		c := s.Dial(t)
		huge := strings.Repeat(driver.Big, 16)
		c.Ask(d.Put("k", huge), d.OK)
		s.Cmd.Process.Signal(syscall.SIGSTOP)
		defer s.Cmd.Process.Signal(syscall.SIGCONT) // should trace skip the test
		driver.Await(t, "the server to stop", func() bool {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
			return strings.Contains(string(text), "State:\tT")
		})
		for range crowd {
			s.Dial(t).CloseWrite()
		}
		lines := trace(t, s, "read,write,accept4,epoll_ctl,?epoll_wait,?epoll_pwait", "", func() {
			s.Cmd.Process.Signal(syscall.SIGCONT)
			c.Send(d.Put("k", huge[1:]) + strings.Repeat("\r\n", 8*driver.MiB) + d.Get("k"))
			c.Expect(d.OK + d.Value("k", huge[1:]))
			if s.Serial {
				c.Leave()
			} // or else it stays, so that there is a read or a write in every turn
			s.Dial(t).Ask(d.Get("nosuch"), d.Missing("nosuch"))
		})
		largest := map[string]int{}
		for _, m := range sizes.FindAllStringSubmatch(lines, -1) {
			n, _ := strconv.Atoi(m[2])
			largest[m[1]] = max(largest[m[1]], n)
		}
		clients, most, loop := 0, 0, "" // loop is the descriptor of its epoll; the runtime has another
		for _, m := range calls.FindAllStringSubmatch(lines, -1) {
			switch call, fd := m[1], m[2]; {
			case call == "accept4":
				clients++
				most = max(most, clients)
			case call == "epoll_ctl":
				loop = fd
			case call == "read" || call == "write" || fd == loop: // that was all in this turn
				clients = 0
			}
		}
		if d := cmp.Diff(map[string]int{"read": driver.MiB, "write": driver.MiB}, largest); d != "" {
			t.Errorf("the largest reads and writes (-want +got):\n%s", d)
		}
		if strings.Contains(nonBlocking, f.Name) && (most < 20 || most > 100) {
			t.Errorf("accepts up to %d clients in a turn, while %d wait; want 20 to 100", most, crowd)
		}
	})
}

// inject has strace inject a fault into a server while work is done, and ends the server.
func (f fault) inject(t *testing.T, s *driver.Server, when string, work func()) {
	t.Helper()
	lines := trace(t, s, f.calls, fmt.Sprintf("inject=%s:error=%s:when=%s", f.calls, f.errno, when), work)
	if !strings.Contains(lines, "(INJECTED)") {
		t.Errorf("%s: no call was made: %s", f.calls, lines)
	}
}

// trace has strace watch a server's calls while work is done, and returns its lines. It
// ends the server, as strace cannot leave it without breaking off calls.
func trace(t *testing.T, s *driver.Server, calls, inject string, work func()) (lines string) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("strace, which injects faults, is missing: %v", err)
	}
	output := filepath.Join(t.TempDir(), "trace")
	args := []string{"-f", "-s", "0", "-o", output, "-p", fmt.Sprint(s.Cmd.Process.Pid), "-e", "trace=" + calls}
	if inject != "" {
		args = append(args, "-e", inject)
	}
	cmd := exec.Command("strace", args...)
	said, err := cmd.StderrPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(said).ReadString('\n')
	if !strings.Contains(line, "attached") {
		cmd.Wait()
		t.Skipf("this system does not let strace attach to a process: %s", line)
	}
	work()
	s.Stop(t, syscall.SIGTERM)
	cmd.Wait()
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// talk has a client put and get values that name it, many at a time and in pieces.
func talk(t *testing.T, s *driver.Server, d driver.Dialect, owner int, mayEnd bool) {
	rnd := rand.New(rand.NewPCG(uint64(owner), 0))
	c := s.Dial(t)
	for round := range 10 {
		in, want := batch(rnd, d, owner, round)
		for end := time.Now().Add(driver.Patience); !ask(c, rnd, in, want); c = s.Dial(t) {
			if c.Dead || t.Failed() {
				return
			}
			if !mayEnd || time.Now().After(end) {
				c.Failf("the server ended the connection in round %d", round)
			}
		}
	}
	if mayEnd {
		c.Leave()
		return
	}
	c.Send(d.Get("nosuch") + d.Wrong)
	c.ExpectEnd(d.Missing("nosuch") + d.Refusal)
	c.Leave()
}

// batch is some requests of a client, with their replies.
func batch(rnd *rand.Rand, d driver.Dialect, owner, round int) (in, want string) {
	for i := range 1 + rnd.IntN(8) {
		key := fmt.Sprintf("key%d.%d", owner, rnd.IntN(3))
		value := strings.Repeat(fmt.Sprintf("client %d, round %d.%d; ", owner, round, i), 1+rnd.IntN(100))
		if rnd.IntN(40) == 0 {
			value = strings.Repeat(value, 100)
		}
		in += d.Put(key, value) + d.Get(key)
		want += d.OK + d.Value(key, value)
	}
	return in, want
}

// ask sends requests in pieces and reads the replies. It reports false if the server
// ended the connection instead.
func ask(c *driver.Client, rnd *rand.Rand, in, want string) bool {
	if c.Dead {
		return false
	}
	for rest := in; rest != ""; {
		n := 1 + rnd.IntN(len(rest))
		c.Conn.SetWriteDeadline(time.Now().Add(driver.Patience))
		if _, err := io.WriteString(c.Conn, rest[:n]); err != nil {
			return timedOut(c, err)
		}
		rest = rest[n:]
	}
	got := make([]byte, len(want))
	if n, err := c.Read(got); err != nil {
		got = got[:n]
		if want = want[:n]; string(got) == want {
			return timedOut(c, err)
		}
	}
	if string(got) != want {
		c.Differ(want, string(got))
	}
	return true
}

// timedOut fails the client if err is that of a deadline, and is false.
func timedOut(c *driver.Client, err error) bool {
	if os.IsTimeout(err) {
		c.Failf("%v", err)
	}
	return false
}

// Package faults tests the servers over a kernel and a network that refuse, interrupt
// and delay.
package faults

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
// only once that a socket is ready, never without need. Package net ends a connection
// for which there is no room in epoll.
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
	{"epoll_ctl", "ENOSPC", loops, false},
	{"epoll_ctl", "ENOSPC", "goroutinesrv", true},
	{"accept4", "EINTR", all, false},
	{"accept4", "ECONNABORTED", all, false},
	{"accept4", "EMFILE", all, false},
	{"accept4", "ENFILE", all, false},
	{"accept4", "ENOBUFS", all, false},
	{"accept4", "ENOMEM", all, false},
}

// TestFaults has clients that split and pipeline while system calls fail, at several
// rates. They must not notice.
func TestFaults(t *testing.T) {
	const clients = 6
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, fault := range faults {
			if !strings.Contains(fault.flavors, f.Name) || t.Failed() {
				continue
			}
			for i, when := range []string{"1+2", "2+3", "1+7"} {
				d := driver.Both[i%2]
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

// inject has strace inject a fault into a server while work is done, and ends the
// server: strace cannot leave it without breaking off calls.
func (f fault) inject(t *testing.T, s *driver.Server, when string, work func()) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("strace, which injects faults, is missing: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("strace", "-f", "-o", "/dev/fd/3", "-p", fmt.Sprint(s.Pid()),
		"-e", "trace="+f.calls, "-e", fmt.Sprintf("inject=%s:error=%s:when=%s", f.calls, f.errno, when))
	var said driver.Log
	cmd.Stderr = &said
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var injected atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if strings.HasSuffix(lines.Text(), "(INJECTED)") {
				injected.Add(1)
			}
		}
	}()
	driver.Await(t, "strace to attach", func() bool {
		return strings.Contains(said.String(), "attached") || strings.Contains(said.String(), "not permitted")
	})
	if strings.Contains(said.String(), "not permitted") {
		cmd.Wait()
		t.Skipf("this system does not let strace attach to a process: %s", &said)
	}
	work()
	s.Stop(t, syscall.SIGTERM)
	cmd.Wait()
	<-done
	if injected.Load() == 0 {
		t.Errorf("%s: no call was made: %s", f.calls, &said)
	}
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

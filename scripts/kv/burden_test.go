//go:build unix

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keepPatience restores what -w changes.
func keepPatience(t *testing.T) {
	was := patience
	t.Cleanup(func() { patience = was })
}

func TestBurden(t *testing.T) {
	for _, tc := range []struct {
		args   string
		want   string // the line when it is in effect
		serial bool
		conns  int
		puts   int
		gets   int // at least
		rest   string
	}{
		{"idle", "in effect: 1 connections, 1 served\n", false, 1, 0, 0, ""},
		{"-c 20 idle", "in effect: 20 connections, 20 served\n", false, 20, 0, 0, ""},
		{"-c 1200 idle", "in effect: 1200 connections, 1200 served\n", false, 1200, 0, 0, ""},
		{"-c 3 -w 0.2 idle", "in effect: 3 connections, 1 served\n", true, 1, 0, 0, ""},
		{"-c 1100 -w 0.2 idle", "in effect: 1001 connections, 1 served\n", true, 1, 0, 0, ""},
		{"-c 4 silent", "in effect: 4 connections, 0 served\n", false, 4, 0, 0, "*1\r\n$4\r"},
		{"-d 100 -n 30 slow", "in effect: 1 connections, 0 served\n", false, 2, 1, 30, ""},
		{"-d 100 -n 30 -c 2 slow", "in effect: 2 connections, 0 served\n", false, 3, 1, 60, ""},
		{"-d 3000000 heavy", "in effect: 1 connections, 1 served\n", false, 2, 1, 1, ""},
		{"-d 100 -c 3 heavy", "in effect: 3 connections, 3 served\n", false, 4, 1, 3, ""},
	} {
		t.Run(tc.args, func(t *testing.T) {
			keepPatience(t)
			s := server{resp: true, serial: tc.serial}
			at := s.start(t)
			begin := time.Now()
			expect(t, 0, tc.want, "", cmd("burden", at, append([]string{"-T", "0.3"}, strings.Fields(tc.args)...)...)...)
			if d := time.Since(begin); d < 300*time.Millisecond {
				t.Errorf("it ends after %v", d)
			}
			if tc.serial { // it goes on with the others now
				return
			}
			// What has been sent may not have been read yet.
			for end := time.Now().Add(5 * time.Second); s.counts()[opGet] < tc.gets && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			got := fmt.Sprint(s.conns, s.count[opPut], s.count[opGet] >= tc.gets, string(s.rest))
			if diff := cmp.Diff(fmt.Sprint(tc.conns, tc.puts, true, tc.rest), got); diff != "" {
				t.Errorf("connections, puts, enough gets, rest of the input: -want +got\n%s", diff)
			}
		})
	}
}

// A server that refuses, closes, or says nothing ends a burden with an error.
func TestBurdenFails(t *testing.T) {
	refuse := func(which op, reply string) func(op, int, []byte) []byte {
		return func(o op, i int, right []byte) []byte {
			if o != which {
				return right
			}
			if reply == "" {
				return nil
			}
			return []byte(reply)
		}
	}
	for _, tc := range []struct {
		args  string
		twist func(op, int, []byte) []byte
		code  int
		want  string
	}{
		{"-c 5 idle", refuse(opPing, "-ERR max number of clients reached\r\n"), 1, `burden: the server answers "-ERR max number of clients reached\r\n"`},
		{"-c 5 idle", refuse(opPing, ""), 1, "burden: the server has closed a connection"},
		{"slow", refuse(opPut, "-no\r\n"), 1, `SET burden: the server answers "-no\r\n"`},
		{"slow", refuse(opPut, ""), 1, "the server closed the connection without a reply"},
		{"heavy", refuse(opGet, "-no\r\n"), 1, `burden: the server answers "-no\r\n"`},
		{"heavy", refuse(opGet, ""), 1, "burden: the server has closed a connection"},
		{"-d 10 -w 0.3 heavy", refuse(opGet, "$10\r\nxxx"), 3, "burden: nothing received for 300ms from 127.0.0.1:"},
	} {
		t.Run(tc.args+" "+tc.want, func(t *testing.T) {
			keepPatience(t)
			s := server{resp: true, twist: tc.twist}
			at := s.start(t)
			status, out, stderr := kvRun("", cmd("burden", at, strings.Fields(tc.args)...)...)
			if status != tc.code || out != "" || !strings.HasPrefix(stderr, "kv: ") || !strings.Contains(stderr, tc.want) {
				t.Errorf("got %d %q %q, want %d and %q", status, out, stderr, tc.code, tc.want)
			}
		})
	}
}

// A server that ends after the burden is in effect.
func TestBurdenServerEnds(t *testing.T) {
	for _, kind := range []string{"idle", "silent"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer l.Close()
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 100))
			if kind == "idle" {
				c.Write([]byte("+PONG\r\n"))
			}
			time.Sleep(300 * time.Millisecond)
			c.Close()
		}()
		status, out, stderr := kvRun("", cmd("burden", target(l), kind)...)
		if status != 1 || !strings.HasPrefix(out, "in effect: 1 ") || stderr != "kv: burden: the server has closed a connection\n" {
			t.Errorf("%s: got %d %q %q", kind, status, out, stderr)
		}
	}
}

func TestBurdenRefused(t *testing.T) {
	port := deadPort(t)
	for _, kind := range burdenKinds {
		want := fmt.Sprintf("kv: connect 127.0.0.1:%d: connection refused\n", port)
		status, out, stderr := kvRun("", "burden", "-p", fmt.Sprint(port), kind)
		if status != 1 || out != "" || !strings.HasPrefix(stderr, strings.TrimSuffix(want, "\n")) {
			t.Errorf("%s: got %d %q %q, want 1 and %q", kind, status, out, stderr, want)
		}
	}
}

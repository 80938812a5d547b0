//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBurden(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args   string
		want   string // the line when it is in effect
		serial bool
		counts []int // puts, gets (at least), connections
		rest   string
	}{
		{"idle", "1 connection, 1 served", false, []int{0, 0, 1}, ""},
		{"-c 20 idle", "20 connections, 20 served", false, []int{0, 0, 20}, ""},
		{"-c 1200 idle", "1200 connections, 1200 served", false, []int{0, 0, 1200}, ""},
		{"-c 3 -w 2 idle", "3 connections, 1 served", true, nil, ""},
		{"-c 1100 -w 2 idle", "1001 connections, 1 served", true, nil, ""},
		{"-c 4 silent", "4 connections, 0 served", false, []int{0, 0, 4}, "*1\r\n$4\r"},
		{"-d 100 -n 30 slow", "1 connection, 0 served", false, []int{1, 30, 2}, ""},
		{"-d 100 -n 30 -c 2 slow", "2 connections, 0 served", false, []int{1, 60, 3}, ""},
		{"-d 3000000 heavy", "1 connection, 1 served", false, []int{1, 2, 2}, ""},
		{"-d 100 -c 3 heavy", "3 connections, 3 served", false, []int{1, 4, 4}, ""},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			s := start(t, &server{resp: true, serial: tc.serial})
			begin := time.Now()
			expect(t, s.cmd("burden -T 0.3 "+tc.args), 0, "in effect: "+tc.want+"\n", "")
			if d := time.Since(begin); d < 300*time.Millisecond {
				t.Errorf("it ends after %v", d)
			}
			if tc.serial { // it serves the others now
				return
			}
			// What has been sent may not have been read yet.
			got := s.counts()
			for end := time.Now().Add(20 * time.Second); got[1] < tc.counts[1] && time.Now().Before(end); got = s.counts() {
				time.Sleep(time.Millisecond)
			}
			got[1] = min(got[1], tc.counts[1])
			if diff := cmp.Diff(tc.counts, got); diff != "" {
				t.Errorf("puts, gets, connections: -want +got\n%s", diff)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if diff := cmp.Diff(tc.rest, string(s.rest)); diff != "" {
				t.Errorf("rest of the input: -want +got\n%s", diff)
			}
		})
	}
}

// A server that refuses, closes, or says nothing ends a burden with an error.
func TestBurdenFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args   string
		op     op
		wrong  string
		status int
		want   string
	}{
		{"-c 5 idle", opPing, "-ERR max number of clients reached\r\n", 1, `burden: the server answers "-ERR max number of clients reached\r\n"`},
		{"-c 5 idle", opPing, closing, 1, "burden: the server has closed a connection"},
		{"slow", opPut, "-no\r\n", 1, `SET burden: the server answers "-no\r\n"`},
		{"slow", opPut, closing, 1, "the server closed the connection without a reply"},
		{"heavy", opGet, "-no\r\n", 1, `burden: the server answers "-no\r\n"`},
		{"heavy", opGet, "$1000001\r\n", 1, `burden: the server answers "$1000001\r\n"`},
		{"-d 3 heavy", opGet, "$3\r\nxxx\r\n+", 1, `burden: the server answers "$3\r\nxxx\r\n+"`},
		{"heavy", opGet, closing, 1, "burden: the server has closed a connection"},
		{"-d 10 -w 3 heavy", opGet, "$10\r\nxxx", 3, "burden: no answer in the time that -w sets"},
	} {
		t.Run(tc.args+" "+tc.want, func(t *testing.T) {
			t.Parallel()
			s := start(t, &server{resp: true, twist: twist(tc.op, tc.wrong, always)})
			expect(t, s.cmd("burden "+tc.args), tc.status, "", tc.want)
		})
	}
}

// A server ends after the burden is in effect.
func TestBurdenServerEnds(t *testing.T) {
	t.Parallel()
	for kind, served := range map[string]int{"idle": 1, "silent": 0, "heavy": 1} {
		s := start(t, &server{resp: true})
		var out, stderr strings.Builder
		disconnect := writer(func(b []byte) (int, error) {
			for s.counts()[2] < 1 { // not accepted yet
				time.Sleep(time.Millisecond)
			}
			s.disconnect()
			return out.Write(b)
		})
		status := run(s.cmd("burden "+kind), streams{out: disconnect, err: &stderr})
		want := fmt.Sprintf("in effect: 1 connection, %d served\n", served)
		if status != 1 || out.String() != want || !strings.HasPrefix(stderr.String(), "kv: burden: ") {
			t.Errorf("%s: got %d %q %q", kind, status, out.String(), stderr.String())
		}
	}
}

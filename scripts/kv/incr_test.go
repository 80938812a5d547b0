//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestIncr(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"-n 1 -c 1", "-n 100 -c 5", "-n 100 -c 5 -P 16", "-n 20 -c 50 -P 2", "-n 50 -c 3 -k 0", "-n 50 -c 3 -k 0 -P 9"} {
		s := start(t, &server{resp: true, pieces: 2})
		n := strings.Fields(options)[1]
		for range 2 { // the second begins at 0 again
			expect(t, s.cmd("incr "+options), 0, fmt.Sprintf("%s\n%s,%s,%s,0\n", incrHeader, n, n, n), "")
		}
	}
}

func TestIncrFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		op               op
		wrong, out, want string
	}{
		{opIncr, "-ERR no\r\n", "5,0,-1,0", `INCR: wrong replies: 5 of 5; the first: "-ERR no\r\n"`},
		{opIncr, "+OK\r\n", "5,0,-1,0", `INCR: wrong replies: 5 of 5; the first: "+OK\r\n"`},
		{opIncr, "$1\r\n1\r\n", "5,0,-1,0", `INCR: wrong replies: 5 of 5; the first: "$1\r\n1\r\n"`},
		{opIncr, "*1\r\n:1\r\n", "5,0,-1,0", "malformed reply: neither a string nor an error"},
		{opIncr, ":1\r\n:2\r\n:", "5,5,-1,4", "INCR: wrong replies: 5 of 5; the first: a reply that belongs to no request"},
		{opPut, "-no\r\n", "", `SET key:000000000000: the server answers "-no\r\n"`},
		{opGet, "-no\r\n", "5,5,-1,0", `GET key:000000000000: the server answers "-no\r\n"`},
		{opGet, "$-1\r\n", "5,5,-1,0", `GET key:000000000000: the server answers "$-1\r\n"`},
		{opGet, "$1\r\n3\r\n", "5,5,3,2", "lost increments: 2 of 5"},
	} {
		s := start(t, &server{resp: true, twist: twist(tc.op, tc.wrong, always)})
		out := incrHeader + "\n" + tc.out + "\n"
		if tc.out == "" {
			out = ""
		}
		expect(t, s.cmd("incr -n 5 -c 1"), 1, out, tc.want)
	}
}

// A server ends after some increments, of which one has repeated another.
func TestIncrServerEnds(t *testing.T) {
	t.Parallel()
	s := &server{resp: true}
	s.twist = func(o op, i int, right []byte) []byte {
		if o != opIncr {
			return right
		}
		s.Close()
		return [][]byte{[]byte(":1\r\n"), []byte(":2\r\n"), []byte(":2\r\n"), []byte(":3\r\n"), nil}[i]
	}
	start(t, s)
	expect(t, s.cmd("incr -n 10 -c 1 -P 5"), 1, incrHeader+"\n10,4,-1,1\n", "connection refused")
}

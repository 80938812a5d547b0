//go:build unix

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestIncr(t *testing.T) {
	for _, options := range []string{"-c 1 -n 1", "-c 5 -n 100", "-c 5 -n 100 -P 16", "-c 50 -n 20 -P 2", "-c 3 -n 50 -k 0", "-c 3 -n 50 -k 0 -P 9"} {
		t.Run(options, func(t *testing.T) {
			s := server{resp: true, pieces: 2}
			at := s.start(t)
			n := strings.Fields(options)[3]
			for range 2 { // the second begins at 0 again
				expect(t, 0, fmt.Sprintf("%s\n%s,%s,%s,0\n", incrHeader, n, n, n), "", cmd("incr", at, strings.Fields(options)...)...)
			}
		})
	}
}

// A server that lets some increments get lost, as one does that reads and writes the
// value in two steps.
func TestIncrLost(t *testing.T) {
	s := server{resp: true}
	s.twist = func(o op, i int, right []byte) []byte {
		if o == opIncr && i%10 == 5 {
			var v int
			fmt.Sscanf(string(right), ":%d", &v)
			s.db[zeroKey] = fmt.Sprint(v - 1)
		}
		return right
	}
	at := s.start(t)
	expect(t, 1, incrHeader+"\n100,100,90,10\n", "kv: 10 of 100 increments are lost\n", cmd("incr", at, "-n", "100", "-c", "4")...)
}

// A server that ends after some increments, of which one has repeated another.
func TestIncrServerEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer l.Close()
		for i, replies := range []string{"+OK\r\n", ":1\r\n:2\r\n:2\r\n:3\r\n"} {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if i == 1 {
				l.Close()
			}
			c.Read(make([]byte, 1000))
			c.Write([]byte(replies))
			c.Close()
		}
	}()
	status, out, stderr := kvRun("", cmd("incr", target(l), "-n", "10", "-c", "1", "-P", "5")...)
	if want := incrHeader + "\n10,4,-1,1\n"; status != 1 || out != want || !strings.Contains(stderr, "connection refused") {
		t.Errorf("got %d %q %q, want 1 and %q", status, out, stderr, want)
	}
}

func TestIncrWrongReplies(t *testing.T) {
	for wrong, want := range map[string]string{
		"-ERR no\r\n":   `5 of 5 replies are wrong: 5 error reply; the first message: "ERR no"`,
		"+OK\r\n":       "5 of 5 replies are wrong: 5 wrong kind",
		"$1\r\n1\r\n":   "5 of 5 replies are wrong: 5 wrong kind",
		"*1\r\n:1\r\n":  "5 of 5 replies are wrong: 5 malformed",
		":1\r\n:2\r\n:": "5 of 5 replies are wrong: 5 not asked for",
	} {
		s := server{resp: true, twist: func(o op, i int, right []byte) []byte {
			if o == opIncr {
				return []byte(wrong)
			}
			return right
		}}
		at := s.start(t)
		status, _, stderr := kvRun("", cmd("incr", at, "-n", "5", "-c", "1")...)
		if status != 1 || !strings.HasPrefix(stderr, "kv: INCR: "+want) {
			t.Errorf("%q: got %d %q, want 1 and %q", wrong, status, stderr, want)
		}
	}
}

// Who cannot be asked to begin, or for the value at the end, is an error.
func TestIncrRefused(t *testing.T) {
	for _, tc := range []struct {
		op   op
		want string
	}{
		{opPut, "kv: SET key:000000000000: the server answers \"-no\\r\\n\"\n"},
		{opGet, "kv: GET key:000000000000: the server answers \"-no\\r\\n\"\n"},
	} {
		s := server{resp: true, twist: func(o op, i int, right []byte) []byte {
			if o == tc.op {
				return []byte("-no\r\n")
			}
			return right
		}}
		at := s.start(t)
		if status, _, stderr := kvRun("", cmd("incr", at, "-n", "5")...); status != 1 || stderr != tc.want {
			t.Errorf("got %d %q, want 1 and %q", status, stderr, tc.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	s := newNumbers(5)
	for _, n := range []string{"1", "5", "3"} {
		s.add([]byte(n))
	}
	if s.repeated != 0 {
		t.Errorf("%d repeated, want 0", s.repeated)
	}
	for _, n := range []string{"1", "6", "-1", "x", "99999999999999999999", "0"} {
		s.add([]byte(n))
	}
	if s.repeated != 5 {
		t.Errorf("%d repeated, want all but 0", s.repeated)
	}
}

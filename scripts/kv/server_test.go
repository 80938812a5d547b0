//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// A server answers requests in a test. Its zero value keeps no keys and speaks kv.
type server struct {
	resp   bool
	serial bool                                   // serves one connection at a time
	twist  func(o op, i int, right []byte) []byte // changes reply i of a kind; nil ends the connection
	pieces int                                    // bytes in a write; 0: all

	mu    sync.Mutex
	db    map[string]string
	count [opPing + 1]int // requests by op
	conns int
	rest  []byte // the last input that was not a whole request
}

const opPing = opIncr + 1

// start listens and returns the options that lead to the server.
func (s *server) start(t *testing.T) []string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.db = map[string]string{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if s.serial {
				s.serve(c)
				continue
			}
			wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return target(l)
}

func target(l net.Listener) []string {
	return []string{"-p", strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	s.conns++
	s.mu.Unlock()
	// An end for clients that have failed and left their connection open.
	c.SetDeadline(time.Now().Add(20 * time.Second))
	var in, buf = []byte(nil), make([]byte, 1<<20)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		out, used, open := s.answer(in)
		in = in[used:]
		if !s.write(c, out) || !open {
			return
		}
	}
}

func (s *server) write(c net.Conn, out []byte) bool {
	for len(out) > 0 {
		n := len(out)
		if s.pieces > 0 {
			n = min(n, s.pieces)
		}
		if _, err := c.Write(out[:n]); err != nil {
			return false
		}
		out = out[n:]
	}
	return true
}

func (s *server) counts() [2]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return [2]int{s.count[opPut], s.count[opGet]}
}

// answer returns the replies to all complete requests.
func (s *server) answer(in []byte) (out []byte, used int, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.answerKV
	if s.resp {
		one = s.answerRESP
	}
	for {
		o, reply, n := one(in[used:])
		if n == 0 {
			s.rest = bytes.Clone(in[used:])
			return out, used, true
		}
		used += n
		if s.twist != nil {
			if reply = s.twist(o, s.count[o], reply); reply == nil {
				return out, used, false
			}
		}
		s.count[o]++
		out = append(out, reply...)
	}
}

func (s *server) answerKV(in []byte) (o op, reply []byte, n int) {
	m, n, err := kvproto.Parse(in)
	if n == 0 || err != nil {
		return 0, nil, 0
	}
	if m.Kind == kvproto.PutOrUpdate {
		s.db[string(m.Key)] = string(m.Value)
		return opPut, kvproto.Append(nil, &kvproto.Message{Kind: m.Kind}), n
	}
	r := kvproto.Message{Kind: kvproto.GetResponse, Key: m.Key}
	if v, ok := s.db[string(m.Key)]; ok {
		r.Value = []byte(v)
	} else {
		r.Status = kvproto.NotOk
	}
	return opGet, kvproto.Append(nil, &r), n
}

// answerRESP reads an array of bulk strings without a check, as the test sends
// right ones.
func (s *server) answerRESP(in []byte) (o op, reply []byte, n int) {
	n, err := respproto.ReplyLen(in)
	if n == 0 || err != nil {
		return 0, nil, 0
	}
	var args []string
	rest := in[bytes.IndexByte(in, '\n')+1 : n]
	for len(rest) > 0 {
		k, _ := respproto.ReplyLen(rest)
		head := bytes.IndexByte(rest, '\n') + 1
		args = append(args, string(rest[head:k-2]))
		rest = rest[k:]
	}
	switch args[0] {
	case "PING":
		return opPing, []byte("+PONG\r\n"), n
	case "SET":
		s.db[args[1]] = args[2]
		return opPut, []byte("+OK\r\n"), n
	case "INCR":
		i, _ := strconv.Atoi(s.db[args[1]])
		s.db[args[1]] = strconv.Itoa(i + 1)
		return opIncr, fmt.Appendf(nil, ":%d\r\n", i+1), n
	}
	if v, ok := s.db[args[1]]; ok {
		return opGet, respproto.AppendBulk(nil, v), n
	}
	return opGet, []byte("$-1\r\n"), n
}

// kvRun runs a command line as main does.
func kvRun(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err strings.Builder
	status = run(args, streams{in: strings.NewReader(stdin), out: &out, err: &err})
	return status, out.String(), err.String()
}

// expect runs a command line and checks all that it leaves.
func expect(t *testing.T, status int, stdout, stderr string, args ...string) {
	t.Helper()
	gotStatus, gotOut, gotErr := kvRun("", args...)
	if gotStatus != status || gotOut != stdout || gotErr != stderr {
		t.Errorf("kv %s\n got %d %q %q\nwant %d %q %q", strings.Join(args, " "),
			gotStatus, gotOut, gotErr, status, stdout, stderr)
	}
}

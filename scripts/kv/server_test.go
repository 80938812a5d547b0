//go:build unix

package main

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// The tests wait more than they work: many of them wait at a time.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "30")
	os.Exit(m.Run())
}

// A server answers requests in a test. Its zero value speaks kv and has no keys.
type server struct {
	resp   bool
	serial bool                                   // serves one connection at a time
	hangUp bool                                   // closes each connection at once
	twist  func(o op, i int, right []byte) []byte // changes reply i of a kind; nil ends the connection
	pieces int                                    // bytes in a write; 0: all

	net.Listener
	mu    sync.Mutex
	db    map[string]string
	count [opOther + 1]int // requests by op
	conns []net.Conn
	rest  []byte // the last input that was not a whole request
}

const (
	opPing  = opIncr + 1
	opOther = opPing + 1
)

// start lets the server serve until the test ends.
func start(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
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
		s.disconnect()
		wg.Wait()
	})
	return s
}

// disconnect closes all connections.
func (s *server) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	var in, buf = []byte(nil), make([]byte, 1<<20)
	for open := !s.hangUp; open; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		var out []byte
		out, in, open = s.answer(in)
		size := s.pieces
		if size == 0 {
			size = max(1, len(out))
		}
		for piece := range slices.Chunk(out, size) {
			if _, err := c.Write(piece); err != nil {
				return
			}
		}
	}
}

// answer returns the replies to all complete requests, and the rest of the input.
func (s *server) answer(in []byte) (out, rest []byte, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.answerKV
	if s.resp {
		one = s.answerRESP
	}
	for {
		o, reply, n := one(in)
		if n <= 0 {
			s.rest = bytes.Clone(in)
			return out, in, true
		}
		in = in[n:]
		i := s.count[o]
		s.count[o]++
		if s.twist != nil {
			if reply = s.twist(o, i, reply); reply == nil {
				return out, nil, false
			}
		}
		out = append(out, reply...)
	}
}

func (s *server) answerKV(in []byte) (o op, reply []byte, n int) {
	m, n, err := kvproto.Parse(in)
	if err != nil {
		return opOther, frame(kvproto.Message{Value: []byte(err.Error()), Status: kvproto.NotOk}), len(in)
	}
	if m.Kind == kvproto.PutOrUpdate {
		s.db[string(m.Key)] = string(m.Value)
		return opPut, frame(kvproto.Message{Kind: m.Kind}), n
	}
	r := kvproto.Message{Kind: kvproto.GetResponse, Key: m.Key, Status: kvproto.NotOk}
	if v, ok := s.db[string(m.Key)]; ok {
		r.Value, r.Status = []byte(v), kvproto.Ok
	}
	return opGet, frame(r), n
}

func frame(m kvproto.Message) []byte { return kvproto.Append(nil, &m) }

func (s *server) answerRESP(in []byte) (o op, reply []byte, n int) {
	words, n, err := new(respproto.Session).Parse(in, nil)
	if n <= 0 || err != nil {
		return 0, nil, 0
	}
	var args [3]string
	for i, w := range words {
		args[i] = string(w)
	}
	value, ok := s.db[args[1]]
	switch {
	case args[0] == "PING":
		return opPing, []byte("+PONG\r\n"), n
	case args[0] == "SET":
		s.db[args[1]] = args[2]
		return opPut, []byte("+OK\r\n"), n
	case args[0] == "INCR":
		i, _ := strconv.Atoi(value)
		s.db[args[1]] = strconv.Itoa(i + 1)
		return opIncr, fmt.Appendf(nil, ":%d\r\n", i+1), n
	case args[0] != "GET":
		return opOther, []byte("-ERR unknown command\r\n"), n
	case ok:
		return opGet, respproto.AppendBulk(nil, value), n
	}
	return opGet, []byte("$-1\r\n"), n
}

// counts returns the numbers of puts, gets, and connections.
func (s *server) counts() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []int{s.count[opPut], s.count[opGet], len(s.conns)}
}

// twist returns a twist that sends another reply to those requests of a kind for which
// that is wanted.
func twist(which op, wrong string, wanted func(i int) bool) func(op, int, []byte) []byte {
	return func(o op, i int, right []byte) []byte {
		switch {
		case o != which || !wanted(i):
			return right
		case wrong == closing:
			return nil
		}
		return []byte(wrong)
	}
}

const closing = "the connection is closed instead"

func always(int) bool             { return true }
func everyTenth(i int) bool       { return i%10 == 5 }
func onceAt(n int) func(int) bool { return func(i int) bool { return i == n } }

// cmd returns a command line with the options that lead to the server.
func (s *server) cmd(line string, more ...string) []string {
	words := strings.Fields(line)
	port := strconv.Itoa(s.Addr().(*net.TCPAddr).Port)
	return slices.Concat(words[:1], []string{"-p", port}, words[1:], more)
}

// kvRun runs a command line as main does.
func kvRun(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err strings.Builder
	status = run(args, streams{strings.NewReader(stdin), &out, &err})
	return status, out.String(), err.String()
}

// expect runs a command line and checks all that it leaves. If stderr lacks its end of
// line, it may be any part of the only line.
func expect(t *testing.T, args []string, status int, stdout, stderr string) {
	t.Helper()
	gotStatus, gotOut, gotErr := kvRun("", args...)
	same := gotErr == stderr
	if stderr != "" && !strings.HasSuffix(stderr, "\n") {
		same = strings.HasPrefix(gotErr, "kv: ") && strings.Contains(gotErr, stderr) && strings.Count(gotErr, "\n") == 1
	}
	if gotStatus != status || gotOut != stdout || !same {
		t.Errorf("kv %s\n got %d %q %q\nwant %d %q %q", strings.Join(args, " "), gotStatus, gotOut, gotErr, status, stdout, stderr)
	}
}

// A writer is a function that writes.
type writer func(b []byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

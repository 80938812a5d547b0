//go:build unix

package main

import (
	"cmp"
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

	listener net.Listener
	addr     net.Addr
	mu       sync.Mutex
	db       map[string]string
	count    [opOther + 1]int // requests by op
	conns    []net.Conn
	rest     []byte // the last input that was not a whole request
}

const (
	opPing  = opIncr + 1
	opOther = opPing + 1
)

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// start lets the server serve until the test ends.
func start(t *testing.T, s *server) *server {
	s.listener = listen(t)
	s.addr = s.listener.Addr()
	s.db = map[string]string{}
	go func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			if s.serial {
				s.serve(c)
			} else {
				go s.serve(c)
			}
		}
	}()
	t.Cleanup(s.disconnect)
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
		for piece := range slices.Chunk(out, cmp.Or(s.pieces, len(out), 1)) {
			c.Write(piece)
		}
	}
}

// answer returns the replies to all complete requests, and the rest of the input.
func (s *server) answer(in []byte) (out, rest []byte, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		o, key, value, n := s.parse(in)
		if n <= 0 {
			s.rest = in
			return out, in, true
		}
		in = in[n:]
		reply := s.reply(o, key, value)
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

func (s *server) parse(in []byte) (o op, key, value string, n int) {
	if !s.resp {
		m, n, err := kvproto.Parse(in)
		if err != nil {
			return opOther, "", err.Error(), len(in)
		}
		o = opGet
		if m.Kind == kvproto.PutOrUpdate {
			o = opPut
		}
		return o, string(m.Key), string(m.Value), n
	}
	words, n, _ := new(respproto.Session).Parse(in, nil)
	words = append(words, nil, nil, nil)
	o, ok := map[string]op{"SET": opPut, "GET": opGet, "INCR": opIncr, "PING": opPing}[string(words[0])]
	if !ok {
		o = opOther
	}
	return o, string(words[1]), string(words[2]), n
}

func (s *server) reply(o op, key, value string) []byte {
	name := map[bool]string{true: "resp", false: "kv"}[s.resp]
	stored, ok := s.db[key]
	switch {
	case o == opPut:
		s.db[key] = value
		return protocols[name].reply(opPut, nil, nil)
	case o == opGet && ok:
		return protocols[name].reply(opGet, []byte(key), []byte(stored))
	case o == opIncr:
		i, _ := strconv.Atoi(stored)
		s.db[key] = strconv.Itoa(i + 1)
		return fmt.Appendf(nil, ":%d\r\n", i+1)
	case o == opPing:
		return []byte("+PONG\r\n")
	case o == opGet && s.resp:
		return []byte("$-1\r\n")
	case o == opGet:
		return frame(kvproto.Message{Kind: kvproto.GetResponse, Key: []byte(key), Status: kvproto.NotOk})
	case s.resp:
		return []byte("-ERR unknown command\r\n")
	}
	return frame(kvproto.Message{Value: []byte(value), Status: kvproto.NotOk})
}

func frame(m kvproto.Message) []byte { return kvproto.Append(nil, &m) }

// counts returns the numbers of puts, gets, and connections.
func (s *server) counts() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []int{s.count[opPut], s.count[opGet], len(s.conns)}
}

// twist returns a twist that sends another reply to those requests of a kind for which
// that is wanted, or none if that is empty.
func twist(which op, wrong string, wanted func(i int) bool) func(op, int, []byte) []byte {
	return func(o op, i int, right []byte) []byte {
		if o != which || !wanted(i) {
			return right
		}
		if wrong == closing {
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
	port := strconv.Itoa(s.addr.(*net.TCPAddr).Port)
	return slices.Concat(words[:1], []string{"-p", port}, words[1:], more)
}

// kvRun runs a command line as main does.
func kvRun(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err strings.Builder
	status = run(args, streams{strings.NewReader(stdin), &out, &err})
	return status, out.String(), err.String()
}

// expect runs a command line and checks all that it leaves.
func expect(t *testing.T, args []string, status int, stdout, stderr string) {
	t.Helper()
	gotStatus, gotOut, gotErr := kvRun("", args...)
	if gotStatus != status || gotOut != stdout || gotErr != stderr {
		t.Errorf("kv %s\n got %d %q %q\nwant %d %q %q", strings.Join(args, " "), gotStatus, gotOut, gotErr, status, stdout, stderr)
	}
}

// A writer is a function that writes.
type writer func(b []byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

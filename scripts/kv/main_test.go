//go:build unix

package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ioflavors/kvproto"
)

func TestUsage(t *testing.T) {
	expect(t, 2, "", usage)
	for _, args := range [][]string{{"help"}, {"-help"}, {"--help"}, {"bench", "-help"}, {"get", "--help"}} {
		expect(t, 0, usage, "", args...)
	}
	f, _, err := parseBench(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, burdenPart, _ := strings.Cut(usage, "Of a KIND:")
	for text, names := range map[string][]string{usage: f.names(), burdenPart: {"c", "d", "n", "key", "T"}} {
		for _, name := range names {
			if !strings.Contains(text, "\n  -"+name+" ") {
				t.Errorf("the usage text is silent about -%s", name)
			}
		}
	}
	for _, kind := range burdenKinds {
		if !strings.Contains(burdenPart, "\n  "+kind+" ") {
			t.Errorf("the usage text is silent about burden %s", kind)
		}
	}
}

func TestFlagErrors(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"frob", `unknown command "frob": want get, put, bench, incr, burden or help`},
		{"-p 1 get k", `unknown command "-p": want get, put, bench, incr, burden or help`},
		{"get", "wrong number of arguments, 0: want kv get [options] KEY"},
		{"get a b", "wrong number of arguments, 2: want kv get [options] KEY"},
		{"put a", "wrong number of arguments, 1: want kv put [options] KEY VALUE"},
		{"bench x", "wrong number of arguments, 1: want kv bench [options]"},
		{"get -c 1 k", "flag provided but not defined: -c: get accepts -h -p -w"},
		{"get -h", "flag needs an argument: -h: want a host name or an IP address"},
		{"get -h= k", `invalid value "" for flag -h: want a host name or an IP address`},
		{"get -p 0 k", `invalid value "0" for flag -p: want a whole number from 1 to 65535`},
		{"get -p 65536 k", `invalid value "65536" for flag -p: want a whole number from 1 to 65535`},
		{"bench -z", "flag provided but not defined: -z: bench accepts -P -R -T -c -csv -d -fill -h -k -key -n -p -proto -q -r -t -w"},
		{"bench -c", "flag needs an argument: -c: want a whole number from 1 to 60000"},
		{"bench -c 0", `invalid value "0" for flag -c: want a whole number from 1 to 60000`},
		{"bench -n 1e6", `invalid value "1e6" for flag -n: want a whole number from 1 to 1000000000000`},
		{"bench -P -1", `invalid value "-1" for flag -P: want a whole number from 1 to 1000000`},
		{"bench -d 67108801", `invalid value "67108801" for flag -d: want a whole number from 1 to 67108800`},
		{"bench -r x", `invalid value "x" for flag -r: want a whole number from 1 to 1000000000000`},
		{"bench -k 2", `invalid value "2" for flag -k: want 0 or 1`},
		{"bench -proto http", `invalid value "http" for flag -proto: want kv or resp`},
		{"bench -q=x", `invalid boolean value "x" for -q: want no value, or true or false`},
		{"bench -t set", `invalid value "set" for flag -t: want put, get or put,get; with -proto resp set, get or set,get`},
		{"bench -proto resp -t put", `invalid value "put" for flag -t: want put, get or put,get; with -proto resp set, get or set,get`},
		{"bench -t get,", `invalid value "get," for flag -t: want put, get or put,get; with -proto resp set, get or set,get`},
		{"bench -T 0", `invalid value "0" for flag -T: want seconds from 0.001 to 3600`},
		{"bench -T 3601", `invalid value "3601" for flag -T: want seconds from 0.001 to 3600`},
		{"bench -w NaN", `invalid value "NaN" for flag -w: want seconds from 0.001 to 3600`},
		{"bench -R 0", `invalid value "0" for flag -R: want a whole number from 1 to 1000000`},
		{"bench -R 5 -k 0", `invalid value "0" for flag -k: want 1 with -R`},
		{"bench -r 5 -key k", `want -r or -key, not both`},
		{"incr x", "wrong number of arguments, 1: want kv incr [options]"},
		{"incr -n 0", `invalid value "0" for flag -n: want a whole number from 1 to 100000000`},
		{"incr -k no", `invalid value "no" for flag -k: want 0 or 1`},
		{"burden", "wrong number of arguments, 0: want kv burden [options] KIND"},
		{"burden loud", `invalid kind "loud": want idle, silent, slow, heavy`},
		{"burden -c 60001 idle", `invalid value "60001" for flag -c: want a whole number from 1 to 60000`},
		{"burden -d 67108865 slow", `invalid value "67108865" for flag -d: want a whole number from 1 to 67108864`},
		{"burden -T -1 idle", `invalid value "-1" for flag -T: want seconds from 0.001 to 3600`},
		{"bench -P 1000000 -d 100000", `invalid value 1000000 for flag -P: with -d 100000 and -c 50 the requests and replies take more than 1024 MiB`},
		{"bench -r 10 -c 60000 -d 20000 -t get", `invalid value 1 for flag -P: with -d 20000 and -c 60000 the requests and replies take more than 1024 MiB`},
	} {
		expect(t, 2, "", "kv: "+tc.want+"\n", strings.Fields(tc.args)...)
	}
}

func TestGetPut(t *testing.T) {
	var s server
	at := s.start(t)
	expect(t, 1, "", "kv: get k: no such key\n", cmd("get", at, "k")...)
	expect(t, 0, "OK\n", "", cmd("put", at, "k", "some value")...)
	expect(t, 0, "some value\n", "", cmd("get", at, "k")...)
	expect(t, 0, "OK\n", "", cmd("put", at, "k", "")...)
	expect(t, 0, "\n", "", cmd("get", at, "k")...)
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, unix.ENOSPC }

// What a command has to say must be heard.
func TestOutputFails(t *testing.T) {
	var kv, resp server
	resp.resp = true
	at, atRESP := kv.start(t), resp.start(t)
	for _, args := range [][]string{
		{"help"},
		{"get", "-help"},
		cmd("put", at, "k", "v"),
		cmd("get", at, "k"),
		cmd("bench", at, "-n", "1"),
		cmd("bench", at, "-n", "1", "-csv"),
		cmd("incr", atRESP, "-n", "1"),
		cmd("burden", atRESP, "-T", "0.001", "idle"),
	} {
		var err strings.Builder
		status := run(args, streams{out: full{}, err: &err})
		if want := "kv: standard output: no space left on device\n"; status != 1 || err.String() != want {
			t.Errorf("kv %s: got %d %q, want 1 and %q", strings.Join(args, " "), status, &err, want)
		}
	}
}

func TestPutStandardInput(t *testing.T) {
	var s server
	at := s.start(t)
	value := strings.Repeat("line\n", 1000)
	if status, out, err := kvRun(value, cmd("put", at, "k", "-")...); status != 0 || out != "OK\n" {
		t.Fatal(status, out, err)
	}
	expect(t, 0, value+"\n", "", cmd("get", at, "k")...)
}

// The largest value there is, which arrives in many reads.
func TestLargestValue(t *testing.T) {
	var s server
	at := s.start(t)
	overhead := len(kvproto.Append(nil, &kvproto.Message{Key: []byte("k"), Value: make([]byte, kvproto.MaxFrame-100), Kind: 3})) - (kvproto.MaxFrame - 100)
	value := strings.Repeat("v", kvproto.MaxFrame+4-overhead)
	if status, out, err := kvRun(value, cmd("put", at, "k", "-")...); status != 0 || out != "OK\n" {
		t.Fatal(status, out, err)
	}
	if status, out, err := kvRun("", cmd("get", at, "k")...); status != 0 || out != value+"\n" {
		t.Errorf("got status %d, %d bytes, %s", status, len(out), err)
	}
	want := fmt.Sprintf("kv: key and value make a frame of %d bytes: the limit is %d\n", kvproto.MaxFrame+1, kvproto.MaxFrame)
	if status, out, err := kvRun(value+"v", cmd("put", at, "k", "-")...); status != 1 || out != "" || err != want {
		t.Errorf("one byte more: got %d %q %q, want 1 and %q", status, out, err, want)
	}
}

// Replies that get and put must not take for success.
func TestGetPutWrongReplies(t *testing.T) {
	msg := func(m kvproto.Message) []byte { return kvproto.Append(nil, &m) }
	for _, tc := range []struct {
		reply    []byte
		get, put string
	}{
		{msg(kvproto.Message{Value: []byte("bad size"), Status: 1}), "the server answers: bad size", "the server answers: bad size"},
		{msg(kvproto.Message{Kind: 7}), "the reply is of kind 7, not 2", "the reply is of kind 7, not 3"},
		{msg(kvproto.Message{Kind: 3, Status: 1}), "the reply is of kind 3, not 2", "put k: the server answers not Ok"},
		{msg(kvproto.Message{Kind: 2, Key: []byte("q")}), `get k: the reply is about another key, "q"`, "the reply is of kind 2, not 3"},
		{msg(kvproto.Message{Kind: 2, Key: []byte("q"), Status: 1}), `get k: the reply is about another key, "q"`, "the reply is of kind 2, not 3"},
		{[]byte("+OK\r\n"), "does the server run with -proto kv?", "malformed reply: frame size is above 64 MiB (does the server run with -proto kv?)"},
		{[]byte("\x01\x00\x00\x00"), "malformed reply", "malformed reply: frame size is below 5"},
		{nil, "the server closed the connection without a reply", "the server closed the connection without a reply"},
	} {
		s := server{twist: func(op, int, []byte) []byte { return tc.reply }}
		at := s.start(t)
		for want, args := range map[string][]string{tc.get: cmd("get", at, "k"), "\x00" + tc.put: cmd("put", at, "k", "v")} {
			want = strings.TrimPrefix(want, "\x00")
			status, out, err := kvRun("", args...)
			if status != 1 || out != "" || !strings.HasPrefix(err, "kv: ") || !strings.Contains(err, want) || strings.Count(err, "\n") != 1 {
				t.Errorf("%q: kv %s: got %d %q %q, want 1 and %q", tc.reply, args[0], status, out, err, want)
			}
		}
	}
}

func cmd(name string, at []string, more ...string) []string {
	return slices.Concat([]string{name}, at, more)
}

// deadPort returns a port that is taken but not listened on.
func deadPort(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return sa.(*unix.SockaddrInet4).Port
}

func TestRefused(t *testing.T) {
	port := deadPort(t)
	at := []string{"-p", strconv.Itoa(port)}
	want := fmt.Sprintf("kv: connect 127.0.0.1:%d: connection refused\n", port)
	expect(t, 1, "", want, cmd("get", at, "k")...)
	expect(t, 1, "", want, cmd("put", at, "k", "v")...)
	expect(t, 1, "", want, cmd("bench", at)...)
	expect(t, 1, "", want, cmd("bench", at, "-k", "0", "--csv")...)
}

func TestBench(t *testing.T) {
	for _, tc := range []struct {
		options  string
		puts     int // requests that the server has seen
		gets     int
		conns    int
		keys     int // stored at the end; -1: any number
		oddSplit bool
	}{
		{"-c 1 -n 10", 10, 10, 2, 1, false},
		{"-c 5 -n 1001 -P 1", 1001, 1001, 10, 1, false},
		{"-c 5 -n 1001 -P 16", 1001, 1001, 10, 1, false},
		{"-c 5 -n 3 -P 16", 3, 3, 2, 1, false},
		{"-c 50 -n 20 -P 2", 20, 20, 20, 1, false},
		{"-c 5 -n 500 -P 7 -r 30", 530, 500, 11, 30, false},
		{"-c 5 -n 500 -P 7 -r 30 -t get", 30, 500, 6, 30, false},
		{"-c 5 -n 500 -P 7 -r 1 -t get", 1, 500, 6, 1, false},
		{"-c 5 -n 100 -t get", 1, 100, 6, 1, false},
		{"-c 5 -n 100 -t get,get", 1, 200, 11, 1, false},
		{"-c 5 -n 500 -P 7 -r 1000001", 500, 500, 10, -1, false},
		{"-c 2 -n 20 -P 7 -r 1000000000000 -d 2000", 20, 20, 4, -1, false},
		{"-c 3 -n 12 -P 2 -d 300000", 12, 12, 6, 1, false},
		{"-c 3 -n 12 -P 2 -d 300000 -r 5", 17, 12, 7, 5, false},
		{"-c 3 -n 50 -k 0", 50, 50, 100, 1, false},
		{"-c 3 -n 50 -k 0 -P 20 -r 9", 59, 50, 7, 9, false},
		{"-c 3 -n 60 -P 4 -r 9", 69, 60, 7, 9, true},
	} {
		for _, proto := range []string{"kv", "resp"} {
			t.Run(proto+" "+tc.options, func(t *testing.T) {
				s := server{resp: proto == "resp"}
				if tc.oddSplit {
					s.pieces = 3
				}
				at := s.start(t)
				args := cmd("bench", at, append([]string{"-proto", proto, "--csv"}, strings.Fields(tc.options)...)...)
				status, out, err := kvRun("", args...)
				if status != 0 || err != "" {
					t.Fatalf("status %d: %s", status, err)
				}
				checkCSV(t, out)
				s.mu.Lock()
				defer s.mu.Unlock()
				got := []int{s.count[opPut], s.count[opGet], s.conns}
				if diff := cmp.Diff([]int{tc.puts, tc.gets, tc.conns}, got); diff != "" {
					t.Errorf("puts, gets, connections: -want +got\n%s", diff)
				}
				if tc.keys >= 0 && len(s.db) != tc.keys {
					t.Errorf("%d keys stored, want %d", len(s.db), tc.keys)
				}
				for k := range s.db {
					if n, err := strconv.Atoi(strings.TrimPrefix(k, "key:")); err != nil || len(k) != 16 || tc.keys > 0 && n >= tc.keys {
						t.Errorf("key %q", k)
					}
				}
			})
		}
	}
}

// checkCSV checks that there is a row of positive numbers in order for each test.
func checkCSV(t *testing.T, out string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) < 2 || !strings.HasPrefix(out, csvHeader+"\n") {
		t.Fatalf("%v in\n%s", err, out)
	}
	for _, row := range rows[1:] {
		var figures []float64 // min, p50, p95, p99, max
		for _, cell := range row[1:] {
			x, err := strconv.ParseFloat(cell, 64)
			if err != nil || x <= 0 {
				t.Errorf("%q in %q", cell, row)
			}
			figures = append(figures, x)
		}
		if !slices.IsSorted(figures[2:]) || figures[1] < figures[2] || figures[1] > figures[6] {
			t.Errorf("out of order: %q", row)
		}
	}
}

// Each wrong reply is counted, in each protocol, and the exit status tells.
func TestBenchWrongReplies(t *testing.T) {
	everyTenth := func(which op, wrong string) func(op, int, []byte) []byte {
		return func(o op, i int, right []byte) []byte {
			if o == which && i%10 == 5 {
				return []byte(wrong)
			}
			return right
		}
	}
	for _, tc := range []struct {
		proto string
		op    op
		wrong string
		want  string
	}{
		{"kv", opPut, frame(kvproto.Message{Kind: 3, Status: 1}), "kv: PUT: 10 of 100 replies are wrong: 10 not Ok\n"},
		{"kv", opPut, kvError, "kv: PUT: 10 of 100 replies are wrong: 10 error reply; the first message: \"no\"\n"},
		{"kv", opGet, kvNoKey, "kv: GET: 10 of 100 replies are wrong: 10 missing key\n"},
		{"kv", opGet, kvPutOK, "kv: GET: 10 of 100 replies are wrong: 10 wrong kind\n"},
		{"kv", opGet, frame(kvproto.Message{Kind: 2, Key: key, Value: []byte("other")}), "kv: GET: 10 of 100 replies are wrong: 10 wrong value\n"},
		{"resp", opPut, "-ERR no\r\n", "kv: SET: 10 of 100 replies are wrong: 10 error reply; the first message: \"ERR no\"\n"},
		{"resp", opGet, "$-1\r\n", "kv: GET: 10 of 100 replies are wrong: 10 missing key\n"},
		{"resp", opGet, "$3\r\nxxy\r\n", "kv: GET: 10 of 100 replies are wrong: 10 wrong value\n"},
		{"resp", opGet, ":3\r\n", "kv: GET: 10 of 100 replies are wrong: 10 wrong kind\n"},
	} {
		for _, pipeline := range []string{"1", "8"} {
			s := server{resp: tc.proto == "resp", twist: everyTenth(tc.op, tc.wrong)}
			at := s.start(t)
			status, out, err := kvRun("", cmd("bench", at, "-proto", tc.proto, "-n", "100", "-c", "4", "-P", pipeline, "-q")...)
			if status != 1 || err != tc.want || strings.Count(out, "\n") != 2 {
				t.Errorf("-P %s: got %d %q %q, want 1 and %q", pipeline, status, out, err, tc.want)
			}
		}
	}
}

// With more keys than are stored first, a missing key is right, another value is not.
func TestBenchMissingKeys(t *testing.T) {
	var s server
	at := s.start(t)
	args := cmd("bench", at, "-n", "100", "-c", "2", "-r", "1000001", "-t", "get", "-q")
	if status, _, err := kvRun("", args...); status != 0 || err != "" {
		t.Errorf("got %d %q", status, err)
	}
	if got := s.counts(); got != [2]int{0, 100} {
		t.Errorf("%v puts and gets, want 0 and 100", got)
	}
}

// The keys of a get test may be there: then none is stored.
func TestBenchFilled(t *testing.T) {
	for keys, options := range map[int64][]string{1: nil, 20: {"-r", "20"}} {
		var s server
		at := append(s.start(t), options...)
		args := cmd("bench", at, "-t", "get", "-n", "10", "-fill", "0", "-q")
		if status, _, err := kvRun("", args...); status != 1 || !strings.Contains(err, "10 of 10 replies are wrong: 10 ") {
			t.Errorf("no key: got %d %q", status, err)
		}
		if status, _, err := kvRun("", cmd("bench", at, "-t", "get", "-n", "1", "-q")...); status != 0 {
			t.Fatal(err)
		}
		if status, _, err := kvRun("", args...); status != 0 {
			t.Errorf("%d keys: got %d %q", keys, status, err)
		}
		if got := s.counts()[0]; got != int(keys) {
			t.Errorf("%d puts, want %d", got, keys)
		}
	}
}

// A server that does not store is found out before the get test.
func TestBenchFillFails(t *testing.T) {
	s := server{twist: func(o op, i int, right []byte) []byte {
		return bytes.Replace(right, []byte("\x18\x03"), []byte("\x20\x01"), 1)
	}}
	at := s.start(t)
	want := "kv: storing the keys: 20 of 20 replies are wrong: 20 error reply\n"
	expect(t, 1, "", want, cmd("bench", at, "-n", "100", "-r", "20", "-t", "get")...)
}

// A server that closes early: the requests without a reply are counted, and the
// bench goes on with a new connection.
func TestBenchClosedEarly(t *testing.T) {
	for _, tc := range []struct{ pipeline, want string }{
		{"1", "kv: PUT: 4 of 40 replies are wrong: 4 connection closed instead"},
		{"10", "kv: PUT: 9 of 40 replies are wrong: 9 connection closed instead"},
	} {
		n := 0
		s := server{twist: func(o op, i int, right []byte) []byte {
			if n++; n%10 == 5 && o == opPut {
				return nil
			}
			return right
		}}
		at := s.start(t)
		status, _, err := kvRun("", cmd("bench", at, "-n", "40", "-c", "1", "-P", tc.pipeline, "-t", "put")...)
		if status != 1 || !strings.HasPrefix(err, tc.want) {
			t.Errorf("-P %s: got %d %q, want 1 and %q", tc.pipeline, status, err, tc.want)
		}
	}
}

// A server that closes every connection at once.
func TestBenchClosedAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	status, _, stderr := kvRun("", cmd("bench", target(l), "-n", "200", "-c", "10", "-P", "4", "-t", "put")...)
	want := "kv: PUT: 200 of 200 replies are wrong: 200 connection closed instead"
	if status != 1 || !strings.HasPrefix(stderr, want) {
		t.Errorf("got %d %q, want 1 and %q", status, stderr, want)
	}
}

// A server that never answers ends every command.
func TestSilence(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 500 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel connects; nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	silent := fmt.Sprintf("kv: %v: no answer for 500ms\n", l.Addr())
	expect(t, 3, "", silent, cmd("get", target(l), "k")...)
	expect(t, 3, "", silent, cmd("put", target(l), "k", "v")...)
	for name, args := range map[string][]string{
		"":                     {"-n", "100", "-c", "3"},
		"large requests":       {"-n", "100", "-c", "3", "-d", "60000000"},
		"a connection at once": {"-n", "100", "-c", "3", "-k", "0"},
	} {
		want := fmt.Sprintf("kv: PUT: nothing received for 500ms from %v on 3 of 3 connections; 0 of 100 requests have their reply\n", l.Addr())
		t.Run(name, func(t *testing.T) { expect(t, 3, "", want, cmd("bench", target(l), args...)...) })
	}
}

// A server that answers some requests and then no more.
func TestBenchStops(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 500 * time.Millisecond
	s := server{twist: func(o op, i int, right []byte) []byte {
		if i >= 50 {
			return []byte{}
		}
		return right
	}}
	at := s.start(t)
	status, _, err := kvRun("", cmd("bench", at, "-n", "100", "-c", "1")...)
	want := fmt.Sprintf("kv: PUT: nothing received for 500ms from 127.0.0.1:%s on 1 of 1 connections; 50 of 100 requests have their reply\n", at[1])
	if status != 3 || err != want {
		t.Errorf("got %d %q, want 3 and %q", status, err, want)
	}
}

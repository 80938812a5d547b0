//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ioflavors/kvproto"
)

func TestUsage(t *testing.T) {
	expect(t, nil, 2, "", usage)
	for _, line := range []string{"help", "-help", "bench -help", "get --help"} {
		expect(t, strings.Fields(line), 0, usage, "")
	}
	for line := range strings.Lines(usage) {
		if len(line) > 80 {
			t.Errorf("longer than 79: %s", line)
		}
	}
	general, special, _ := strings.Cut(usage, "burden opens")
	for command, text := range map[string]string{"bench": general, "burden": general[:strings.Index(general, "Options of bench")] + special} {
		_, _, known := kvRun("", command, "-z")
		_, known, _ = strings.Cut(known, " accepts ")
		for _, name := range strings.Fields(known) {
			if !strings.Contains(text, "\n  "+name+" ") {
				t.Errorf("the help is silent about %s of %s", name, command)
			}
		}
	}
}

func TestFlagErrors(t *testing.T) {
	const seeHelp = `; "kv help" explains all commands and options`
	for _, tc := range []struct{ line, want string }{
		{"-h", "-h is the host, and comes after a command" + seeHelp},
		{"frob", `unknown command "frob": want get, put, bench, incr or burden` + seeHelp},
		{"get", "wrong number of arguments, 0: want kv get [options] KEY"},
		{"get -h", "flag needs an argument: -h: want a host name or an IP address" + seeHelp},
		{"get -h= k", `invalid value "" for flag -h: want a host name or an IP address`},
		{"bench -z", "flag provided but not defined: -z: bench accepts -P -R -T -c -csv -d -fill -h -k -key -n -p -proto -r -t -w"},
		{"bench -d 67108801", `invalid value "67108801" for flag -d: want a whole number from 1 to 67108800`},
		{"bench -k 2", `invalid value "2" for flag -k: want 0 or 1`},
		{"bench -proto http", `invalid value "http" for flag -proto: want kv or resp`},
		{"bench -t put,incr", `invalid value "put,incr" for flag -t: want put or get, or both with a comma between`},
		{"bench -w NaN", `invalid value "NaN" for flag -w: want seconds from 0.001 to 3600`},
		{"bench -R 5 -k 0", `invalid value "0" for flag -k: want 1 with -R`},
		{"bench -r 5 -key k", `want -r or -key, not both`},
		{"incr -n 0", `invalid value "0" for flag -n: want a whole number from 1 to 10000000`},
		{"burden loud", `invalid kind "loud": want idle, silent, slow or heavy`},
		{"bench -P 1000000 -d 100000", "invalid value 100000 for flag -P: with -d 100000 and -c 50 the requests and replies take more than 1024 MiB"},
		{"bench -r 10 -c 60000 -d 20000 -t get", "invalid value 1 for flag -P: with -d 20000 and -c 60000 the requests and replies take more than 1024 MiB"},
	} {
		expect(t, strings.Fields(tc.line), 2, "", "kv: "+tc.want+"\n")
	}
}

func TestGetPut(t *testing.T) {
	t.Parallel()
	s := start(t, &server{})
	expect(t, s.cmd("get k"), 1, "", "kv: get k: no such key\n")
	for _, value := range []string{"some value", ""} {
		expect(t, s.cmd("put k", value), 0, "OK\n", "")
		expect(t, s.cmd("get k"), 0, value+"\n", "")
	}
	value := strings.Repeat("line\n", 1000)
	if status, out, err := kvRun(value, s.cmd("put k -")...); status != 0 || out != "OK\n" {
		t.Fatal(status, out, err)
	}
	expect(t, s.cmd("get k"), 0, value+"\n", "")
}

// Each command notices that its output is lost.
func TestOutputFails(t *testing.T) {
	t.Parallel()
	full := writer(func([]byte) (int, error) { return 0, unix.ENOSPC })
	kv, resp := start(t, &server{}), start(t, &server{resp: true})
	for _, args := range [][]string{
		{"help"},
		kv.cmd("put k v"),
		kv.cmd("get k"),
		kv.cmd("bench -n 1"),
		resp.cmd("incr -n 1"),
		resp.cmd("burden -T 0.001 idle"),
	} {
		var err strings.Builder
		status := run(args, streams{out: full, err: &err})
		if want := "kv: standard output: no space left on device\n"; status != 1 || err.String() != want {
			t.Errorf("kv %s: got %d %q, want 1 and %q", strings.Join(args, " "), status, &err, want)
		}
	}
}

// The largest value that there is arrives in many reads.
func TestLargestValue(t *testing.T) {
	t.Parallel()
	s := start(t, &server{})
	overhead := len(frame(kvproto.Message{Key: []byte("k"), Value: make([]byte, kvproto.MaxFrame-100), Kind: 3})) - (kvproto.MaxFrame - 100)
	value := strings.Repeat("v", kvproto.MaxFrame+4-overhead)
	if status, out, err := kvRun(value, s.cmd("put k -")...); status != 0 || out != "OK\n" {
		t.Fatal(status, out, err)
	}
	if status, out, err := kvRun("", s.cmd("get k")...); status != 0 || out != value+"\n" {
		t.Errorf("got status %d, %d bytes, %s", status, len(out), err)
	}
	want := fmt.Sprintf("kv: key and value make a frame of %d bytes: the limit is %d\n", kvproto.MaxFrame+1, kvproto.MaxFrame)
	if status, out, err := kvRun(value+"v", s.cmd("put k -")...); status != 1 || out != "" || err != want {
		t.Errorf("one byte more: got %d %q %q, want 1 and %q", status, out, err, want)
	}
}

// A big value is read into a buffer of its size.
func TestReceiveBig(t *testing.T) {
	want := frame(kvproto.Message{Kind: kvproto.GetResponse, Key: key, Value: make([]byte, 5<<20)})
	got, err := receive(bytes.NewReader(want), kv{})
	if err != nil || len(got) != len(want) || cap(got) > len(want)+64<<10 {
		t.Errorf("%d bytes in a buffer of %d, %v; want %d", len(got), cap(got), err, len(want))
	}
}

func TestFails(t *testing.T) {
	t.Parallel()
	type failure struct {
		line   string
		server *server
		status int
		out    string // a regular expression
		want   string // a part of the error
	}
	const (
		closed = "the server closed the connection"
		result = "requests,replies,value,lost\n"
	)
	kvs := func(o op, wrong string, wanted func(int) bool) *server {
		return &server{twist: twist(o, wrong, wanted)}
	}
	redis := func(o op, wrong string) *server { return &server{resp: true, twist: twist(o, wrong, always)} }
	// Its port is free after some increments, of which one has repeated another.
	crashes := &server{resp: true}
	crashes.twist = func(o op, i int, right []byte) []byte {
		if o != opIncr {
			return right
		}
		crashes.listener.Close()
		return [][]byte{[]byte(":1\r\n"), []byte(":2\r\n"), []byte(":2\r\n"), []byte(":3\r\n"), nil}[i]
	}
	ends := &server{resp: true}
	ends.twist = func(o op, i int, right []byte) []byte {
		time.AfterFunc(time.Second, ends.disconnect)
		return right
	}
	cases := []failure{
		{"get k", kvs(opGet, kvError, always), 1, "", "get k: the server answers with an error: no"},
		{"put k v", kvs(opPut, kvError, always), 1, "", "put k: the server answers with an error: no"},
		{"get k", kvs(opGet, kvPutOK, always), 1, "", `get k: the server answers kind 3, status 0, key "", value ""`},
		{"get k", kvs(opGet, kvGetOK, always), 1, "", `get k: the server answers kind 2, status 0, key "key:000000000000", value "xxx"`},
		{"get k", kvs(opGet, kvNoKey, always), 1, "", `get k: the server answers kind 2, status 1, key "key:000000000000", value ""`},
		{"put k v", kvs(opPut, kvGetOK, always), 1, "", "put k: the server answers kind 2"},
		{"put k v", kvs(opPut, kvNotOK, always), 1, "", "put k: the server answers kind 3, status 1"},
		{"get k", kvs(opGet, "\x01\x00\x00\x00", always), 1, "", "malformed reply: frame size is below 5"},
		{"put k v", kvs(opPut, closing, always), 1, "", ": " + closed + " without a reply"},

		{"bench -P 1", kvs(opPut, kvError, everyTenth), 1, "(.*\n){3}", "PUT: wrong replies: 10 of 100; the first: with an error: no\n"},
		{"bench -P 8", kvs(opGet, kvNoKey, everyTenth), 1, "(.*\n){3}", "GET: wrong replies: 10 of 100; the first: kind 2, status 1, "},
		{"bench -proto resp", redis(opPut, "-ERR no\r\n"), 1, "(.*\n){3}", `SET: wrong replies: 100 of 100; the first: "-ERR no\r\n"` + "\n"},
		{"bench -proto resp -P 8", redis(opGet, "$-1\r\n"), 1, "(.*\n){3}", `GET: wrong replies: 100 of 100; the first: "$-1\r\n"` + "\n"},
		// A get test begins with the keys; -fill 0 assumes that they exist.
		{"bench -t get -r 20", kvs(opPut, kvError, always), 1, "", "storing the keys: wrong replies: 20 of 20; the first: with an error: no"},
		{"bench -t get -r 20 -fill 0", &server{}, 1, "(.*\n){2}", "GET: wrong replies: 100 of 100; the first: kind 2, status 1, "},
		// The bench goes on with a new connection when the server has closed one.
		{"bench -c 1 -t put", kvs(opPut, closing, onceAt(5)), 1, "(.*\n){2}", "PUT: wrong replies: 1 of 100; the first: " + closed + "\n"},
		{"bench -c 1 -t put -P 10", kvs(opPut, closing, onceAt(5)), 1, "(.*\n){2}", "PUT: wrong replies: 5 of 100; the first: " + closed + "\n"},
		{"bench -t put -R 500", kvs(opPut, closing, onceAt(5)), 1, "(.*\n){2}", "PUT: wrong replies: 1 of 100; the first: " + closed + "\n"},
		{"bench -t put", &server{hangUp: true}, 1, "(.*\n){2}", "PUT: wrong replies: 100 of 100; the first: "},
		// A server may answer no more. And in a test of a given time, nobody is served only
		// because another has left.
		{"bench -c 1 -w 3", kvs(opPut, "", func(i int) bool { return i >= 50 }), 3, "", "PUT: nothing received for 3s from 127.0.0.1:"},
		{"bench -c 2 -w 6 -T 0.2", &server{serial: true}, 3, "", " on 1 of 1 connection\n"},

		{"incr", redis(opIncr, "-ERR no\r\n"), 1, result + "100,0,-1,0\n", `INCR: wrong replies: 100 of 100; the first: "-ERR no\r\n"`},
		{"incr", redis(opIncr, "$1\r\n1\r\n"), 1, result + "100,0,-1,0\n", `INCR: wrong replies: 100 of 100; the first: "$1\r\n1\r\n"`},
		{"incr", redis(opIncr, "*1\r\n:1\r\n"), 1, result + "100,0,-1,0\n", "malformed reply: neither a string nor an error"},
		{"incr", redis(opIncr, ":1\r\n:2\r\n:"), 1, result + "100,100,-1,99\n", "INCR: wrong replies: 100 of 100; the first: a reply that belongs to no request"},
		{"incr", redis(opPut, "-no\r\n"), 1, "", `SET key:000000000000: the server answers "-no\r\n"`},
		{"incr", redis(opGet, "-no\r\n"), 1, result + "100,100,-1,0\n", `GET key:000000000000: the server answers "-no\r\n"`},
		{"incr", redis(opGet, "$-1\r\n"), 1, result + "100,100,-1,0\n", `GET key:000000000000: the server answers "$-1\r\n"`},
		{"incr", redis(opGet, "$2\r\n97\r\n"), 1, result + "100,100,97,3\n", "lost increments: 3 of 100\n"},
		{"incr -c 1 -P 5", crashes, 1, result + "100,4,-1,1\n", "connection refused"},

		{"burden idle", redis(opPing, "-ERR full\r\n"), 1, "", `burden: the server answers "-ERR full\r\n"`},
		{"burden idle", redis(opPing, closing), 1, "", "burden: the server has closed a connection"},
		{"burden slow", redis(opPut, "-no\r\n"), 1, "", `SET burden: the server answers "-no\r\n"`},
		{"burden slow", redis(opPut, closing), 1, "", closed + " without a reply"},
		{"burden heavy", redis(opGet, "-no\r\n"), 1, "", `burden: the server answers "-no\r\n"`},
		{"burden heavy", redis(opGet, "$1000001\r\n"), 1, "", `burden: the server answers "$1000001\r\n"`},
		{"burden -d 3 heavy", redis(opGet, "$3\r\nxxx\r\n+"), 1, "", `burden: the server answers "$3\r\nxxx\r\n+"`},
		{"burden heavy", redis(opGet, closing), 1, "", "burden: the server has closed a connection"},
		{"burden -d 10 -w 6 heavy", redis(opGet, "$10\r\nxxx"), 3, "", "burden: no answer in the time that -w sets"},
		{"burden idle", ends, 1, "in effect: 1 connection, 1 served\n", "burden: the server has closed a connection"},
		// Only its reply tells a burden of silent clients of the other protocol.
		{"burden silent", &server{}, 1, "in effect: 1 connection, 0 served\n", "(does the server run with -proto resp?)"},
	}
	for _, line := range []string{"get k", "put k v", "bench", "bench -P 16 -r 9", "bench -t get -k 0"} {
		cases = append(cases, failure{line, &server{resp: true}, 1, "", ": malformed reply: frame size is above 64 MiB (does the server run with -proto kv?)"})
	}
	for _, line := range []string{"bench -proto resp", "bench -proto resp -t get -k 0", "incr", "burden idle", "burden slow", "burden heavy"} {
		cases = append(cases, failure{line, &server{}, 1, "", ": malformed reply: neither a string nor an error (does the server run with -proto resp?)"})
	}
	// Nobody listens on a port that a client has.
	conn, err := net.Dial("tcp", listen(t).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	for _, line := range []string{"get k", "put k v", "bench", "bench -k 0", "incr", "burden idle", "burden silent", "burden slow", "burden heavy"} {
		cases = append(cases, failure{line, &server{addr: conn.LocalAddr()}, 1, "", fmt.Sprintf("connect %v: connection refused\n", conn.LocalAddr())})
	}
	// The kernel connects, and nobody reads.
	silent := &server{addr: listen(t).Addr()}
	for _, line := range []string{"get -w 3 k", "put -w 3 k v", "incr -w 3", "burden -w 3 heavy"} {
		cases = append(cases, failure{line, silent, 3, "", fmt.Sprintf("kv: %v: no answer in the time that -w sets\n", silent.addr)})
	}
	for _, line := range []string{"bench -w 3", "bench -w 3 -k 0", "bench -w 3 -d 60000000"} {
		cases = append(cases, failure{line, silent, 3, "", fmt.Sprintf("kv: PUT: nothing received for 3s from %v on ", silent.addr)})
	}
	for _, tc := range cases {
		t.Run(tc.line+" "+tc.want, func(t *testing.T) {
			t.Parallel()
			if tc.server.addr == nil {
				start(t, tc.server)
			}
			args := tc.server.cmd(tc.line)
			if args[0] == "bench" || args[0] == "incr" {
				args = slices.Insert(args, 1, "-c", "4", "-n", "100")
			}
			status, out, stderr := kvRun("", args...)
			if ok, _ := regexp.MatchString("^"+tc.out+"$", out); !ok || status != tc.status || !strings.HasPrefix(stderr, "kv: ") ||
				!strings.Contains(stderr, tc.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("got %d %q %q, want %d %q %q", status, out, stderr, tc.status, tc.out, tc.want)
			}
		})
	}
}

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
		{"-c 3 -w 6 idle", "3 connections, 1 served", true, nil, ""},
		{"-c 1100 -w 6 idle", "1001 connections, 1 served", true, nil, ""},
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
			diff := "none"
			for end := time.Now().Add(20 * time.Second); diff != "" && time.Now().Before(end); {
				time.Sleep(time.Millisecond) // what has been sent may not have been read yet
				got := s.counts()
				got[1] = min(got[1], tc.counts[1])
				s.mu.Lock()
				diff = cmp.Diff(fmt.Sprintf("%v %q", tc.counts, tc.rest), fmt.Sprintf("%v %q", got, s.rest))
				s.mu.Unlock()
			}
			if diff != "" {
				t.Errorf("puts, gets, connections, rest of the input: -want +got\n%s", diff)
			}
		})
	}
}

//go:build unix

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ioflavors/kvproto"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	expect(t, nil, 2, "", usage)
	for _, line := range []string{"help", "-help", "--help", "bench -help", "get --help"} {
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
	t.Parallel()
	const (
		seeHelp = `; "kv help" explains all commands and options`
		tests   = "want put, get or put,get; with -proto resp set, get or set,get"
		seconds = "want seconds from 0.001 to 3600"
	)
	for _, tc := range []struct{ line, want string }{
		{"-h", "-h is the host, and comes after a command" + seeHelp},
		{"frob", `unknown command "frob": want get, put, bench, incr or burden` + seeHelp},
		{"-p 1 get k", `unknown command "-p": want get, put, bench, incr or burden` + seeHelp},
		{"get", "wrong number of arguments, 0: want kv get [options] KEY"},
		{"get a b", "wrong number of arguments, 2: want kv get [options] KEY"},
		{"put a", "wrong number of arguments, 1: want kv put [options] KEY VALUE"},
		{"bench x", "wrong number of arguments, 1: want kv bench [options]"},
		{"get -c 1 k", "flag provided but not defined: -c: get accepts -h -p -w"},
		{"get -h", "flag needs an argument: -h: want a host name or an IP address" + seeHelp},
		{"get -h= k", `invalid value "" for flag -h: want a host name or an IP address`},
		{"get -p 0 k", `invalid value "0" for flag -p: want a whole number from 1 to 65535`},
		{"get -p 65536 k", `invalid value "65536" for flag -p: want a whole number from 1 to 65535`},
		{"bench -z", "flag provided but not defined: -z: bench accepts -P -R -T -c -csv -d -fill -h -k -key -n -p -proto -r -t -w"},
		{"bench -c", "flag needs an argument: -c: want a whole number from 1 to 60000"},
		{"bench -c 0", `invalid value "0" for flag -c: want a whole number from 1 to 60000`},
		{"bench -n 1e6", `invalid value "1e6" for flag -n: want a whole number from 1 to 1000000000000`},
		{"bench -P -1", `invalid value "-1" for flag -P: want a whole number from 1 to 1000000`},
		{"bench -d 67108801", `invalid value "67108801" for flag -d: want a whole number from 1 to 67108800`},
		{"bench -r x", `invalid value "x" for flag -r: want a whole number from 1 to 1000000000000`},
		{"bench -k 2", `invalid value "2" for flag -k: want 0 or 1`},
		{"bench -proto http", `invalid value "http" for flag -proto: want kv or resp`},
		{"bench -t set", `invalid value "set" for flag -t: ` + tests},
		{"bench -proto resp -t put", `invalid value "put" for flag -t: ` + tests},
		{"bench -t get,", `invalid value "get," for flag -t: ` + tests},
		{"bench -T 0", `invalid value "0" for flag -T: ` + seconds},
		{"bench -T 3601", `invalid value "3601" for flag -T: ` + seconds},
		{"bench -w NaN", `invalid value "NaN" for flag -w: ` + seconds},
		{"bench -R 0", `invalid value "0" for flag -R: want a whole number from 1 to 1000000`},
		{"bench -R 5 -k 0", `invalid value "0" for flag -k: want 1 with -R`},
		{"bench -r 5 -key k", `want -r or -key, not both`},
		{"incr x", "wrong number of arguments, 1: want kv incr [options]"},
		{"incr -n 0", `invalid value "0" for flag -n: want a whole number from 1 to 10000000`},
		{"incr -k no", `invalid value "no" for flag -k: want 0 or 1`},
		{"burden", "wrong number of arguments, 0: want kv burden [options] KIND"},
		{"burden loud", `invalid kind "loud": want idle, silent, slow or heavy`},
		{"burden -c 60001 idle", `invalid value "60001" for flag -c: want a whole number from 1 to 60000`},
		{"burden -d 67108865 slow", `invalid value "67108865" for flag -d: want a whole number from 1 to 67108864`},
		{"burden -T -1 idle", `invalid value "-1" for flag -T: ` + seconds},
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
		{"get", "-help"},
		kv.cmd("put k v"),
		kv.cmd("get k"),
		kv.cmd("bench -n 1"),
		kv.cmd("bench -n 1 -csv"),
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
	t.Parallel()
	client, server := net.Pipe()
	defer client.Close()
	want := frame(kvproto.Message{Kind: kvproto.GetResponse, Key: key, Value: make([]byte, 5<<20)})
	go func() {
		server.Write(want)
		server.Close()
	}()
	got, err := receive(client, kv{})
	if err != nil || len(got) != len(want) || cap(got) > len(want)+64<<10 {
		t.Errorf("%d bytes in a buffer of %d, %v; want %d", len(got), cap(got), err, len(want))
	}
}

// get and put do not take these replies for success.
func TestGetPutWrongReplies(t *testing.T) {
	t.Parallel()
	hint := "malformed reply: frame size is above 64 MiB (does the server run with -proto kv?)\n"
	otherKey := `the server answers kind 2, status 0, key "q", value ""`
	closed := "the server closed the connection without a reply\n"
	for _, tc := range []struct {
		reply    []byte
		get, put string
	}{
		{frame(kvproto.Message{Value: []byte("bad size"), Status: 1}), "kv: get k: the server answers with an error: bad size\n", "kv: put k: the server answers with an error: bad size\n"},
		{frame(kvproto.Message{Kind: 7}), "get k: the server answers kind 7", "put k: the server answers kind 7"},
		{frame(kvproto.Message{Kind: 3, Status: 1}), "get k: the server answers kind 3, status 1", "put k: the server answers kind 3, status 1"},
		{frame(kvproto.Message{Kind: 2, Key: []byte("q")}), "get k: " + otherKey, "put k: " + otherKey},
		{[]byte("\x01\x00\x00\x00"), "malformed reply: frame size is below 5", "malformed reply: frame size is below 5"},
		{[]byte("+OK\r\n"), hint[:len(hint)-1], hint[:len(hint)-1]},
		{nil, closed[:len(closed)-1], closed[:len(closed)-1]},
	} {
		s := start(t, &server{twist: func(op, int, []byte) []byte { return tc.reply }})
		expect(t, s.cmd("get k"), 1, "", tc.get)
		expect(t, s.cmd("put k v"), 1, "", tc.put)
	}
}

// A server of the other protocol is recognized by all commands, at once.
func TestOtherProtocol(t *testing.T) {
	t.Parallel()
	for proto, lines := range map[string][]string{
		"kv":   {"get k", "put k v", "bench", "bench -P 16 -r 9", "bench -t get -k 0"},
		"resp": {"bench -proto resp", "bench -proto resp -k 0", "bench -proto resp -t get", "incr", "burden idle", "burden silent", "burden slow", "burden heavy"},
	} {
		s := start(t, &server{resp: proto == "kv"})
		for _, line := range lines {
			expect(t, s.cmd(line), 1, "", " (does the server run with -proto "+proto+"?)")
		}
	}
}

// Nobody listens on a port that is taken.
func TestRefused(t *testing.T) {
	t.Parallel()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := sa.(*unix.SockaddrInet4).Port
	for _, line := range []string{"get k", "put k v", "bench", "bench -k 0 --csv", "incr", "burden idle", "burden silent", "burden slow", "burden heavy"} {
		command, rest, _ := strings.Cut(line, " ")
		args := append([]string{command, "-p", fmt.Sprint(port)}, strings.Fields(rest)...)
		expect(t, args, 1, "", fmt.Sprintf("connect 127.0.0.1:%d: connection refused", port))
	}
}

// A server that never answers ends every command: the kernel connects, and nobody
// reads.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &server{Listener: l}
	alone := fmt.Sprintf("kv: %v: no answer in the time that -w sets\n", l.Addr())
	bench := fmt.Sprintf("kv: PUT: nothing received for 500ms from %v on 3 of 3 connections\n", l.Addr())
	for line, want := range map[string]string{
		"get k":                       alone,
		"put k v":                     alone,
		"incr":                        alone,
		"burden heavy":                alone,
		"bench -n 100 -c 3":           bench,
		"bench -n 100 -c 3 -k 0":      bench,
		"bench -n 9 -c 3 -d 60000000": bench,
		"bench -n 1 -t put":           strings.Replace(bench, "3 of 3 connections", "1 of 1 connection", 1),
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			command, rest, _ := strings.Cut(line, " ")
			expect(t, s.cmd(command+" -w 0.5 "+rest), 3, "", want)
		})
	}
}

//go:build unix

package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ioflavors/kvproto"
)

// offline returns a client that has sent a pipeline of n requests, as far as
// check can see.
func offline(p protocol, o op, n int64, missingOK bool) *client {
	g := &generator{result: result{load: load{proto: p, op: o, missingOK: missingOK}}, value: []byte("xxx")}
	request := p.request(o, []byte(zeroKey), g.value)
	g.digits = keyIndex(request)
	return &client{
		g:        g,
		requests: bytes.Repeat(request, int(n)),
		size:     len(request),
		want:     p.reply(o, []byte(zeroKey), g.value),
		batch:    n,
		pending:  n,
		latency:  1,
	}
}

// counts are the faults of a client by name, and the right replies.
func (c *client) counts() map[string]int64 {
	m := map[string]int64{}
	for f, n := range c.g.faults {
		if n > 0 {
			m[faultNames[f]] = n
		}
	}
	if c.g.latency.count > 0 {
		m["right"] = c.g.latency.count
	}
	return m
}

func frame(m kvproto.Message) string { return string(kvproto.Append(nil, &m)) }

var (
	key = []byte(zeroKey)
	xxx = []byte("xxx")

	kvPutOK = frame(kvproto.Message{Kind: 3})
	kvGetOK = frame(kvproto.Message{Kind: 2, Key: key, Value: xxx})
	kvNoKey = frame(kvproto.Message{Kind: 2, Key: key, Status: kvproto.NotOk})
	kvError = frame(kvproto.Message{Value: []byte("no"), Status: kvproto.NotOk})

	// A put's right reply with the status spelt out, which Append omits.
	kvLongOK = "\x09\x00\x00\x00\x18\x03\x20\x00@EOF@"
)

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name  string
		proto protocol
		op    op
		in    []string // the replies
		want  map[string]int64
	}{
		{"put", kv{}, opPut, []string{kvPutOK, kvPutOK}, map[string]int64{"right": 2}},
		{"put, other encoding", kv{}, opPut, []string{kvLongOK, kvPutOK}, map[string]int64{"right": 2}},
		{"put refused", kv{}, opPut, []string{frame(kvproto.Message{Kind: 3, Status: 1}), kvPutOK}, map[string]int64{"not Ok": 1, "right": 1}},
		{"put, unknown kind", kv{}, opPut, []string{kvGetOK, kvPutOK}, map[string]int64{"wrong kind": 1, "right": 1}},
		{"put, a key", kv{}, opPut, []string{frame(kvproto.Message{Kind: 3, Key: key}), kvPutOK}, map[string]int64{"wrong key": 1, "right": 1}},
		{"put, a value", kv{}, opPut, []string{frame(kvproto.Message{Kind: 3, Value: xxx}), kvPutOK}, map[string]int64{"wrong value": 1, "right": 1}},
		{"put, error", kv{}, opPut, []string{kvPutOK, kvError}, map[string]int64{"error reply": 1, "right": 1}},
		{"get", kv{}, opGet, []string{kvGetOK, kvGetOK}, map[string]int64{"right": 2}},
		{"get, missing", kv{}, opGet, []string{kvGetOK, kvNoKey, kvGetOK}, map[string]int64{"missing key": 1, "right": 2}},
		{"get, other key", kv{}, opGet, []string{frame(kvproto.Message{Kind: 2, Key: []byte("k"), Value: xxx}), kvGetOK}, map[string]int64{"wrong key": 1, "right": 1}},
		{"get, other value", kv{}, opGet, []string{frame(kvproto.Message{Kind: 2, Key: key, Value: []byte("xxy")}), kvGetOK}, map[string]int64{"wrong value": 1, "right": 1}},
		{"get, shorter value", kv{}, opGet, []string{frame(kvproto.Message{Kind: 2, Key: key, Value: []byte("xx")}), kvGetOK}, map[string]int64{"wrong value": 1, "right": 1}},
		{"get, wrong kind", kv{}, opGet, []string{kvPutOK, kvGetOK}, map[string]int64{"wrong kind": 1, "right": 1}},
		{"get, error", kv{}, opGet, []string{kvError, kvGetOK}, map[string]int64{"error reply": 1, "right": 1}},
		{"SET", resp{}, opPut, []string{"+OK\r\n", "+OK\r\n"}, map[string]int64{"right": 2}},
		{"SET refused", resp{}, opPut, []string{"+NO\r\n", "$-1\r\n", "_\r\n", "+OK\r\n"}, map[string]int64{"not Ok": 3, "right": 1}},
		{"SET, wrong kind", resp{}, opPut, []string{":1\r\n", "$2\r\nOK\r\n", "+OK\r\n"}, map[string]int64{"wrong kind": 2, "right": 1}},
		{"SET, error", resp{}, opPut, []string{"+OK\r\n", "-ERR no\r\n"}, map[string]int64{"error reply": 1, "right": 1}},
		{"GET", resp{}, opGet, []string{"$3\r\nxxx\r\n", "$3\r\nxxx\r\n"}, map[string]int64{"right": 2}},
		{"GET, missing", resp{}, opGet, []string{"$3\r\nxxx\r\n", "$-1\r\n", "_\r\n"}, map[string]int64{"missing key": 2, "right": 1}},
		{"GET, other value", resp{}, opGet, []string{"$3\r\nxxy\r\n", "$0\r\n\r\n", "$3\r\nxxx\r\n"}, map[string]int64{"wrong value": 2, "right": 1}},
		{"GET, wrong kind", resp{}, opGet, []string{"+xxx\r\n", ":3\r\n", "$3\r\nxxx\r\n"}, map[string]int64{"wrong kind": 2, "right": 1}},
		{"GET, error", resp{}, opGet, []string{"-ERR no\r\n", "$3\r\nxxx\r\n"}, map[string]int64{"error reply": 1, "right": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stream := []byte{}
			for _, reply := range tc.in {
				stream = append(stream, reply...)
			}
			for piece := 1; piece <= len(stream); piece++ {
				c := offline(tc.proto, tc.op, int64(len(tc.in)), false)
				for rest := stream; len(rest) > 0; {
					n := min(piece, len(rest))
					if !c.check(bytes.Clone(rest[:n])) {
						t.Fatalf("in pieces of %d: cannot read on", piece)
					}
					rest = rest[n:]
				}
				if diff := cmp.Diff(tc.want, c.counts()); diff != "" || c.pending != 0 {
					t.Fatalf("in pieces of %d: %d pending, -want +got\n%s", piece, c.pending, diff)
				}
			}
		})
	}
}

func TestCheckMissingOK(t *testing.T) {
	c := offline(kv{}, opGet, 3, true)
	if !c.check([]byte(kvGetOK + kvNoKey + kvGetOK)) {
		t.Error("cannot read on")
	}
	if diff := cmp.Diff(map[string]int64{"right": 3}, c.counts()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// After these replies, the stream cannot be read on.
func TestCheckBroken(t *testing.T) {
	for _, tc := range []struct {
		name  string
		proto protocol
		op    op
		in    string
		want  map[string]int64
	}{
		{"put, no frame", kv{}, opPut, "+OK\r\n", map[string]int64{"malformed": 1}},
		{"put, bad size", kv{}, opPut, kvPutOK + "\x04\x00\x00\x00", map[string]int64{"malformed": 1, "right": 1}},
		{"put, bad footer", kv{}, opPut, kvPutOK[:len(kvPutOK)-1] + "!", map[string]int64{"malformed": 1}},
		{"put, one reply too many", kv{}, opPut, kvPutOK + kvPutOK + kvPutOK, map[string]int64{"not asked for": 1, "right": 2}},
		{"get, endless", kv{}, opGet, "\x00\x00\x00\x04" + string(make([]byte, 2<<20)), map[string]int64{"malformed": 1}},
		{"SET, no RESP", resp{}, opPut, "OK\r\n", map[string]int64{"malformed": 1}},
		{"SET, an array", resp{}, opPut, "*1\r\n+OK\r\n", map[string]int64{"malformed": 1}},
		{"SET, one reply too many", resp{}, opPut, "+OK\r\n+OK\r\n+", map[string]int64{"not asked for": 1, "right": 2}},
		{"GET, bad length", resp{}, opGet, "$x\r\n", map[string]int64{"malformed": 1}},
		{"GET, bad tail", resp{}, opGet, "$3\r\nxxx__", map[string]int64{"malformed": 1}},
		{"GET, endless line", resp{}, opGet, "-" + string(make([]byte, 1<<20)), map[string]int64{"malformed": 1}},
		{"GET, endless value", resp{}, opGet, "$500000000\r\n" + string(make([]byte, 2<<20)), map[string]int64{"malformed": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := offline(tc.proto, tc.op, 2, false)
			if c.check([]byte(tc.in)) {
				t.Error("reads on")
			}
			if diff := cmp.Diff(tc.want, c.counts()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCheckUnsent(t *testing.T) {
	c := offline(kv{}, opPut, 1, false)
	c.unsent = c.requests[1:]
	if c.check([]byte(kvPutOK)) {
		t.Error("a reply before the end of its request is taken for right")
	}
}

// The request of each random key asks for that key, and only its reply is right.
func TestRandomKeys(t *testing.T) {
	for name, p := range protocols {
		for _, o := range []op{opPut, opGet} {
			t.Run(name+" "+p.name(o), func(t *testing.T) {
				c := offline(p, o, 0, false)
				c.g.keys, c.g.left, c.g.pipeline = 1000, 3, 3
				c.g.inOrder, c.g.next = true, 42
				c.g.echo = max(0, keyIndex(c.want))
				c.requests = bytes.Repeat(p.request(o, key, xxx), 3)
				c.g.loop.fds = make([]unix.PollFd, 1)
				c.sock.fd = -1
				c.begin()
				var requests, replies []byte
				for i := 42; i < 45; i++ {
					k := fmt.Appendf(nil, "key:%012d", i)
					requests = append(requests, p.request(o, k, xxx)...)
					replies = append(replies, p.reply(o, k, xxx)...)
				}
				if diff := cmp.Diff(string(requests), string(c.requests)); diff != "" {
					t.Errorf("requests: -want +got\n%s", diff)
				}
				c.check(replies)
				if diff := cmp.Diff(map[string]int64{"right": 3}, c.counts()); diff != "" {
					t.Errorf("replies: -want +got\n%s", diff)
				}
			})
		}
	}
}

func TestRequests(t *testing.T) {
	for _, tc := range []struct {
		name      string
		got, want []byte
	}{
		{"SET", resp{}.request(opPut, []byte("k"), []byte("abc")), []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nabc\r\n")},
		{"GET", resp{}.request(opGet, []byte("k"), nil), []byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")},
		{"PUT", kv{}.request(opPut, []byte("k"), []byte("abc")), []byte("\x0f\x00\x00\x00\x0a\x01k\x12\x03abc\x18\x03@EOF@")},
		{"kv GET", kv{}.request(opGet, []byte("k"), []byte("abc")), []byte("\x0a\x00\x00\x00\x0a\x01k\x18\x01@EOF@")},
		{"kv GET reply", kv{}.reply(opGet, []byte("k"), []byte("abc")), []byte("\x0f\x00\x00\x00\x0a\x01k\x12\x03abc\x18\x02@EOF@")},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", tc.name, diff)
		}
	}
}

func TestSetDigits(t *testing.T) {
	b := []byte("999999999999")
	for n, want := range map[int64]string{0: "000000000000", 7: "000000000007", maxKeys - 1: "999999999999", 120034: "000000120034"} {
		if setDigits(b, n); string(b) != want {
			t.Errorf("%d: %s, want %s", n, b, want)
		}
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	for name, p := range protocols {
		c := offline(p, opGet, 16, true)
		c.g.echo = max(0, keyIndex(c.want))
		right := bytes.Repeat(c.want, 16)
		missing := bytes.Repeat([]byte(kvNoKey), 16)
		if name == "resp" {
			missing = bytes.Repeat([]byte("$-1\r\n"), 16)
		}
		allocs := testing.AllocsPerRun(100, func() {
			for _, in := range [][]byte{right, missing} {
				c.pending = 16
				c.expect()
				if !c.check(in) || c.pending != 0 {
					t.Fatalf("%s: %d pending", name, c.pending)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations in 32 replies", name, allocs)
		}
	}
}

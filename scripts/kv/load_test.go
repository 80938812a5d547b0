//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ioflavors/kvproto"
)

// offline returns a client that has sent a pipeline of n requests, as far as check
// can see.
func offline(l load, n int64) *client {
	l.requests, l.pipeline, l.key, l.valueSize = n, n, zeroKey, 3
	c := newGenerator(l).add(-1)
	c.sent, c.pending, c.latency = n, n, 1
	return c
}

var (
	key = []byte(zeroKey)
	xxx = []byte("xxx")

	kvPutOK = string(frame(kvproto.Message{Kind: 3}))
	kvGetOK = string(frame(kvproto.Message{Kind: 2, Key: key, Value: xxx}))
	kvNotOK = string(frame(kvproto.Message{Kind: 3, Status: kvproto.NotOk}))
	kvNoKey = string(frame(kvproto.Message{Kind: 2, Key: key, Status: kvproto.NotOk}))
	kvError = string(frame(kvproto.Message{Value: []byte("no"), Status: kvproto.NotOk}))

	// A put's right reply with the status spelt out, which Append omits.
	kvLongOK = "\x09\x00\x00\x00\x18\x03\x20\x00@EOF@"
)

// Each reply is counted as right or wrong, in whatever pieces it arrives, and what
// is no reply ends the stream.
func TestCheck(t *testing.T) {
	wrong := func(m kvproto.Message) string { return string(frame(m)) }
	for _, tc := range []struct {
		proto protocol
		op    op
		in    []string // replies to as many requests, and 2 at least
		want  string
	}{
		{kv{}, opPut, []string{kvPutOK, kvPutOK}, "2 right, 0 wrong"},
		{kv{}, opPut, []string{kvLongOK, kvPutOK}, "2 right, 0 wrong"},
		{kv{}, opPut, []string{wrong(kvproto.Message{Kind: 3, Status: 1}), kvPutOK}, `1 right, 1 wrong: kind 3, status 1, key "", value ""`},
		{kv{}, opPut, []string{kvGetOK, kvPutOK}, `1 right, 1 wrong: kind 2, status 0, key "key:000000000000", value "xxx"`},
		{kv{}, opPut, []string{wrong(kvproto.Message{Kind: 3, Key: key}), kvPutOK}, `1 right, 1 wrong: kind 3, status 0, key "key:000000000000", value ""`},
		{kv{}, opPut, []string{wrong(kvproto.Message{Kind: 3, Value: xxx}), kvPutOK}, `1 right, 1 wrong: kind 3, status 0, key "", value "xxx"`},
		{kv{}, opPut, []string{kvPutOK, kvError}, "1 right, 1 wrong: with an error: no"},
		{kv{}, opGet, []string{kvGetOK, kvGetOK}, "2 right, 0 wrong"},
		{kv{}, opGet, []string{kvGetOK, kvNoKey, kvGetOK}, `2 right, 1 wrong: kind 2, status 1, key "key:000000000000", value ""`},
		{kv{}, opGet, []string{wrong(kvproto.Message{Kind: 2, Key: []byte("k"), Value: xxx}), kvGetOK}, `1 right, 1 wrong: kind 2, status 0, key "k", value "xxx"`},
		{kv{}, opGet, []string{wrong(kvproto.Message{Kind: 2, Key: key, Value: []byte("xxy")}), kvGetOK}, `1 right, 1 wrong: kind 2, status 0, key "key:000000000000", value "xxy"`},
		{kv{}, opGet, []string{wrong(kvproto.Message{Kind: 2, Key: key, Value: []byte("xx")}), kvGetOK}, `1 right, 1 wrong: kind 2, status 0, key "key:000000000000", value "xx"`},
		{kv{}, opGet, []string{kvPutOK, kvGetOK}, `1 right, 1 wrong: kind 3, status 0, key "", value ""`},
		{kv{}, opGet, []string{kvError, kvGetOK}, "1 right, 1 wrong: with an error: no"},
		{resp{}, opPut, []string{"+OK\r\n", "+OK\r\n"}, "2 right, 0 wrong"},
		{resp{}, opPut, []string{"+NO\r\n", "$-1\r\n", "_\r\n", "+OK\r\n"}, `1 right, 3 wrong: "+NO\r\n"`},
		{resp{}, opPut, []string{":1\r\n", "$2\r\nOK\r\n", "+OK\r\n"}, `1 right, 2 wrong: ":1\r\n"`},
		{resp{}, opPut, []string{"+OK\r\n", "-ERR no\r\n"}, `1 right, 1 wrong: "-ERR no\r\n"`},
		{resp{}, opGet, []string{"$3\r\nxxx\r\n", "$3\r\nxxx\r\n"}, "2 right, 0 wrong"},
		{resp{}, opGet, []string{"$3\r\nxxx\r\n", "$-1\r\n", "_\r\n"}, `1 right, 2 wrong: "$-1\r\n"`},
		{resp{}, opGet, []string{"$3\r\nxxy\r\n", "$0\r\n\r\n", "$3\r\nxxx\r\n"}, `1 right, 2 wrong: "$3\r\nxxy\r\n"`},
		{resp{}, opGet, []string{"+xxx\r\n", ":3\r\n", "$3\r\nxxx\r\n"}, `1 right, 2 wrong: "+xxx\r\n"`},
		{resp{}, opIncr, []string{":5\r\n", ":6\r\n", "+6\r\n", ":7\r\n"}, `3 right, 1 wrong: "+6\r\n"`},

		{kv{}, opPut, []string{"+OK\r\n"}, "0 right, 0 wrong: malformed reply: frame size is above 64 MiB (does the server run with -proto kv?)"},
		{kv{}, opPut, []string{kvPutOK, "\x04\x00\x00\x00"}, "1 right, 0 wrong: malformed reply: frame size is below 5"},
		{kv{}, opPut, []string{kvPutOK[:len(kvPutOK)-1] + "!"}, "0 right, 0 wrong: malformed reply: frame does not end in @EOF@"},
		{kv{}, opPut, []string{kvPutOK, kvPutOK + kvPutOK}, "2 right, 1 wrong: a reply that belongs to no request: the stream cannot be read on"},
		{kv{}, opGet, []string{"\x00\x00\x00\x04" + string(make([]byte, 2<<20))}, "0 right, 0 wrong: malformed reply: it is far too long"},
		{resp{}, opPut, []string{"OK\r\n"}, "0 right, 0 wrong: malformed reply: neither a string nor an error (does the server run with -proto resp?)"},
		{resp{}, opPut, []string{"*1\r\n+OK\r\n"}, "0 right, 0 wrong: malformed reply: neither a string nor an error (does the server run with -proto resp?)"},
		{resp{}, opPut, []string{"+OK\r\n", "+OK\r\n+"}, "2 right, 1 wrong: a reply that belongs to no request: the stream cannot be read on"},
		{resp{}, opGet, []string{"$x\r\n"}, "0 right, 0 wrong: malformed reply: respproto: malformed reply"},
		{resp{}, opGet, []string{"$3\r\nxxx__"}, "0 right, 0 wrong: malformed reply: respproto: malformed reply"},
		{resp{}, opGet, []string{"-" + string(make([]byte, 2<<20))}, "0 right, 0 wrong: malformed reply: it is far too long"},
		{resp{}, opGet, []string{"$500000000\r\n" + string(make([]byte, 2<<20))}, "0 right, 0 wrong: malformed reply: it is far too long"},
	} {
		stream := []byte(strings.Join(tc.in, ""))
		for size := 1; size <= len(stream); size++ {
			if len(stream) > 1000 {
				size += 100_000
			}
			c := offline(load{proto: tc.proto, op: tc.op}, int64(max(2, len(tc.in))))
			var right, n int64
			var err error
			for piece := range slices.Chunk(bytes.Clone(stream), size) {
				if err == nil {
					n, err = c.check(piece)
					right += n
				}
			}
			got := fmt.Sprintf("%d right, %d wrong", right, c.g.wrong)
			if c.g.wrong > 0 {
				got += ": " + c.g.first
			}
			if err != nil {
				got += ": " + err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s %.200q, %d bytes at a time: -want +got\n%s", tc.proto.name(tc.op), tc.in, size, diff)
				break
			}
		}
	}
}

func TestCheckUnsent(t *testing.T) {
	c := offline(load{proto: kv{}, op: opPut}, 1)
	c.unsent = c.requests[1:]
	if _, err := c.check([]byte(kvPutOK)); err == nil {
		t.Error("a reply before the end of its request is taken for right")
	}
}

// A new connection begins without the rest of the last one.
func TestRestart(t *testing.T) {
	c := offline(load{proto: resp{}, op: opPut}, 1)
	c.g.left, c.odd = 0, []byte("-ERR n")
	c.restart(nil)
	if len(c.odd) > 0 || c.g.wrong != 1 {
		t.Errorf("%q is left, %d wrong", c.odd, c.g.wrong)
	}
}

// The request of each random key asks for that key, and only its reply is right.
func TestRandomKeys(t *testing.T) {
	for name, p := range protocols {
		for _, o := range []op{opPut, opGet} {
			c := offline(load{proto: p, op: o, keys: maxKeys, inOrder: true}, 3)
			c.g.next = 120_000_000_042
			c.send()
			var requests, replies []byte
			for i := range 3 {
				k := fmt.Appendf(nil, "key:12000000004%d", i+2)
				requests = append(requests, p.request(o, k, xxx)...)
				replies = append(replies, p.reply(o, k, xxx)...)
			}
			if diff := cmp.Diff(string(requests), string(c.requests)); diff != "" {
				t.Errorf("%s %s: requests: -want +got\n%s", name, p.name(o), diff)
			}
			if right, err := c.check(replies); right != 3 || err != nil {
				t.Errorf("%s %s: %d right replies, %v, %s", name, p.name(o), right, err, c.g.first)
			}
		}
	}
}

// With missingOK, a missing key is right. No reply costs memory.
func TestCheckMissingOK(t *testing.T) {
	for name, missing := range map[string]string{"kv": kvNoKey + kvNoKey, "resp": "$-1\r\n_\r\n"} {
		c := offline(load{proto: protocols[name], op: opGet, keys: 10, missingOK: true}, 16)
		in := append(bytes.Repeat(c.g.want, 8), strings.Repeat(missing, 4)...)
		allocs := testing.AllocsPerRun(100, func() {
			c.pending = 16
			if right, err := c.check(in); right != 16 || err != nil {
				t.Fatalf("%s: %d right, %s", name, right, c.g.first)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations in 16 replies", name, allocs)
		}
	}
}

// The percentiles are those of the sorted samples, but for the width of a bucket.
func TestPercentiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{0, 1, 2, 100, 10_000} {
		var h histogram
		all := []time.Duration{}
		var sum time.Duration
		for range count {
			d := time.Duration(1 + rng.ExpFloat64()*float64(time.Duration(1)<<rng.IntN(34)))
			n := 1 + rng.Int64N(20)
			h.add(d, n)
			all = append(all, slices.Repeat([]time.Duration{d}, int(n))...)
			sum += d * time.Duration(n)
		}
		slices.Sort(all)
		if len(all) == 0 {
			all = append(all, 0)
		}
		last := len(all) - 1
		want := []time.Duration{sum / time.Duration(len(all)), all[0], all[last]}
		if diff := cmp.Diff(want, []time.Duration{h.mean(), h.min, h.max}); diff != "" {
			t.Errorf("mean, min, max: -want +got\n%s", diff)
		}
		for p := 0.5; p <= 100; p += 0.5 {
			want := all[max(0, (len(all)*int(p*10)+999)/1000-1)]
			if got := h.percentile(p); (got - want).Abs() > want/250 {
				t.Errorf("p%v of %d: got %v, want %v", p, h.count, got, want)
			}
		}
	}
	if n := len(histogram{}.buckets); bucket(1<<63-1) >= n {
		t.Errorf("%d buckets: too few", n)
	}
}

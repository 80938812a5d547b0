//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ioflavors/kvproto"
)

const (
	maxValue   = kvproto.MaxFrame - 64 // a frame of it, with the key, is within kvproto.MaxFrame
	maxBuffers = 1 << 30               // bytes of requests and replies in memory, about
	maxStored  = 1_000_000             // keys that are stored before a get test
	maxFilling = 1 << 30               // and the bytes of their values
	fillBatch  = 64 << 10              // bytes in a pipeline that stores keys
	perRequest = 64                    // bytes in a request beside the value and the key, at most
)

// A bench runs tests, which differ in their op.
type bench struct {
	load
	streams
	ops  []op
	csv  bool
	fill bool // store the keys before a get test
}

func benchCommand(args []string, s streams) error {
	f := newFlags("bench")
	b := &bench{streams: s, ops: []op{opPut, opGet}, fill: true}
	b.load = load{clients: 50, pipeline: 1, valueSize: 3, keepAlive: true, key: zeroKey, proto: kv{}}
	f.define("proto", "want kv or resp", func(s string) bool {
		b.proto = protocols[s]
		return b.proto != nil
	})
	f.define("t", "want put or get, or both with a comma between", b.setOps)
	f.number("c", &b.clients, 60_000)
	f.number("n", &b.requests, maxKeys)
	f.seconds("T", &b.duration)
	f.number("R", &b.rate, 1_000_000)
	f.number("P", &b.pipeline, 1_000_000)
	f.number("d", &b.valueSize, maxValue)
	f.number("r", &b.keys, maxKeys)
	f.text("key", &b.key, "want a key")
	f.zeroOne("k", &b.keepAlive)
	f.zeroOne("fill", &b.fill)
	f.BoolVar(&b.csv, "csv", false, "")
	if err := f.parse(args); err != nil {
		return err
	}
	if b.rate > 0 && !b.keepAlive {
		return usageError(`invalid value "0" for flag -k: want 1 with -R`)
	}
	if b.key != zeroKey && b.keys > 0 {
		return usageError("want -r or -key, not both")
	}
	if b.requests == 0 {
		b.requests = 100_000
		if b.duration > 0 {
			b.requests = maxKeys
		}
	}
	b.to = f.to
	b.pipeline = min(b.pipeline, b.requests)
	if err := b.checkSize(); err != nil {
		return err
	}
	return b.run()
}

// setOps sets the tests to run. A put test may also be called set.
func (b *bench) setOps(names string) bool {
	b.ops = nil
	for name := range strings.SplitSeq(strings.ToLower(names), ",") {
		o, ok := map[string]op{"put": opPut, "set": opPut, "get": opGet}[name]
		if !ok {
			return false
		}
		b.ops = append(b.ops, o)
	}
	return true
}

// checkSize fails if a test takes too much memory.
func (b *bench) checkSize() error {
	request := perRequest + int64(len(b.key))
	size := request*b.pipeline + b.valueSize // a get's value is in the reply
	if slices.Contains(b.ops, opPut) {
		size = (request + b.valueSize) * b.pipeline
	}
	if b.keys > 0 { // with one key, all clients share the buffers
		size *= b.clients
	}
	if size <= maxBuffers {
		return nil
	}
	return usageError("invalid value %d for flag -P: with -d %d and -c %d the requests and replies take more than %d MiB",
		b.pipeline, b.valueSize, b.clients, maxBuffers>>20)
}

// run runs one test after the other. Wrong replies end none of them.
func (b *bench) run() error {
	var failed error
	for i, o := range b.ops {
		l := b.load
		l.op = o
		if o == opGet && b.fill {
			l.missingOK = b.keys > maxStored || max(1, b.keys)*b.valueSize > maxFilling
			if err := b.store(l); err != nil {
				return err
			}
		}
		g := newGenerator(l)
		if err := g.run(); err != nil {
			return err
		}
		name := l.proto.name(o)
		b.report(name, g, i == 0)
		if err := g.verdict(name); err != nil {
			fmt.Fprintf(b.err, "kv: %v\n", err)
			failed = errReported
		}
		b.fill = b.fill && b.keys > 0 // the only key is there now
	}
	return failed
}

// store stores every key that the get test l will ask for, unless they are too
// many. It uses one connection, which suits all servers.
func (b *bench) store(l load) error {
	if l.missingOK {
		return nil
	}
	l = load{to: l.to, proto: l.proto, key: l.key, keys: l.keys, valueSize: l.valueSize, clients: 1, keepAlive: true, inOrder: true}
	l.requests = max(1, l.keys)
	l.pipeline = max(1, fillBatch/(l.valueSize+perRequest))
	g := newGenerator(l)
	if err := g.run(); err != nil {
		return err
	}
	return g.verdict("storing the keys")
}

const (
	csvHeader = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"`
	csvRow    = `"%s","%.2f","%.3f","%.3f","%.3f","%.3f","%.3f","%.3f"`
	header    = "test   requests/s   avg ms   min ms   p50 ms   p95 ms   p99 ms   max ms"
	row       = "%-4s%13.2f%9.3f%9.3f%9.3f%9.3f%9.3f%9.3f"
)

// report prints the result of a test, below a header if it is the first.
func (b *bench) report(name string, g *generator, first bool) {
	header, row := header, row
	if b.csv {
		header, row = csvHeader, csvRow
	}
	if first {
		fmt.Fprintln(b.out, header)
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	h := &g.latency
	fmt.Fprintf(b.out, row+"\n", name, float64(h.count)/g.elapsed.Seconds(), ms(h.mean()), ms(h.min),
		ms(h.percentile(50)), ms(h.percentile(95)), ms(h.percentile(99)), ms(h.max))
}

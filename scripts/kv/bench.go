//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ioflavors/kvproto"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	proto     string
	tests     string
	clients   int64
	requests  int64
	pipeline  int64
	valueSize int64
	keys      int64
	keepAlive string
	fill      string
	key       string
	duration  time.Duration
	rate      int64
	style     style
}

const (
	maxValue   = kvproto.MaxFrame - 64 // a frame of it, with the key, is within kvproto.MaxFrame
	maxBuffers = 1 << 30               // bytes of requests and replies in memory, about
	maxStored  = 1_000_000             // keys that are stored before a get test
	maxFilling = 1 << 30               // and the bytes of their values
	fillBatch  = 64 << 10              // bytes in a pipeline that stores keys
	perRequest = 64                    // bytes in a request beside the value and -key, at most

	maxRequests = 1_000_000_000_000
)

// parseBench reads the flags of bench.
func parseBench(args []string) (*flags, *benchOptions, error) {
	f := newFlags("bench")
	o := &benchOptions{proto: "kv", clients: 50, pipeline: 1, valueSize: 3, keepAlive: "1", fill: "1"}
	f.choice("proto", &o.proto, "kv", "resp")
	f.text("t", &o.tests, "want put, get or put,get; with -proto resp set, get or set,get")
	f.number("c", &o.clients, 1, 60_000)
	f.number("n", &o.requests, 1, maxRequests)
	f.seconds("T", &o.duration)
	f.number("R", &o.rate, 1, 1_000_000)
	f.number("P", &o.pipeline, 1, 1_000_000)
	f.number("d", &o.valueSize, 1, maxValue)
	f.number("r", &o.keys, 1, maxKeys)
	f.text("key", &o.key, "want a key")
	f.choice("k", &o.keepAlive, "0", "1")
	f.choice("fill", &o.fill, "0", "1")
	f.on("q", &o.style.quiet)
	f.on("csv", &o.style.csv)
	if err := f.parse(args); err != nil {
		return f, o, err
	}
	if o.rate > 0 && o.keepAlive == "0" {
		return f, o, usageError("invalid value \"0\" for flag -k: want 1 with -R")
	}
	if o.key != "" && o.keys > 0 {
		return f, o, usageError("want -r or -key, not both")
	}
	if o.requests == 0 {
		o.requests = 100_000
		if o.duration > 0 {
			o.requests = maxRequests
		}
	}
	return f, o, nil
}

// ops returns the tests to run.
func (o *benchOptions) ops(f *flags) ([]op, error) {
	p := protocols[o.proto]
	if o.tests == "" {
		return []op{opPut, opGet}, nil
	}
	var ops []op
	for name := range strings.SplitSeq(strings.ToUpper(o.tests), ",") {
		i := slices.IndexFunc([]op{opPut, opGet}, func(which op) bool { return p.name(which) == name })
		if i < 0 {
			return nil, usageError(fmt.Sprintf("invalid value %q for flag -t: %v", o.tests, f.wants("t")))
		}
		ops = append(ops, op(i))
	}
	return ops, nil
}

// load returns the test for an op. It fails if that takes too much memory.
func (o *benchOptions) load(which op) (load, error) {
	l := load{
		proto:     protocols[o.proto],
		op:        which,
		clients:   int(o.clients),
		requests:  o.requests,
		pipeline:  min(o.pipeline, o.requests),
		valueSize: int(o.valueSize),
		keepAlive: o.keepAlive == "1",
		keys:      o.keys,
		duration:  o.duration,
		rate:      o.rate,
	}
	if o.key != "" {
		l.key = []byte(o.key)
	}
	request := int64(perRequest + len(o.key))
	size := request*l.pipeline + o.valueSize // a get's value is in the reply
	if which == opPut {
		size = (request + o.valueSize) * l.pipeline
	}
	if l.keys > 0 { // with one key, all clients share the buffers
		size *= o.clients
	}
	if size > maxBuffers {
		return l, usageError(fmt.Sprintf("invalid value %d for flag -P: with -d %d and -c %d the requests and replies take more than %d MiB",
			o.pipeline, o.valueSize, o.clients, maxBuffers>>20))
	}
	return l, nil
}

func benchCommand(args []string, s streams) error {
	f, o, err := parseBench(args)
	if err != nil {
		return err
	}
	ops, err := o.ops(f)
	if err != nil {
		return err
	}
	var loads []load
	for _, which := range ops {
		l, err := o.load(which)
		if err != nil {
			return err
		}
		loads = append(loads, l)
	}
	to, err := resolve(f.host, int(f.port))
	if err != nil {
		return err
	}
	return runLoads(loads, to, o.fill == "0", &reporter{o.style, s})
}

// runLoads runs one test after the other. Wrong replies end none of them. A get test that
// comes first may find its keys stored.
func runLoads(loads []load, to endpoint, stored bool, r *reporter) error {
	var failed error
	for i, l := range loads {
		l.to = to
		if l.op == opGet && !stored {
			filled, err := fill(l, r)
			if err != nil {
				return err
			}
			l.missingOK = !filled
		}
		name := l.proto.name(l.op)
		total := l.requests
		if l.duration > 0 {
			total = 0
		}
		res, err := produce(l, r.progress(name, total))
		r.clear()
		if err != nil {
			return err
		}
		if i == 0 {
			r.header()
		}
		r.report(res)
		if res.faulty() {
			failed = errReported
			r.faults(name, res)
		}
		stored = stored || l.keys == 0
	}
	return failed
}

// fill stores every key that the get test l will ask for, if they are few
// enough. It uses one connection, which suits all servers.
func fill(l load, r *reporter) (filled bool, err error) {
	keys := max(1, l.keys)
	if keys > maxStored || keys*int64(l.valueSize) > maxFilling {
		return false, nil
	}
	const name = "storing the keys"
	l.op = opPut
	l.clients = 1
	l.requests = keys
	l.pipeline = max(1, fillBatch/int64(l.valueSize+perRequest))
	l.keepAlive = true
	l.duration = 0
	l.rate = 0
	l.inOrder = true
	res, err := produce(l, r.progress(name, keys))
	r.clear()
	if err != nil {
		return false, err
	}
	if res.faulty() {
		r.faults(name, res)
		return false, errReported
	}
	return true, nil
}

//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net"
	"strconv"

	"ioflavors/respproto"
)

// incrCommand increments one key from many connections, and tells how many of the
// increments the server has lost.
func incrCommand(args []string, s streams) error {
	f := newFlags("incr")
	l := load{proto: resp{}, op: opIncr}
	clients, keepAlive := int64(50), "1"
	l.requests, l.pipeline = 50_000, 1
	f.number("c", &clients, 1, 60_000)
	f.number("n", &l.requests, 1, maxIncr)
	f.number("P", &l.pipeline, 1, 10_000)
	f.choice("k", &keepAlive, "0", "1")
	if err := f.parse(args); err != nil {
		return err
	}
	var err error
	if l.to, err = resolve(f.host, int(f.port)); err != nil {
		return err
	}
	l.clients, l.keepAlive = int(clients), keepAlive == "1"
	return increment(l, &reporter{streams: s})
}

const maxIncr = 100_000_000

// increment runs the load l and prints what became of it, also if it fails midway.
func increment(l load, r *reporter) error {
	l.pipeline = min(l.pipeline, l.requests)
	if err := expectReply(l.to, "+OK\r\n", "SET", zeroKey, "0"); err != nil {
		return err
	}
	g := newGenerator(l)
	g.seen = newNumbers(l.requests)
	err := g.run(r.progress(l.proto.name(l.op), l.requests))
	r.clear()
	value := int64(-1)
	if err == nil && !g.faulty() {
		value, err = counter(l.to)
	}
	replies := g.latency.count
	lost := g.seen.repeated
	if value >= 0 {
		lost = replies - value
	}
	fmt.Fprintf(r.out, "%s\n%d,%d,%d,%d\n", incrHeader, l.requests, replies, value, lost)
	switch {
	case err != nil:
		return err
	case g.faulty():
		r.faults(l.proto.name(l.op), &g.result)
		return errReported
	case lost != 0:
		return fmt.Errorf("%d of %d increments are lost", lost, replies)
	}
	return nil
}

// Value is -1 if it could not be asked for. Lost are then the replies that another
// reply has given before: at least so many increments are lost.
const incrHeader = "requests,replies,value,lost"

// numbers is a set of whole numbers from 0 to a limit.
type numbers struct {
	has      []bool
	repeated int64 // how often a number came that was there already
}

func newNumbers(limit int64) *numbers { return &numbers{has: make([]bool, limit+1)} }

// add adds the number in text. One out of range cannot be right: it counts as repeated.
func (s *numbers) add(text []byte) {
	n, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil || n >= uint64(len(s.has)) || s.has[n] {
		s.repeated++
		return
	}
	s.has[n] = true
}

// counter returns the value of the key that is incremented.
func counter(to endpoint) (int64, error) {
	reply, err := command(to, "GET", zeroKey)
	if err != nil {
		return -1, err
	}
	_, text, _ := bytes.Cut(bytes.TrimSuffix(reply, []byte("\r\n")), []byte("\r\n"))
	n, err := strconv.ParseUint(string(text), 10, 62)
	if err != nil {
		return -1, fmt.Errorf("GET %s: the server answers %q", zeroKey, reply)
	}
	return int64(n), nil
}

// expectReply sends a RESP command and checks the reply.
func expectReply(to endpoint, want string, args ...string) error {
	reply, err := command(to, args...)
	if err == nil && string(reply) != want {
		err = fmt.Errorf("%s %s: the server answers %.100q", args[0], args[1], reply)
	}
	return err
}

// command sends a RESP command over a connection of its own and returns the reply.
func command(to endpoint, args ...string) ([]byte, error) {
	conn, err := net.DialTimeout("tcp", to.name, patience)
	if err != nil {
		return nil, connectError(to, cause(err))
	}
	defer conn.Close()
	reply, err := exchange(conn, respproto.AppendCommand(nil, args...), respproto.ReplyLen)
	if err != nil {
		err = fmt.Errorf("%s: %w", to.name, cause(err))
	}
	return reply, err
}

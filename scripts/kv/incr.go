//go:build unix

package main

import (
	"bytes"
	"fmt"
	"strconv"

	"ioflavors/respproto"
)

// incrHeader names what incr prints. If the value could not be asked for, it is
// -1, and lost are the replies that repeat an earlier one: at least that many
// increments are lost.
const incrHeader = "requests,replies,value,lost"

// incrCommand increments one key from many connections, and tells how many of the
// increments the server has lost.
func incrCommand(args []string, s streams) error {
	f := newFlags("incr")
	l := load{proto: resp{}, op: opIncr, key: zeroKey, clients: 50, requests: 50_000, pipeline: 1, keepAlive: true}
	f.number("c", &l.clients, 60_000)
	f.number("n", &l.requests, 10_000_000)
	f.number("P", &l.pipeline, 10_000)
	f.zeroOne("k", &l.keepAlive)
	if err := f.parse(args); err != nil {
		return err
	}
	l.to = f.to
	if err := l.to.store(zeroKey, "0"); err != nil {
		return err
	}
	g := newGenerator(l)
	g.seen = map[string]bool{}
	err := g.run()
	if err == nil {
		err = g.verdict("INCR")
	}
	value := int64(-1)
	if err == nil {
		value, err = counter(l.to)
	}
	// This is printed also if the server failed midway.
	replies, lost := g.latency.count, g.repeated
	if value >= 0 {
		lost = replies - value
	}
	fmt.Fprintf(s.out, "%s\n%d,%d,%d,%d\n", incrHeader, l.requests, replies, value, lost)
	if err == nil && lost != 0 {
		err = fmt.Errorf("lost increments: %d of %d", lost, replies)
	}
	return err
}

// counter returns the value of the key that is incremented.
func counter(to endpoint) (int64, error) {
	reply, err := to.exchange(resp{}, respproto.AppendCommand(nil, "GET", zeroKey))
	if err != nil {
		return -1, err
	}
	_, text, _ := bytes.Cut(bytes.TrimSuffix(reply, []byte("\r\n")), []byte("\r\n"))
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 {
		return -1, fmt.Errorf("GET %s: the server answers %q", zeroKey, reply)
	}
	return n, nil
}

// store sets a key with RESP.
func (e endpoint) store(key, value string) error {
	reply, err := e.exchange(resp{}, respproto.AppendCommand(nil, "SET", key, value))
	if err == nil && string(reply) != "+OK\r\n" {
		err = fmt.Errorf("SET %s: the server answers %.100q", key, reply)
	}
	return err
}

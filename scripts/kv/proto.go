//go:build unix

package main

import (
	"bytes"
	"fmt"
	"strings"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// An op is a kind of request.
type op int

const (
	opPut op = iota
	opGet
	opIncr // in RESP only
)

// A protocol makes the requests of a test and knows the right replies.
type protocol interface {
	// name is that of the op in reports.
	name(o op) string
	// request and reply return one whole message each. Their length depends on
	// the key's length only, not on its bytes. value is what is stored.
	request(o op, key, value []byte) []byte
	reply(o op, key, value []byte) []byte
	// length returns the length of the reply at the start of in. If that is not
	// complete, it returns n <= 0: at least -n more bytes are needed.
	length(in []byte) (n int, err error)
	// accepts reports whether a reply is right that differs from the bytes of reply.
	// A missing key may be right, too.
	accepts(o op, reply, key, value []byte, missingOK bool) bool
	// text returns a reply for messages.
	text(reply []byte) string
}

// protocols are the values of -proto.
var protocols = map[string]protocol{"kv": kv{}, "resp": resp{}}

// A protocolError is a reply that looks like one of the other protocol.
type protocolError struct{ problem, proto string }

func (e protocolError) Error() string {
	return fmt.Sprintf("%s (does the server run with -proto %s?)", e.problem, e.proto)
}

// kv is the protocol of package kvproto.
type kv struct{}

func (kv) name(o op) string { return [...]string{opPut: "PUT", opGet: "GET"}[o] }

func (kv) request(o op, key, value []byte) []byte {
	m := kvproto.Message{Key: key, Kind: kvproto.Get}
	if o == opPut {
		m = kvproto.Message{Key: key, Value: value, Kind: kvproto.PutOrUpdate}
	}
	return kvproto.Append(nil, &m)
}

func (kv) reply(o op, key, value []byte) []byte {
	m := kvproto.Message{Key: key, Value: value, Kind: kvproto.GetResponse}
	if o == opPut {
		m = kvproto.Message{Kind: kvproto.PutOrUpdate}
	}
	return kvproto.Append(nil, &m)
}

// length takes text for a frame that is too large.
func (kv) length(in []byte) (int, error) {
	_, n, err := kvproto.Parse(in)
	if err == kvproto.ErrFrameLarge {
		err = protocolError{err.Error(), "kv"}
	}
	return n, err
}

// accepts takes every encoding of the right message, not only the canonical one.
func (kv) accepts(o op, reply, key, value []byte, missingOK bool) bool {
	m, _, _ := kvproto.Parse(reply)
	if o == opPut {
		return m.Kind == kvproto.PutOrUpdate && m.Status == kvproto.Ok && len(m.Key)+len(m.Value) == 0
	}
	right := m.Kind == kvproto.GetResponse && bytes.Equal(m.Key, key)
	return right && (m.Status == kvproto.Ok && bytes.Equal(m.Value, value) || m.Status == kvproto.NotOk && missingOK)
}

// text shortens long values.
func (kv) text(reply []byte) string {
	m, _, _ := kvproto.Parse(reply)
	if m.Kind == 0 && m.Status != kvproto.Ok {
		return fmt.Sprintf("with an error: %s", m.Value)
	}
	return fmt.Sprintf("kind %d, status %d, key %.100q, value %.100q", m.Kind, m.Status, m.Key, m.Value)
}

// resp is the Redis serialization protocol, version 2 or 3.
type resp struct{}

func (resp) name(o op) string { return [...]string{opPut: "SET", opGet: "GET", opIncr: "INCR"}[o] }

func (p resp) request(o op, key, value []byte) []byte {
	args := [][]byte{[]byte(p.name(o)), key}
	if o == opPut {
		args = append(args, value)
	}
	return respproto.AppendCommand(nil, args...)
}

// reply returns for INCR what no server answers, so that accepts sees each reply.
func (resp) reply(o op, key, value []byte) []byte {
	switch o {
	case opPut:
		return respproto.AppendOK(nil)
	case opIncr:
		return []byte(":\r\n")
	}
	return respproto.AppendBulk(nil, value)
}

// length accepts strings, integers, errors and null.
func (resp) length(in []byte) (int, error) {
	if len(in) > 0 && strings.IndexByte("+-:$_", in[0]) < 0 {
		return 0, protocolError{"neither a string nor an error", "resp"}
	}
	return respproto.ReplyLen(in)
}

func (resp) accepts(o op, reply, key, value []byte, missingOK bool) bool {
	null := reply[0] == '_' || string(reply) == "$-1\r\n"
	return o == opGet && null && missingOK || o == opIncr && reply[0] == ':'
}

func (resp) text(reply []byte) string { return fmt.Sprintf("%.100q", reply) }

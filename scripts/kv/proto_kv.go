//go:build unix

package main

import (
	"bytes"

	"ioflavors/kvproto"
)

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

// judge accepts every encoding of the right message, not only the canonical one.
func (kv) judge(o op, in, key, value []byte) (n int, f fault, note []byte) {
	m, n, err := kvproto.Parse(in)
	if err != nil {
		return len(in), faultGarbage, []byte(err.Error())
	}
	if n == 0 {
		return 0, faultNone, nil
	}
	if o == opPut {
		key, value = nil, nil
	}
	switch {
	case m.Kind == 0 && m.Status != kvproto.Ok:
		return n, faultError, m.Value
	case m.Kind != [...]kvproto.Kind{opPut: kvproto.PutOrUpdate, opGet: kvproto.GetResponse}[o]:
		return n, faultKind, nil
	case m.Status != kvproto.Ok && o == opPut:
		return n, faultNotOk, nil
	case !bytes.Equal(m.Key, key):
		return n, faultKey, nil
	case m.Status != kvproto.Ok:
		return n, faultMissing, nil
	case !bytes.Equal(m.Value, value):
		return n, faultValue, nil
	}
	return n, faultNone, nil
}

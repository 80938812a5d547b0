package driver

import (
	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// A Dialect is one protocol, for the cases that hold in all of them.
type Dialect struct {
	Name    string
	Get     func(key string) string
	Put     func(key, value string) string
	Value   func(key, value string) string // the reply to Get
	Missing func(key string) string        // the reply to Get of a key that is not there
	OK      string                         // the reply to Put
	Claim   string                         // the beginning of a request that says it will be huge
	Wrong   string                         // no request at all
	Refusal string                         // the reply to Wrong
}

// RESP is the Redis protocol.
var RESP = Dialect{
	Name:    "resp",
	Get:     func(key string) string { return Command("GET", key) },
	Put:     func(key, value string) string { return Command("SET", key, value) },
	Value:   func(_, value string) string { return Bulk(value) },
	Missing: func(string) string { return "$-1\r\n" },
	OK:      "+OK\r\n",
	Claim:   "*1000000\r\n$3\r\nDEL\r\n$536870912\r\n",
	Wrong:   "*1\r\nfoo\r\n",
	Refusal: "-ERR Protocol error: expected '$', got 'f'\r\n",
}

// KV is the protobuf protocol.
var KV = Dialect{
	Name:    "kv",
	Get:     func(key string) string { return Frame(kvproto.Get, key, "", kvproto.Ok) },
	Put:     func(key, value string) string { return Frame(kvproto.PutOrUpdate, key, value, kvproto.Ok) },
	Value:   func(key, value string) string { return Frame(kvproto.GetResponse, key, value, kvproto.Ok) },
	Missing: func(key string) string { return Frame(kvproto.GetResponse, key, "", kvproto.NotOk) },
	OK:      Frame(kvproto.PutOrUpdate, "", "", kvproto.Ok),
	Claim:   "\x00\x00\x00\x04\x0a\xff\xff\xff\x1f",
	Wrong:   "\x05\x00\x00\x00@EOF!",
	Refusal: Refused(kvproto.ErrFooter),
}

// Both are all protocols.
var Both = []Dialect{RESP, KV}

// Command is a RESP request.
func Command(args ...string) string { return string(respproto.AppendCommand(nil, args...)) }

// Bulk is a RESP bulk string.
func Bulk(v string) string { return string(respproto.AppendBulk(nil, v)) }

// Frame is a kv message.
func Frame(kind kvproto.Kind, key, value string, status kvproto.Status) string {
	m := kvproto.Message{Key: []byte(key), Value: []byte(value), Kind: kind, Status: status}
	return string(kvproto.Append(nil, &m))
}

// Refused is the reply to a kv frame that is wrong.
func Refused(err error) string { return Frame(0, "", err.Error(), kvproto.NotOk) }

package scripts

import (
	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// A dialect is one protocol, for the cases that hold in all of them.
type dialect struct {
	name    string
	get     func(key string) string
	put     func(key, value string) string
	value   func(key, value string) string // the reply to get
	missing func(key string) string        // the reply to get of a key that is not there
	ok      string                         // the reply to put
	claim   string                         // the beginning of a request that says it will be huge
	wrong   string                         // no request at all
	refusal string                         // the reply to wrong
}

var resp = dialect{
	name:    "resp",
	get:     func(key string) string { return command("GET", key) },
	put:     func(key, value string) string { return command("SET", key, value) },
	value:   func(_, value string) string { return bulk(value) },
	missing: func(string) string { return "$-1\r\n" },
	ok:      "+OK\r\n",
	claim:   "*1000000\r\n$3\r\nDEL\r\n$536870912\r\n",
	wrong:   "*1\r\nfoo\r\n",
	refusal: "-ERR Protocol error: expected '$', got 'f'\r\n",
}

var kv = dialect{
	name:    "kv",
	get:     func(key string) string { return frame(kvproto.Get, key, "", kvproto.Ok) },
	put:     func(key, value string) string { return frame(kvproto.PutOrUpdate, key, value, kvproto.Ok) },
	value:   func(key, value string) string { return frame(kvproto.GetResponse, key, value, kvproto.Ok) },
	missing: func(key string) string { return frame(kvproto.GetResponse, key, "", kvproto.NotOk) },
	ok:      frame(kvproto.PutOrUpdate, "", "", kvproto.Ok),
	claim:   "\x00\x00\x00\x04\x0a\xff\xff\xff\x1f",
	wrong:   "\x05\x00\x00\x00@EOF!",
	refusal: refused(kvproto.ErrFooter),
}

var both = []dialect{resp, kv}

// command is a RESP request.
func command(args ...string) string { return string(respproto.AppendCommand(nil, args...)) }

// bulk is a RESP bulk string.
func bulk(v string) string { return string(respproto.AppendBulk(nil, v)) }

// frame is a kv message.
func frame(kind kvproto.Kind, key, value string, status kvproto.Status) string {
	m := kvproto.Message{Key: []byte(key), Value: []byte(value), Kind: kind, Status: status}
	return string(kvproto.Append(nil, &m))
}

// refused is the reply to a kv frame that is wrong.
func refused(err error) string { return frame(0, "", err.Error(), kvproto.NotOk) }

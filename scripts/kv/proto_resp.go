//go:build unix

package main

import (
	"bytes"

	"ioflavors/respproto"
)

// resp is the Redis serialization protocol, version 2 or 3.
type resp struct{}

func (resp) name(o op) string { return [...]string{opPut: "SET", opGet: "GET", opIncr: "INCR"}[o] }

func (resp) request(o op, key, value []byte) []byte {
	switch o {
	case opPut:
		return respproto.AppendCommand(nil, []byte("SET"), key, value)
	case opIncr:
		return respproto.AppendCommand(nil, []byte("INCR"), key)
	}
	return respproto.AppendCommand(nil, []byte("GET"), key)
}

// reply of INCR is like none that there is, so that judge sees each of them.
func (resp) reply(o op, key, value []byte) []byte {
	switch o {
	case opPut:
		return respproto.AppendOK(nil)
	case opIncr:
		return []byte(":\r\n")
	}
	return respproto.AppendBulk(nil, value)
}

// maxLine is the longest line that judge waits for, in bytes.
const maxLine = 64 << 10

func (resp) judge(o op, in, key, value []byte) (n int, f fault, note []byte) {
	if !bytes.Contains([]byte("+-:$_"), in[:1]) {
		return len(in), faultGarbage, []byte("neither a string nor an error")
	}
	if len(in) > maxLine && bytes.IndexByte(in[:maxLine], '\n') < 0 {
		return len(in), faultGarbage, []byte("line too long")
	}
	n, err := respproto.ReplyLen(in)
	if err != nil {
		return len(in), faultGarbage, []byte(err.Error())
	}
	if n == 0 {
		return 0, faultNone, nil
	}
	switch in[0] {
	case '-':
		return n, faultError, in[1 : n-2]
	case ':':
		if o == opIncr {
			return n, faultNone, nil
		}
	case '+':
		if o == opPut {
			return n, faultNotOk, nil
		}
	case '_':
		return n, nullFault(o), nil
	case '$':
		if in[1] == '-' {
			return n, nullFault(o), nil
		}
		if o == opGet {
			return n, faultValue, nil
		}
	}
	return n, faultKind, nil
}

// nullFault is the meaning of null: SET's says that nothing was stored.
func nullFault(o op) fault {
	if o == opGet {
		return faultMissing
	}
	return faultNotOk
}

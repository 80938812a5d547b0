//go:build unix

package main

// An op is a kind of request.
type op int

const (
	opPut op = iota
	opGet
	opIncr // in RESP only
)

// A fault is a way in which a reply is wrong.
type fault int

const (
	faultNone    fault  = iota
	faultNotOk          // refused by status
	faultMissing        // the key is not there
	faultKey            // the answer for another key
	faultValue          // another value, or a value where none belongs
	faultKind           // the answer to another kind of request
	faultError          // an error message
	faultGarbage        // not a message of the protocol
	faultUnasked        // a reply without a request
	faultNoReply        // the server closed the connection
	faultCount   = iota // how many there are
)

var faultNames = [faultCount]string{
	faultNotOk:   "not Ok",
	faultMissing: "missing key",
	faultKey:     "wrong key",
	faultValue:   "wrong value",
	faultKind:    "wrong kind",
	faultError:   "error reply",
	faultGarbage: "malformed",
	faultUnasked: "not asked for",
	faultNoReply: "connection closed instead",
}

// A protocol makes the requests of a test and knows the right replies.
type protocol interface {
	// name is that of the op in reports.
	name(o op) string
	// request and reply return one whole message each. Their length depends on
	// the key's length only, not on its bytes. value is what is stored.
	request(o op, key, value []byte) []byte
	reply(o op, key, value []byte) []byte
	// judge says what is wrong with the reply at the start of in, and how long
	// that reply is: 0 if it is not complete. The note is the server's error
	// message and aliases in. After faultGarbage the stream cannot be read on.
	// It is asked only about replies that differ from the expected bytes.
	judge(o op, in, key, value []byte) (n int, f fault, note []byte)
}

// protocols are the values of -proto.
var protocols = map[string]protocol{"kv": kv{}, "resp": resp{}}

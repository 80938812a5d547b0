package respproto

import (
	"strings"
	"testing"
)

var replyTests = []struct {
	in  string // one reply
	err error
}{
	{"+OK\r\n", nil},
	{"+\r\n", nil},
	{"-ERR no\r\n", nil},
	{":1\r\n", nil},
	{"_\r\n", nil},
	{"#t\r\n", nil},
	{",1.5\r\n", nil},
	{"(12345678901234567890\r\n", nil},
	{"$0\r\n\r\n", nil},
	{"$-1\r\n", nil},
	{"$4\r\na\r\nb\r\n", nil},
	{"=7\r\ntxt:abc\r\n", nil},
	{"!5\r\nERR x\r\n", nil},
	{"*0\r\n", nil},
	{"*-1\r\n", nil},
	{"*3\r\n$1\r\na\r\n:2\r\n*1\r\n_\r\n", nil},
	{"~2\r\n+a\r\n+b\r\n", nil},
	{">1\r\n+push\r\n", nil},
	{"%0\r\n", nil},
	{"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n$1\r\nc\r\n", nil},
	{strings.Repeat("*1\r\n", maxDepth-1) + "_\r\n", nil},

	{strings.Repeat("*1\r\n", maxDepth) + "_\r\n", ErrReply},
	{"\r\n", ErrReply},
	{"\n", ErrReply},
	{"+\n", ErrReply},
	{"+OK\n", ErrReply},
	{"hello\r\n", ErrReply},
	{"$\r\n", ErrReply},
	{"$x\r\n", ErrReply},
	{"$-2\r\n", ErrReply},
	{"$+1\r\na\r\n", ErrReply},
	{"$01\r\na\r\n", ErrReply},
	{"$536870913\r\n", ErrReply},
	{"$9223372036854775807\r\n", ErrReply},
	{"$18446744073709551617\r\n", ErrReply},
	{"$1\r\nabc", ErrReply},
	{"$1\r\na\r\r", ErrReply},
	{"$1\r\na\n\n", ErrReply},
	{"*-9\r\n", ErrReply},
	{"*1\r\n?\r\n", ErrReply},
	{"*2\r\n+a\r\n$x\r\n", ErrReply},
	{"%1\r\n+a\r\n?\r\n", ErrReply},
}

func TestReplyLen(t *testing.T) {
	for _, tt := range replyTests {
		for _, behind := range []string{"", "+OK\r\n", "\n", "\r\n", "?"} {
			want := len(tt.in)
			if tt.err != nil {
				want = 0
			}
			if n, err := ReplyLen([]byte(tt.in + behind)); n != want || err != tt.err {
				t.Errorf("ReplyLen(%q) = %d, %v; want %d, %v", tt.in+behind, n, err, want, tt.err)
			}
		}
		if tt.err != nil {
			continue
		}
		for i := range tt.in {
			if n, err := ReplyLen([]byte(tt.in[:i])); n != 0 || err != nil {
				t.Errorf("ReplyLen(%q) = %d, %v; want to need more", tt.in[:i], n, err)
			}
		}
	}
}

// A reply that claims much is waited for; the claim costs nothing.
func TestReplyLenClaims(t *testing.T) {
	for _, in := range []string{"$536870912\r\nabc", "*536870912\r\n:1\r\n", "%536870912\r\n:1\r\n:2\r\n"} {
		b := []byte(in)
		if n := testing.AllocsPerRun(10, func() {
			if n, err := ReplyLen(b); n != 0 || err != nil {
				t.Fatalf("ReplyLen(%q) = %d, %v; want to need more", in, n, err)
			}
		}); n != 0 {
			t.Errorf("ReplyLen(%q): %v allocations, want 0", in, n)
		}
	}
}

package respproto

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppend(t *testing.T) {
	s2, s3 := NewSession(), &Session{resp3: true}
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"OK", AppendOK([]byte("x")), "x+OK\r\n"},
		{"int", AppendInt([]byte("x"), 42), "x:42\r\n"},
		{"zero", AppendInt(nil, 0), ":0\r\n"},
		{"negative int", AppendInt(nil, -1), ":-1\r\n"},
		{"largest int", AppendInt(nil, math.MaxInt64), ":9223372036854775807\r\n"},
		{"least int", AppendInt(nil, math.MinInt64), ":-9223372036854775808\r\n"},
		{"bulk of bytes", AppendBulk([]byte("x"), []byte("a\r\nb")), "x$4\r\na\r\nb\r\n"},
		{"bulk of a string", AppendBulk([]byte("x"), "value"), "x$5\r\nvalue\r\n"},
		{"empty bulk", AppendBulk(nil, ""), "$0\r\n\r\n"},
		{"nil bulk", AppendBulk(nil, []byte(nil)), "$0\r\n\r\n"},
		{"null, RESP2", s2.AppendNull([]byte("x")), "x$-1\r\n"},
		{"null, RESP3", s3.AppendNull([]byte("x")), "x_\r\n"},
		{"error", AppendError([]byte("x"), errors.New("no such thing")), "x-ERR no such thing\r\n"},
		{"error of lines", AppendError(nil, errors.New("a\r\nb\nc\r+OK\r\n")), "-ERR a  b c +OK  \r\n"},
		{"command", AppendCommand([]byte("x"), "SET", "k", ""), "x*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"},
		{"command of bytes", AppendCommand(nil, []byte("GET"), []byte("\r\n")), "*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n"},
		{"empty command", AppendCommand[string](nil), "*0\r\n"},

		{"ErrNotInteger", AppendError(nil, ErrNotInteger), "-ERR value is not an integer or out of range\r\n"},
		{"ErrOverflow", AppendError(nil, ErrOverflow), "-ERR increment or decrement would overflow\r\n"},
		{"ErrMultibulkLength", AppendError(nil, ErrMultibulkLength), "-ERR Protocol error: invalid multibulk length\r\n"},
		{"ErrBulkLength", AppendError(nil, ErrBulkLength), "-ERR Protocol error: invalid bulk length\r\n"},
		{"ErrMultibulkLine", AppendError(nil, ErrMultibulkLine), "-ERR Protocol error: too big mbulk count string\r\n"},
		{"ErrBulkLine", AppendError(nil, ErrBulkLine), "-ERR Protocol error: too big bulk count string\r\n"},
		{"ErrInlineLine", AppendError(nil, ErrInlineLine), "-ERR Protocol error: too big inline request\r\n"},
		{"ErrQuotes", AppendError(nil, ErrQuotes), "-ERR Protocol error: unbalanced quotes in request\r\n"},
		{"no dollar", AppendError(nil, noDollarError('f')), "-ERR Protocol error: expected '$', got 'f'\r\n"},
		{"CR for a dollar", AppendError(nil, noDollarError('\r')), "-ERR Protocol error: expected '$', got ' '\r\n"},
	} {
		if diff := cmp.Diff(tt.want, string(tt.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// AppendBulk grows the output once for the whole reply.
func TestAppendBulkGrowsOnce(t *testing.T) {
	value := make([]byte, 100_000)
	if n := testing.AllocsPerRun(10, func() { AppendBulk(nil, value) }); n != 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

func TestIncrement(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int64
		err  error
	}{
		{"0", 1, nil},
		{"9", 10, nil},
		{"-1", 0, nil},
		{"-10", -9, nil},
		{"1000000000000000000", 1000000000000000001, nil},
		{"9223372036854775806", math.MaxInt64, nil},
		{"9223372036854775807", 0, ErrOverflow},
		{"9223372036854775808", 0, ErrNotInteger},
		{"9999999999999999999", 0, ErrNotInteger},
		{"10000000000000000000", 0, ErrNotInteger},
		{"18446744073709551616", 0, ErrNotInteger},
		{"-9223372036854775808", math.MinInt64 + 1, nil},
		{"-9223372036854775809", 0, ErrNotInteger},
		{"-9999999999999999999", 0, ErrNotInteger},
		{"", 0, ErrNotInteger},
		{"-", 0, ErrNotInteger},
		{"--1", 0, ErrNotInteger},
		{"+1", 0, ErrNotInteger},
		{"-0", 0, ErrNotInteger},
		{"00", 0, ErrNotInteger},
		{"01", 0, ErrNotInteger},
		{"-01", 0, ErrNotInteger},
		{" 1", 0, ErrNotInteger},
		{"1 ", 0, ErrNotInteger},
		{"1\n", 0, ErrNotInteger},
		{"1.0", 0, ErrNotInteger},
		{"1e3", 0, ErrNotInteger},
		{"0x1", 0, ErrNotInteger},
		{"1_000", 0, ErrNotInteger},
		{"1/", 0, ErrNotInteger}, // the bytes beside the digits
		{"1:", 0, ErrNotInteger},
		{"\xd9\xa1", 0, ErrNotInteger}, // a digit, but not of ASCII
		{strings.Repeat("1", 1<<20), 0, ErrNotInteger},
	} {
		got, err := Increment([]byte(tt.in))
		if got != tt.want || err != tt.err {
			t.Errorf("Increment(%.40q) = %d, %v; want %d, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

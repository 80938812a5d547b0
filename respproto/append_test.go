package respproto

import (
	"errors"
	"math"
	"slices"
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
		{"int64", AppendInt(nil, int64(-42)), ":-42\r\n"},
		{"zero", AppendInt(nil, 0), ":0\r\n"},
		{"negative int", AppendInt(nil, -1), ":-1\r\n"},
		{"largest int", AppendInt(nil, int64(math.MaxInt64)), ":9223372036854775807\r\n"},
		{"least int", AppendInt(nil, int64(math.MinInt64)), ":-9223372036854775808\r\n"},
		{"bulk of bytes", AppendBulk([]byte("x"), []byte("a\r\nb")), "x$4\r\na\r\nb\r\n"},
		{"bulk of a string", AppendBulk([]byte("x"), "value"), "x$5\r\nvalue\r\n"},
		{"empty bulk", AppendBulk(nil, ""), "$0\r\n\r\n"},
		{"nil bulk", AppendBulk(nil, []byte(nil)), "$0\r\n\r\n"},
		{"null, RESP2", s2.AppendNull([]byte("x")), "x$-1\r\n"},
		{"null, RESP3", s3.AppendNull([]byte("x")), "x_\r\n"},
		{"value", s2.AppendValue([]byte("x"), []byte("abc")), "x$3\r\nabc\r\n"},
		{"empty value", s2.AppendValue(nil, []byte{}), "$0\r\n\r\n"},
		{"no value, RESP2", s2.AppendValue([]byte("x"), nil), "x$-1\r\n"},
		{"no value, RESP3", s3.AppendValue([]byte("x"), nil), "x_\r\n"},
		{"no error", AppendError([]byte("x"), nil), "x"},
		{"error", AppendError([]byte("x"), errors.New("no such thing")), "x-ERR no such thing\r\n"},
		{"error of lines", AppendError(nil, errors.New("a\r\nb\nc\r+OK\r\n")), "-ERR a  b c +OK  \r\n"},
		{"command", AppendCommand([]byte("x"), "SET", "k", ""), "x*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"},
		{"command of bytes", AppendCommand(nil, []byte("GET"), []byte("\r\n")), "*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n"},
		{"empty command", AppendCommand[string](nil), "*0\r\n"},

		{"ErrMultibulkLine", AppendError(nil, ErrMultibulkLine), "-ERR Protocol error: too big mbulk count string\r\n"},
		{"ErrBulkLine", AppendError(nil, ErrBulkLine), "-ERR Protocol error: too big bulk count string\r\n"},
		{"ErrInlineLine", AppendError(nil, ErrInlineLine), "-ERR Protocol error: too big inline request\r\n"},
	} {
		if diff := cmp.Diff(tt.want, string(tt.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// AppendBulk grows the output once for the whole reply.
func TestAppendBulkGrowsOnce(t *testing.T) {
	value := make([]byte, 100_000)
	want := testing.AllocsPerRun(10, func() { _ = slices.Grow([]byte(nil), len(value)+20) }) // with the race detector 2
	if n := testing.AllocsPerRun(10, func() { AppendBulk(nil, value) }); n != want {
		t.Errorf("%v allocations, want %v", n, want)
	}
}

func TestSum(t *testing.T) {
	const most, least = "9223372036854775807", "-9223372036854775808"
	for _, tt := range []struct {
		in, by string
		want   int64
		err    error
	}{
		{"0", "", 1, nil},
		{"9", "", 10, nil},
		{"-1", "", 0, nil},
		{"-10", "", -9, nil},
		{"9223372036854775806", "", math.MaxInt64, nil},
		{most, "", 0, errOverflow},
		{least, "", math.MinInt64 + 1, nil},
		{"1", "5", 6, nil},
		{"1", "-5", -4, nil},
		{most, "0", math.MaxInt64, nil},
		{least, "0", math.MinInt64, nil},
		{most, "-1", math.MaxInt64 - 1, nil},
		{most, "1", 0, errOverflow},
		{most, most, 0, errOverflow},
		{least, "-1", 0, errOverflow},
		{least, least, 0, errOverflow},
		{least, most, -1, nil},
		{"1", "x", 0, errNotInteger},
		{"1", "01", 0, errNotInteger},
		{"1", "9223372036854775808", 0, errNotInteger},
	} {
		checkSum(t, []byte(tt.in), tt.by, tt.want, tt.err)
	}
	checkSum(t, nil, "", 1, nil)
	checkSum(t, nil, "-7", -7, nil)
	checkSum(t, nil, "x", 0, errNotInteger)
	for _, in := range []string{
		"", "-", "--1", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1\n", "1.0", "1e3", "0x1", "1_000",
		"1/", "1:", // the bytes beside the digits
		"\xd9\xa1", // a digit, but not of ASCII
		"9223372036854775808", "9999999999999999999", "10000000000000000000", "18446744073709551615", "18446744073709551616",
		"-9223372036854775809", "-9999999999999999999", strings.Repeat("1", 1<<20),
	} {
		checkSum(t, []byte(in), "", 0, errNotInteger)
		checkSum(t, []byte(in), "1", 0, errNotInteger)
	}
}

// checkSum checks INCR or, if there is an amount, INCRBY.
func checkSum(t *testing.T, v []byte, by string, want int64, wantErr error) {
	t.Helper()
	args := [][]byte{[]byte("incr"), []byte("key")}
	if by != "" {
		args = append(args, []byte(by))
	}
	if got, err := Sum(v, args); got != want || err != wantErr {
		t.Errorf("Sum(%.40q) by %q = %d, %v; want %d, %v", v, by, got, err, want, wantErr)
	}
}

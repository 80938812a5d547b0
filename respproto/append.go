package respproto

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// AppendOK appends the simple string OK.
func AppendOK(out []byte) []byte { return append(out, "+OK\r\n"...) }

// AppendInt appends an integer.
func AppendInt[T int | int64](out []byte, n T) []byte { return appendHeader(out, ':', int64(n)) }

// AppendBulk appends a bulk string. It grows out at most once.
func AppendBulk[T string | []byte](out []byte, v T) []byte {
	out = slices.Grow(out, len("$536870912\r\n\r\n")+len(v))
	out = appendHeader(out, '$', int64(len(v)))
	out = append(out, v...)
	return append(out, "\r\n"...)
}

// AppendError appends an error: ERR and the text of err; nothing if err is nil. A
// CR or LF in the text would end the reply, so it becomes a space, as in
// redis-server.
func AppendError(out []byte, err error) []byte {
	if err == nil {
		return out
	}
	return appendError(out, "ERR "+err.Error())
}

// AppendNull appends the null: $-1 in RESP2, _ in RESP3.
func (s *Session) AppendNull(out []byte) []byte {
	if s.resp3 {
		return append(out, "_\r\n"...)
	}
	return append(out, "$-1\r\n"...)
}

// AppendValue appends the value of a key: v as a bulk string, or the null if v is
// nil, as a map returns it for a missing key. An empty value must not be nil.
func (s *Session) AppendValue(out, v []byte) []byte {
	if v == nil {
		return s.AppendNull(out)
	}
	return AppendBulk(out, v)
}

// appendHeader appends a line that is a mark and a number.
func appendHeader(out []byte, mark byte, n int64) []byte {
	out = append(out, mark)
	out = strconv.AppendInt(out, n, 10)
	return append(out, "\r\n"...)
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// appendError appends an error whose text begins with its code.
func appendError(out []byte, text string) []byte {
	return fmt.Appendf(out, "-%s\r\n", oneLine.Replace(text))
}

// appendMap appends the header of a map of n pairs; in RESP2, of a flat array.
func (s *Session) appendMap(out []byte, n int64) []byte {
	if s.resp3 {
		return appendHeader(out, '%', n)
	}
	return appendHeader(out, '*', 2*n)
}

// Errors of [Sum].
var (
	errNotInteger = errors.New("value is not an integer or out of range")
	errOverflow   = errors.New("increment or decrement would overflow")
)

// Sum returns the new value of a key after an INCR or INCRBY with arguments args.
// v is the old value; nil, for a missing key, counts as 0. It is an error if v or
// the amount is not a decimal integer of 64 bits in canonical form, or if the sum
// overflows.
func Sum(v []byte, args [][]byte) (int64, error) {
	n, ok := parseInt(v)
	by := int64(1)
	if ok = ok || v == nil; ok && len(args) > 2 {
		by, ok = parseInt(args[2])
	}
	if !ok {
		return 0, errNotInteger
	}
	sum := n + by
	if by > 0 && sum < n || by < 0 && sum > n {
		return 0, errOverflow
	}
	return sum, nil
}

// parseInt reads a decimal integer in its only canonical form: no plus sign, no
// leading zero, no space, no minus zero.
func parseInt(b []byte) (n int64, ok bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	u := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = 10*u + uint64(c-'0') // 19 digits fit into 64 bits
	}
	if len(digits) < len(b) {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}

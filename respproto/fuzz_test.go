package respproto

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A stream means the same to a session however it is cut, though each piece comes
// in another buffer and what has been consumed is overwritten. No argument lies
// outside its request.
func FuzzParse(f *testing.F) {
	for _, tt := range parseTests {
		f.Add([]byte(tt.in), []byte{3, 1, 4, 1, 5, 9, 2, 6})
	}
	f.Add(manyArgs(65), []byte{1})
	f.Add(bytes.Repeat([]byte("a "), 65), []byte{100, 1})
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		want := drive(t, in)
		cut := make([][]byte, 0, len(cuts)+1)
		for rest, i := in, 0; len(rest) > 0; i++ {
			n := len(rest)
			if len(cuts) > 0 {
				n = min(n, 1+int(cuts[i%len(cuts)]))
			}
			cut, rest = append(cut, rest[:n]), rest[n:]
		}
		if diff := cmp.Diff(want, drive(t, cut...)); diff != "" {
			t.Errorf("%.200q cut at %v (-whole +cut):\n%s", in, cuts, diff)
		}
		if len(in) <= 512 {
			if diff := cmp.Diff(want, drive(t, pieces(in, 1)...)); diff != "" {
				t.Errorf("%.200q byte by byte (-whole +cut):\n%s", in, diff)
			}
		}
	})
}

// What AppendCommand writes, Parse reads; so it does with the same arguments in
// quotes on a line. Nothing less than the whole request will do.
func FuzzCommand(f *testing.F) {
	f.Add([]byte("SET\x00key\x00value"), byte(0))
	f.Add([]byte("a\x00\x00\x00b"), byte(0))
	f.Add([]byte("*1\r\n$4\r\nPING\r\n|\"'\\"), byte('|'))
	f.Add(bytes.Repeat([]byte("x|"), 100), byte('|'))
	f.Fuzz(func(t *testing.T, in []byte, separator byte) {
		args := bytes.Split(in, []byte{separator})
		line := []byte{}
		for _, a := range args {
			line = append(line, '"')
			for i, c := range a {
				if c == '"' || c == '\\' || c == '\n' || i%2 == 0 {
					line = fmt.Appendf(line, `\x%02x`, c)
				} else {
					line = append(line, c)
				}
			}
			line = append(line, "\" "...)
		}
		line = append(line, "\r\n"...)
		for _, request := range [][]byte{AppendCommand(nil, args...), line} {
			if request[0] != '*' && len(request) > MaxLine {
				continue
			}
			stream := append(slices.Clone(request), "PING\r\n"...)
			got, n, err := NewSession().Parse(stream, nil)
			checkParse(t, stream, got, n, err)
			if diff := cmp.Diff(texts(args), texts(got)); diff != "" || n != len(request) || err != nil {
				t.Errorf("Parse(%.200q) = length %d, %v; want %d (-want +got):\n%s", stream, n, err, len(request), diff)
			}
			s := NewSession()
			for i := range request {
				if _, n, err := s.Parse(request[:i:i], nil); n > 0 || i-n > len(request) || err != nil {
					t.Fatalf("Parse(%.200q) = length %d, %v; want to need at most %d more", request[:i], n, err, len(request)-i)
				}
			}
		}
	})
}

// ReplyLen finds an end within the input, or waits for it, or fails: never at an
// earlier byte than with more input.
func FuzzReplyLen(f *testing.F) {
	for _, tt := range replyTests {
		f.Add([]byte(tt.in))
		f.Add([]byte(tt.in + "+OK\r\n"))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := ReplyLen(in)
		if n < 0 || n > len(in) || n > 0 && err != nil || err != nil && err != ErrReply {
			t.Fatalf("ReplyLen(%q) = %d, %v", in, n, err)
		}
		if n > 0 {
			if again, err := ReplyLen(in[:n:n]); again != n || err != nil {
				t.Errorf("ReplyLen(%q) = %d, %v alone, but %d with what follows", in[:n], again, err, n)
			}
		}
		whole := n
		if n == 0 {
			whole = len(in)
		}
		if err != nil || len(in) > 4096 {
			return
		}
		for i := range whole {
			if n, err := ReplyLen(in[:i:i]); n != 0 || err != nil {
				t.Errorf("ReplyLen(%q) = %d, %v, and %d, nil for %q", in[:i], n, err, whole, in)
			}
		}
	})
}

// Whatever a client asks, it gets exactly one reply to each request, of its
// version of the protocol, and ReplyLen measures it.
func FuzzAppend(f *testing.F) {
	for _, tt := range otherTests {
		var in []byte
		for i := 0; i < len(tt.turns); i += 2 {
			in = AppendCommand(in, split(tt.turns[i])...)
		}
		f.Add(in)
	}
	f.Add([]byte("POST\r\nquit\r\n"))
	f.Add([]byte("INFO\r\nHELLO 3\r\nINFO all\r\nCONFIG GET *\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := NewSession()
		defer s.Close()
		for {
			args, n, err := s.Parse(in, nil)
			if err != nil {
				checkReply(t, args, AppendError(nil, err), s.resp3)
				return
			}
			if n <= 0 {
				return
			}
			in = in[n:]
			if len(args) == 0 {
				continue
			}
			checkReply(t, args, AppendError(nil, errors.New(string(args[0]))), s.resp3)
			checkReply(t, args, AppendBulk(nil, args[0]), s.resp3)
			checkReply(t, args, AppendCommand(nil, args...), s.resp3)
			checkReply(t, args, AppendInt(nil, n), s.resp3)
			checkReply(t, args, s.AppendNull(nil), s.resp3)
			if sum, err := Sum(args[0], args); err == nil {
				checkReply(t, args, AppendInt(nil, sum), s.resp3)
			} else {
				checkReply(t, args, AppendError(nil, err), s.resp3)
			}
			checkReply(t, args, s.AppendValue(nil, args[0]), s.resp3)
			out, quit := s.AppendOther([]byte("before"), args, n)
			out, kept := bytes.CutPrefix(out, []byte("before"))
			switch {
			case !kept:
				t.Fatalf("%q: %q lost what was in the output before", args, out)
			case quit && len(out) == 0: // POST, Host:
			default:
				checkReply(t, args, out, s.resp3)
			}
		}
	})
}

// checkReply checks that out is one reply, and that ReplyLen says so.
func checkReply(t *testing.T, args [][]byte, out []byte, resp3 bool) {
	t.Helper()
	if n := decode(out, resp3); n != len(out) {
		t.Errorf("%q: %q is one reply only up to byte %d", args, out, n)
	}
	if n, err := ReplyLen(out); n != len(out) || err != nil {
		t.Errorf("%q: ReplyLen(%q) = %d, %v; want %d", args, out, n, err, len(out))
	}
	for i := range min(len(out), 4096) {
		if n, err := ReplyLen(out[:i:i]); n != 0 || err != nil {
			t.Fatalf("%q: ReplyLen(%q) = %d, %v; want to need more", args, out[:i], n, err)
		}
	}
}

// decode returns the length of the first reply in b: a strict reader, apart from
// ReplyLen, of what this package writes. It returns -1 if b is anything else.
func decode(b []byte, resp3 bool) int {
	line, _, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || len(line) == 0 || bytes.ContainsAny(line, "\r\n") {
		return -1
	}
	n := len(line) + 2
	if line[0] == '+' || line[0] == '-' && len(line) > 1 {
		return n
	}
	if string(line) == "_" && resp3 || string(line) == "$-1" && !resp3 {
		return n
	}
	count, err := strconv.ParseInt(string(line[1:]), 10, 64)
	if err != nil || strconv.FormatInt(count, 10) != string(line[1:]) {
		return -1
	}
	switch {
	case line[0] == ':':
		return n
	case count < 0:
		return -1
	case line[0] == '$':
		if int64(len(b)-n) < count+2 || string(b[n+int(count):][:2]) != "\r\n" {
			return -1
		}
		return n + int(count) + 2
	case line[0] == '%' && resp3:
		count *= 2
	case line[0] != '*':
		return -1
	}
	for range count {
		size := decode(b[n:], resp3)
		if size < 0 {
			return -1
		}
		n += size
	}
	return n
}

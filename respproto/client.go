package respproto

import (
	"bytes"
	"errors"
)

// ErrReply is returned by [ReplyLen] for input that is not RESP, or nested too deeply.
var ErrReply = errors.New("respproto: malformed reply")

// maxDepth is how deep arrays, sets and maps may be nested in a reply.
const maxDepth = 32

// AppendCommand appends a request: an array of bulk strings.
func AppendCommand[T string | []byte](out []byte, args ...T) []byte {
	out = appendHeader(out, '*', int64(len(args)))
	for _, a := range args {
		out = AppendBulk(out, a)
	}
	return out
}

// ReplyLen returns the length of the first reply in in, in bytes, with all that
// is nested in it. It returns 0 and no error if the reply is not complete.
func ReplyLen(in []byte) (int, error) { return replyLen(in, maxDepth) }

func replyLen(in []byte, depth int) (int, error) {
	lf := bytes.IndexByte(in, '\n')
	if lf < 0 {
		return 0, nil
	}
	n := lf + 1
	if n < 3 || in[n-2] != '\r' || depth == 0 {
		return 0, ErrReply
	}
	mark, line := in[0], in[1:n-2]
	switch mark {
	case '+', '-', ':', '_', '#', ',', '(':
		return n, nil
	case '$', '=', '!', '*', '~', '>', '%':
	default:
		return 0, ErrReply
	}
	count, ok := parseInt(line)
	if !ok || count < -1 || count > MaxBulk {
		return 0, ErrReply
	}
	if count < 0 {
		return n, nil
	}
	switch mark {
	case '$', '=', '!':
		end := n + int(count)
		if len(in) < end+2 {
			return 0, nil
		}
		if in[end] != '\r' || in[end+1] != '\n' {
			return 0, ErrReply
		}
		return end + 2, nil
	case '%':
		count *= 2
	}
	for range count {
		size, err := replyLen(in[n:], depth-1)
		if size == 0 {
			return 0, err
		}
		n += size
	}
	return n, nil
}

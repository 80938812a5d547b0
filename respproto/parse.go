package respproto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// Errors of [Session.Parse], with one more that names a byte: "Protocol error:
// expected '$', got 'x'". After an error the rest of the input has no meaning: send
// the error with [AppendError], and close.
var (
	ErrMultibulkLength = errors.New("Protocol error: invalid multibulk length")
	ErrBulkLength      = errors.New("Protocol error: invalid bulk length")
	ErrMultibulkLine   = errors.New("Protocol error: too big mbulk count string")
	ErrBulkLine        = errors.New("Protocol error: too big bulk count string")
	ErrInlineLine      = errors.New("Protocol error: too big inline request")
	ErrQuotes          = errors.New("Protocol error: unbalanced quotes in request")
)

// A parser remembers how far an unfinished request has been read, so that no call
// starts over. Offsets count from the request's first byte.
type parser struct {
	pos  int // everything before pos is parsed
	seen int // there is no line end between pos and seen
	argc int // arguments still to come; 0 between requests
	bulk int // 1 + length of the argument at pos; 0 if its header comes first
}

// Parse reads the first request in in. It appends the request's arguments to args,
// the command's name first, and returns them with the length n of the request.
//
// With n <= 0 and no error, the request is not complete: at least -n more bytes are
// needed, or at least one if n is 0. Call Parse again with the same bytes followed
// by more. All calls together take time linear in the number of bytes.
//
// Empty requests (a blank line, *0, *-1) have n > 0 and no arguments.
//
// The arguments alias in and are valid until it changes; the session keeps none of
// them. Parse allocates only for quoted inline words, to grow args, and for the error
// that names a byte.
func (s *Session) Parse(in []byte, args [][]byte) (_ [][]byte, n int, err error) {
	p := &s.parser
	resumed := p.argc > 0
	if !resumed {
		if len(in) == 0 {
			return nil, 0, nil
		}
		if in[0] != '*' {
			return p.inline(in, args)
		}
		count, ok, err := p.header(in, MaxArgs, ErrMultibulkLine, ErrMultibulkLength)
		if !ok {
			return nil, 0, err
		}
		if count <= 0 {
			return args, p.end(), nil
		}
		p.argc = count
	}
	for ; p.argc > 0; p.argc-- {
		if p.bulk == 0 {
			size, ok, err := p.header(in, MaxBulk, ErrBulkLine, ErrBulkLength)
			if !ok {
				return nil, 0, err
			}
			p.bulk = 1 + size
		}
		if lack := p.bulk - 1 + 2 - (len(in) - p.pos); lack > 0 {
			return nil, -lack, nil
		}
		end := p.pos + p.bulk - 1
		if !resumed {
			args = append(args, in[p.pos:end:end])
		}
		p.pos = end + 2 // redis-server does not check that these two are CR LF
		p.bulk = 0
	}
	if resumed { // the request is complete: parse it again, to collect its arguments
		p.end()
		return s.Parse(in, args)
	}
	commands.Add(1)
	return args, p.end(), nil
}

// header reads the line at pos: a mark, and a number of at most limit. ok is false
// if the line is incomplete (err is nil then) or invalid.
func (p *parser) header(in []byte, limit int, tooLong, invalid error) (n int, ok bool, err error) {
	if n, size := shortNumber(in[p.pos:]); size > 0 && n <= limit && (p.argc == 0 || in[p.pos] == '$') {
		p.pos += size
		return n, true, nil
	}
	p.seen = lineEnd(in, max(p.pos, p.seen), '\r')
	if p.seen-p.pos > MaxLine {
		return 0, false, tooLong
	}
	if p.seen+2 > len(in) { // the LF counts, but is not checked
		return 0, false, nil
	}
	mark, line := in[p.pos], in[p.pos+1:max(p.pos+1, p.seen)]
	if p.argc > 0 && mark != '$' {
		return 0, false, fmt.Errorf("Protocol error: expected '$', got '%s'", in[p.pos:p.pos+1])
	}
	number, valid := parseInt(line)
	if !valid || number > int64(limit) || number < 0 && mark == '$' {
		return 0, false, invalid
	}
	p.pos = p.seen + 2
	return int(max(number, -1)), true, nil
}

// shortNumber reads a line of a mark, one to six digits and CR LF: what nearly all
// headers are. The size is 0 if the line is anything else.
func shortNumber(line []byte) (n, size int) {
	for i := 1; i < min(len(line)-1, 8); i++ {
		c := line[i]
		if c == '\r' && i > 1 {
			return n, i + 2
		}
		if c < '0' || c > '9' || c == '0' && i == 1 {
			return 0, 0
		}
		n = 10*n + int(c-'0')
	}
	return 0, 0
}

// lineEnd returns the index of the first end at or after from, or len(in).
func lineEnd(in []byte, from int, end byte) int {
	if i := bytes.IndexByte(in[from:], end); i >= 0 {
		return from + i
	}
	return len(in)
}

// end makes p ready for the next request and returns the length of this one.
func (p *parser) end() int {
	n := p.pos
	*p = parser{}
	return n
}

// inline reads a request that is one line of words. LF ends it; CR may precede.
func (p *parser) inline(in []byte, args [][]byte) (_ [][]byte, n int, err error) {
	p.seen = lineEnd(in, p.seen, '\n')
	if p.seen > MaxLine {
		return nil, 0, ErrInlineLine
	}
	if p.seen == len(in) {
		return nil, 0, nil
	}
	before := len(args)
	args, ok := splitWords(args, in[:p.seen])
	if !ok {
		return nil, 0, ErrQuotes
	}
	if len(args) > before {
		commands.Add(1)
	}
	p.pos = p.seen + 1
	return args, p.end(), nil
}

// splitWords appends the words of a line, split at white space outside of quotes
// as redis-cli and redis-server do. It is not ok if a quote is not closed, or if a
// closing quote is not the end of its word.
func splitWords(words [][]byte, line []byte) (_ [][]byte, ok bool) {
	for {
		line = bytes.TrimLeft(line, " \t\n\v\f\r")
		if len(line) == 0 {
			return words, true
		}
		n := bytes.IndexAny(line, " \t\n\r\"'")
		if n < 0 {
			n = len(line)
		}
		word := line[:n:n]
		if n < len(line) && !isSpace(line[n]) {
			if word, n, ok = unquote(line, n); !ok {
				return nil, false
			}
		}
		words, line = append(words, word), line[n:]
	}
}

// unquote reads the word at the beginning of line whose quote opens at i. It
// returns the word without quotes and escapes, never nil, and its length in line.
func unquote(line []byte, i int) (word []byte, n int, ok bool) {
	quote := line[i]
	word = append([]byte{}, line[:i]...)
	for i++; i < len(line) && line[i] != quote; {
		char, size := unescape(line[i:], quote)
		word = append(word, char)
		i += size
	}
	n = i + 1
	return word, n, n == len(line) || n < len(line) && isSpace(line[n])
}

// unescape reads one character between quotes, which may be an escape sequence.
func unescape(s []byte, quote byte) (char byte, size int) {
	switch {
	case s[0] != '\\' || len(s) < 2:
		return s[0], 1
	case quote == '\'':
		if s[1] == '\'' {
			return '\'', 2
		}
		return '\\', 1
	case s[1] == 'x' && len(s) >= 4:
		var b [1]byte
		if _, err := hex.Decode(b[:], s[2:4]); err == nil {
			return b[0], 4
		}
	}
	if i := bytes.IndexByte([]byte("nrtba"), s[1]); i >= 0 {
		return "\n\r\t\b\a"[i], 2
	}
	return s[1], 2
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

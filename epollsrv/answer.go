package main

import (
	"bytes"
	"math/bits"
	"strconv"
	"sync"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

const readSize = 16 << 10 // bytes in the smallest buffer
const maxOut = 1 << 20    // bytes of replies that may wait before answering stops
const maxLate = 1 << 20   // bytes that are dropped after the last word
var db = map[string][]byte{}
var answer func(*session, []byte) ([]byte, int) // answerRESP or answerKV
var none = new(bytes.Buffer)                    // has no room, and is never written to
var buffers [64]sync.Pool                       // [i]: of readSize<<i bytes at least, and empty

// A session is the half of a client that is bytes. Its buffers are its own while there
// are bytes in them; between turns, one without is none.
type session struct {
	resp *respproto.Session
	in   *bytes.Buffer // input not yet answered
	out  *bytes.Buffer // output not yet sent
	late int           // bytes dropped
	more bool          // in may begin with a whole request
	eof  bool          // the client sends no more
	quit bool          // the client gets no more: its input is dropped
}

// begin begins a turn, with room to read into. end ends it, with room to begin again.
func (s *session) begin() { s.in = fit(s.in, 1<<10, max(s.in.Len(), min(7*s.in.Len(), 1<<20))) }
func (s *session) end()   { s.in, s.out = fit(s.in, 0, 1<<10), fit(s.out, 0, 0) }

// fit returns b if it has room for n bytes more, but not far too much. Or else it gives b
// back, and returns a buffer with what b had, and with room for n bytes and spare ones.
func fit(b *bytes.Buffer, n, spare int) *bytes.Buffer {
	size := b.Len() + n
	if 0 < size && n <= b.Available() && b.Cap() <= 2*size+readSize {
		return b
	}
	to := none
	if size > 0 {
		i := bits.Len(uint(size+spare-1) / readSize)
		if to, _ = buffers[i].Get().(*bytes.Buffer); to == nil {
			to = bytes.NewBuffer(make([]byte, 0, readSize<<i))
		}
		to.Write(b.Bytes())
	}
	if i := bits.Len(uint(b.Cap()/readSize)) - 1; 0 <= i && i < 9 { // more than 8 MiB is garbage
		b.Reset()
		buffers[i].Put(b)
	}
	return to
}

// answerAll answers what is there, until too much output waits.
func (s *session) answerAll() {
	s.out = fit(s.out, 64, 0)
	for s.more = true; s.more && s.out.Len() < maxOut; {
		out, n := s.out.AvailableBuffer(), 0
		if !s.quit {
			out, n = answer(s, out)
		}
		s.out.Write(out)
		s.in.Next(n)
		s.more = n > 0
	}
	if s.quit {
		s.late += s.in.Len()
		s.in.Reset()
	}
}

// answerRESP answers the first Redis request in s.in, if it is there as a whole. It
// appends the reply to out, and returns it and the length of the request.
func (s *session) answerRESP(out []byte) (_ []byte, n int) {
	var few [4][]byte
	args, n, err := s.resp.Parse(s.in.Bytes(), few[:0])
	if n == 0 {
		s.quit = err != nil
		return respproto.AppendError(out, err), 0
	}
	switch command := respproto.Lookup(args); command {
	case respproto.Get:
		v := db[string(args[1])]
		s.out = fit(s.out, len(v)+64, 0)
		return s.resp.AppendValue(s.out.AvailableBuffer(), v), n
	case respproto.Set:
		set(args[1], args[2])
		return respproto.AppendOK(out), n
	case respproto.Incr:
		sum, err := respproto.Sum(db[string(args[1])], args)
		if err != nil {
			return respproto.AppendError(out, err), n
		}
		set(args[1], strconv.AppendInt(nil, sum, 10))
		return respproto.AppendInt(out, sum), n
	case respproto.Exists, respproto.Del:
		found := 0
		for _, key := range args[1:] {
			if _, ok := db[string(key)]; ok {
				found++
			}
			if command == respproto.Del {
				delete(db, string(key))
			}
		}
		return respproto.AppendInt(out, found), n
	case respproto.DBSize:
		return respproto.AppendInt(out, len(db)), n
	case respproto.FlushAll:
		db = map[string][]byte{}
		return respproto.AppendOK(out), n
	}
	out, s.quit = s.resp.AppendOther(out, args, len(db))
	return out, n
}

// answerKV answers the first protobuf request in s.in, if it is there as a whole.
func (s *session) answerKV(out []byte) (_ []byte, n int) {
	m, n, err := kvproto.Parse(s.in.Bytes())
	if n == 0 {
		s.quit = err != nil
		return kvproto.AppendError(out, err), 0
	}
	switch m.Kind {
	case kvproto.Get:
		v := db[string(m.Key)]
		s.out = fit(s.out, len(m.Key)+len(v)+64, 0)
		return kvproto.AppendValue(s.out.AvailableBuffer(), m.Key, v), n
	case kvproto.PutOrUpdate:
		set(m.Key, m.Value)
		return kvproto.AppendOk(out), n
	}
	return kvproto.AppendNotOk(out, m.Kind, m.Key), n
}

// set stores a value, in the place of the old one if that has about its size.
func set(key, v []byte) {
	old, ok := db[string(key)]
	if ok && len(old) == len(v) {
		copy(old, v)
		return
	}
	if !ok || cap(old) < len(v) || cap(old) > 2*len(v)+64 {
		old = make([]byte, 0, len(v))
	}
	db[string(key)] = append(old[:0], v...)
}

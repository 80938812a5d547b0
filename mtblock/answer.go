package main

import (
	"bytes"
	"strconv"

	"ioflavors/kvproto"
	"ioflavors/respproto"
)

const (
	maxOut    = 1 << 20 // bytes of replies that may wait before answering stops
	maxDrop   = 1 << 20 // bytes that are read and dropped after the last reply
	frameRoom = 64      // bytes that most replies need besides their key and value
)

var db = map[string][]byte{}

// answer is answerRESP or answerKV. It answers the first request in s.in and returns its length
// n. If n <= 0, either the request is invalid, and s.quit set, or it lacks at least -n bytes.
var answer func(s *session) (n int)

// A session holds a client's data: input not yet answered, and output not yet sent. An empty
// buffer goes back to its pool between turns.
type session struct {
	resp    *respproto.Session
	in      *bytes.Buffer // input not yet answered
	out     *bytes.Buffer // output not yet sent
	more    bool          // in may begin with a complete request
	eof     bool          // the client sends no more
	quit    bool          // no more replies: the client's input is dropped
	need    int           // least number of bytes that the first request lacks; <= 0 if unknown
	dropped int           // bytes of input dropped since the last reply
}

func newSession() session { return session{resp: respproto.NewSession(), in: empty, out: empty} }

// busy reports whether there is something to answer or send. If so, the client is not read from.
func (s *session) busy() bool { return s.more || s.out.Len() > 0 }

// answerAll answers the complete requests in s.in, until too much output waits.
func (s *session) answerAll() {
	for s.more = true; s.more && !s.quit && s.out.Len() < maxOut; {
		n := answer(s)
		s.in.Next(max(n, 0))
		s.more, s.need = n > 0, -n
	}
	if s.quit {
		s.dropped += s.in.Len()
		s.in.Reset()
		s.more = false
	}
}

func (s *session) answerRESP() (n int) {
	var few [4][]byte // room for most requests' arguments, on the stack
	args, n, err := s.resp.Parse(s.in.Bytes(), few[:0])
	out := s.room(frameRoom)
	switch command := respproto.Lookup(args); {
	case n <= 0:
		out, s.quit = respproto.AppendError(out, err), err != nil
	case command == respproto.Get:
		v := db[string(args[1])]
		out = s.resp.AppendValue(s.room(len(v)+frameRoom), v)
	case command == respproto.Set:
		set(args[1], args[2])
		out = respproto.AppendOK(out)
	case command == respproto.Incr:
		sum, err := respproto.Sum(db[string(args[1])], args)
		if err != nil {
			out = respproto.AppendError(out, err)
			break
		}
		set(args[1], strconv.AppendInt(nil, sum, 10))
		out = respproto.AppendInt(out, sum)
	case command == respproto.Exists || command == respproto.Del:
		found := 0
		for _, key := range args[1:] {
			if _, ok := db[string(key)]; ok {
				found++
			}
			if command == respproto.Del {
				delete(db, string(key))
			}
		}
		if found > 0 && len(db) == 0 {
			db = map[string][]byte{} // a map never shrinks
		}
		out = respproto.AppendInt(out, found)
	case command == respproto.DBSize:
		out = respproto.AppendInt(out, len(db))
	case command == respproto.FlushAll:
		db = map[string][]byte{}
		out = respproto.AppendOK(out)
	default:
		out, s.quit = s.resp.AppendOther(out, args, len(db))
	}
	s.out.Write(out)
	return n
}

func (s *session) answerKV() (n int) {
	m, n, err := kvproto.Parse(s.in.Bytes())
	out := s.room(frameRoom)
	switch {
	case n <= 0:
		out, s.quit = kvproto.AppendError(out, err), err != nil
	case m.Kind == kvproto.Get:
		v := db[string(m.Key)]
		out = kvproto.AppendValue(s.room(len(m.Key)+len(v)+frameRoom), m.Key, v)
	case m.Kind == kvproto.PutOrUpdate:
		set(m.Key, m.Value)
		out = kvproto.AppendOk(out)
	default:
		out = kvproto.AppendNotOk(out, m.Kind, m.Key)
	}
	s.out.Write(out)
	return n
}

// set stores a copy of v. It reuses the old value's memory if that is about the right size.
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

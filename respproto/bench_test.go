package respproto

import (
	"bytes"
	"fmt"
	"testing"
)

// A turn is all that a server does with a request but the dictionary.
func turn(s *Session, out, in, value []byte) ([]byte, int) {
	var few [64][]byte
	args, n, err := s.Parse(in, few[:0])
	if err != nil || n <= 0 {
		panic("not a request")
	}
	switch Lookup(args) {
	case Get:
		return s.AppendValue(out, value), n
	case Set:
		return AppendOK(out), n
	case Incr, DBSize, Del, Exists, FlushAll:
		return AppendInt(out, n), n
	}
	panic("not a command of the dictionary")
}

var hotRequests = map[string]string{
	"GET":    "*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n",
	"SET":    "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$3\r\nxxx\r\n",
	"INCR":   "*2\r\n$4\r\nINCR\r\n$20\r\ncounter:__rand_int__\r\n",
	"DEL64":  string(AppendCommand(nil, split("DEL a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k")...)),
	"inline": "GET key:__rand_int__\r\n",
}

func TestHotPathAllocatesNothing(t *testing.T) {
	value := []byte("xxx")
	for name, request := range hotRequests {
		in := []byte(request)
		out := make([]byte, 0, 1024)
		s := NewSession()
		defer s.Close()
		if n := testing.AllocsPerRun(1000, func() {
			out, _ = turn(s, out[:0], in, value)
			out, _ = turn(s, out, in, nil)
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
		// In two pieces.
		var few [64][]byte
		if n := testing.AllocsPerRun(1000, func() {
			if _, n, err := s.Parse(in[:len(in)-3], few[:0]); n > 0 || err != nil {
				t.Fatalf("%s: length %d, %v; want to need more", name, n, err)
			}
			out, _ = turn(s, out[:0], in, value)
		}); n != 0 {
			t.Errorf("%s in two pieces: %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkTurn(b *testing.B) {
	for _, name := range []string{"GET", "SET", "INCR", "DEL64", "inline"} {
		in, value := []byte(hotRequests[name]), []byte("xxx")
		b.Run(name, func(b *testing.B) {
			s := NewSession()
			defer s.Close()
			var out []byte
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				out, _ = turn(s, out[:0], in, value)
			}
		})
	}
}

// 1,000 GETs in one buffer.
func BenchmarkPipeline(b *testing.B) {
	in := bytes.Repeat([]byte(hotRequests["GET"]), 1000)
	value := []byte("xxx")
	s := NewSession()
	defer s.Close()
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		out = out[:0]
		for rest := in; len(rest) > 0; {
			n := 0
			out, n = turn(s, out, rest, value)
			rest = rest[n:]
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/request")
}

// One request that comes byte by byte: the time for a byte does not grow with the
// request.
func BenchmarkDrip(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		in := manyArgs(n)
		b.Run(fmt.Sprintf("args=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := NewSession()
				for i := range in {
					if _, length, err := s.Parse(in[:i+1], nil); err != nil || length > 0 != (i == len(in)-1) {
						b.Fatalf("length %d, %v after %d bytes", length, err, i+1)
					}
				}
				s.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(in)), "ns/byte")
		})
	}
}

func BenchmarkOther(b *testing.B) {
	for _, line := range []string{"PING", "HELLO 3", "CONFIG GET save", "INFO", "nosuch a b"} {
		b.Run(line, func(b *testing.B) {
			args := split(line)
			s := NewSession()
			defer s.Close()
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				out, _ = s.AppendOther(out[:0], args, 0)
			}
		})
	}
}

func BenchmarkReplyLen(b *testing.B) {
	in := AppendBulk(nil, "xxx")
	b.ReportAllocs()
	for b.Loop() {
		if n, err := ReplyLen(in); n != len(in) || err != nil {
			b.Fatal(n, err)
		}
	}
}

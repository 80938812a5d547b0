package scripts

import (
	"fmt"
	"strings"
	"testing"
)

// What is left of a conversation when one side goes on, stops or breaks off. All
// of it holds in both protocols.

// TestPipelining sends a thousand requests in one segment, ten times.
func TestPipelining(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		var in, want strings.Builder
		for i := range 500 {
			key, value := fmt.Sprintf("k%d", i%7), fmt.Sprintf("v%d", i)
			in.WriteString(d.put(key, value) + d.get(key))
			want.WriteString(d.ok + d.value(key, value))
		}
		c := s.dial(t)
		for range 10 {
			c.ask(in.String(), want.String())
		}
		c.closeWrite()
		c.expectEnd("")
	})
}

// mixed is a stream of requests with its replies.
func mixed(d dialect) (in, want string) {
	in = d.put("k", "v") + d.get("k") + d.get("nosuch") + d.put("key\r\n2", "*1\r\n$4\r\nPING\r\n") + d.get("key\r\n2")
	want = d.ok + d.value("k", "v") + d.missing("nosuch") + d.ok + d.value("key\r\n2", "*1\r\n$4\r\nPING\r\n")
	if d.name == "resp" {
		in += "\r\n*0\r\nPING\r\nECHO \"\\x41 b\"  'c\\'d'\r\nDEL k nosuch\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\nfoo bar\n"
		want += "+PONG\r\n" + wrongNumber("echo") + ":1\r\n$-1\r\n-ERR unknown command 'foo', with args beginning with: 'bar' \r\n"
	}
	return in + d.wrong, want + d.refusal
}

// TestSplit cuts a stream in two, at every byte, on a connection each. A request
// in front of the first part shows that the server has read it.
func TestSplit(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		in, want := mixed(d)
		for i := range len(in) {
			c := s.dial(t)
			c.ask(d.get("first")+in[:i], d.missing("first"))
			c.send(in[i:])
			c.expectEnd(want)
			c.leave()
			if c.dead {
				t.Fatalf("%q | %q", in[:i], in[i:])
			}
		}
	})
}

// TestDrip sends a stream byte by byte, and byte by byte a request of 20,000
// arguments or as many bytes.
func TestDrip(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		in, want := mixed(d)
		c := s.dial(t)
		c.drip(in)
		c.expectEnd(want)
		c = s.dial(t)
		c.drip(dripped(d, 20_000))
		c.expect(drippedReply(d))
	})
}

// drip sends each byte in a segment of its own.
func (c *client) drip(data string) {
	c.t.Helper()
	for i := range len(data) {
		c.send(data[i : i+1])
	}
}

// dripped is a request that takes about 7 bytes times n.
func dripped(d dialect, n int) string {
	if d.name == "resp" {
		return fmt.Sprintf("*%d\r\n$3\r\nDEL\r\n", 1+n) + strings.Repeat("$1\r\nk\r\n", n)
	}
	return d.put("k", strings.Repeat("1234567", n))
}

func drippedReply(d dialect) string {
	if d.name == "resp" {
		return ":0\r\n"
	}
	return d.ok
}

// TestDripIsLinear compares the processor time that a request takes when it
// drips in with that of one four times as long. Four times as much is right;
// sixteen times as much is what it takes to begin anew at each byte.
func TestDripIsLinear(t *testing.T) {
	cost := func(t *testing.T, f flavor, d dialect, n int) float64 {
		s := start(t, f, d.name)
		c := s.dial(t)
		c.drip(dripped(d, n))
		c.expect(drippedReply(d))
		c.leave()
		s.stop(t, sigterm)
		return (s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()).Seconds()
	}
	eachFlavor(t, sleeping, func(t *testing.T, f flavor) {
		for _, d := range both {
			small, big := cost(t, f, d, 5_000), cost(t, f, d, 20_000)
			if big > 8*small+0.5 {
				t.Errorf("%s: %.2f s of processor time, and for four times as much %.2f s", d.name, small, big)
			}
		}
	})
}

// TestInterleaved has a client send half a request, and another a whole one. In
// a flavor that serves one client at a time the second has to wait for the first.
func TestInterleaved(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		value, other := strings.Repeat("v", 50), strings.Repeat("nosuch", 50)
		put := d.put("k", value)
		var first, second *client
		for i := range len(put) {
			if i == 0 || s.serial {
				first, second = s.dial(t), s.dial(t)
			}
			first.ask(d.get("nosuch")+put[:i], d.missing("nosuch"))
			second.send(d.get(other))
			if !s.serial {
				second.expect(d.missing(other))
			}
			first.ask(put[i:]+d.get("k"), d.ok+d.value("k", value))
			if s.serial {
				first.leave()
				second.expect(d.missing(other))
				second.leave()
			}
		}
	})
}

// TestManyClients has 50 clients at once, each with a key of its own.
func TestManyClients(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		together(50, func(i int) {
			c := s.dial(t)
			defer c.leave()
			key := fmt.Sprint("key", i)
			for n := range 100 {
				value := strings.Repeat(fmt.Sprint(i, n, " "), n)
				c.ask(d.put(key, value), d.ok)
				c.ask(d.get(key)+d.get("nosuch"), d.value(key, value)+d.missing("nosuch"))
			}
		})
	})
}

// big is a value such that a few of them fill all buffers on the way.
var big = strings.Repeat("0123456789abcdef", 1<<16)

// TestHalfClose has clients say that they send no more, and read only then.
func TestHalfClose(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		exchange{"small", d.put("k", "v") + d.get("k"), d.ok + d.value("k", "v")}.run(t, s, false)
		exchange{"half a request", d.get("k") + d.get("k")[:7], d.value("k", "v")}.run(t, s, false)
		const times = 24
		c := s.dial(t)
		c.ask(d.put("big", big), d.ok)
		c.send(strings.Repeat(d.get("big"), times) + d.get("k"))
		c.closeWrite()
		s.othersServed(t, d)
		c.expectEnd(strings.Repeat(d.value("big", big), times) + d.value("k", "v"))

		huge := strings.Repeat(big, 12) // no buffer in the kernel has room for one reply
		c = s.dial(t)
		c.ask(d.put("huge", huge), d.ok)
		c.send(strings.Repeat(d.get("huge"), 3))
		c.closeWrite()
		s.othersServed(t, d)
		c.expectEnd(strings.Repeat(d.value("huge", huge), 3))
	})
}

// othersServed checks that another client is served, meanwhile if can be.
func (s *server) othersServed(t *testing.T, d dialect) {
	t.Helper()
	if s.serial {
		return
	}
	c := s.dial(t)
	for range 10 {
		c.ask(d.put("other", "v")+d.get("other"), d.ok+d.value("other", "v"))
	}
	c.leave()
}

// TestReset has clients break off in the middle of a request and of a reply.
func TestReset(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.put("big", big), d.ok)
		c.leave()
		for range 20 {
			midRequest := s.dial(t)
			midRequest.send(d.put("big", big)[:len(big)/2])
			midRequest.reset()

			midReply := s.dial(t)
			midReply.send(strings.Repeat(d.get("big"), 10))
			midReply.expect(d.value("big", big)[:100])
			midReply.reset()

			unread := s.dial(t)
			unread.send(strings.Repeat(d.get("big"), 10))
			unread.reset()

			closed := s.dial(t)
			closed.send(strings.Repeat(d.get("big"), 10))
			closed.expect(d.value("big", big)[:100])
			closed.leave() // the kernel sends an RST, since there are unread replies

			s.dial(t).reset()

			c := s.dial(t)
			c.ask(d.get("big"), d.value("big", big))
			c.leave()
		}
	})
}

// TestGarbage sends megabytes behind something that is no request. Neither large
// replies nor small ones before it may get lost.
func TestGarbage(t *testing.T) {
	garbage := strings.Repeat("garbage\r\n", 1<<20)
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.put("big", big)+d.put("k", "v"), d.ok+d.ok)
		c.leave()

		late := s.dial(t) // reads when it has sent all
		late.send(d.get("k") + d.wrong + garbage)
		late.expectEnd(d.value("k", "v") + d.refusal)
		late.leave()

		const times = 12
		c = s.dial(t)
		together(2, func(i int) {
			if i == 0 {
				c.send(strings.Repeat(d.get("big"), times) + d.wrong + garbage)
				return
			}
			for range times {
				c.expect(d.value("big", big))
			}
			c.expectEnd(d.refusal)
		})
		c.leave()
		s.othersServed(t, d)
	})
}

// TestWrongAndHalfClose sends something wrong and half-closes at once.
func TestWrongAndHalfClose(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		for range 20 {
			exchange{"wrong", d.get("k") + d.wrong, d.missing("k") + d.refusal}.run(t, s, false)
		}
	})
}

package streams

import (
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "6") // most of these tests wait
	driver.Main(m)
}

// What is left of a conversation when one side goes on, stops or breaks off. All
// of it holds in both protocols.

// TestPipelining sends a thousand requests in one segment, ten times.
func TestPipelining(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		var in, want strings.Builder
		for i := range 500 {
			key, value := fmt.Sprintf("k%d", i%7), fmt.Sprintf("v%d", i)
			in.WriteString(d.Put(key, value) + d.Get(key))
			want.WriteString(d.OK + d.Value(key, value))
		}
		c := s.Dial(t)
		for range 10 {
			c.Ask(in.String(), want.String())
		}
		c.CloseWrite()
		c.ExpectEnd("")
	})
}

// mixed is a stream of requests with its replies.
func mixed(d driver.Dialect) (in, want string) {
	in = d.Put("k", "v") + d.Get("k") + d.Get("nosuch") + d.Put("key\r\n2", "*1\r\n$4\r\nPING\r\n") + d.Get("key\r\n2")
	want = d.OK + d.Value("k", "v") + d.Missing("nosuch") + d.OK + d.Value("key\r\n2", "*1\r\n$4\r\nPING\r\n")
	if d.Name == "resp" {
		in += "\r\n*0\r\nPING\r\nECHO \"\\x41 b\"  'c\\'d'\r\nDEL k nosuch\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\nfoo bar\n"
		want += "+PONG\r\n" + "-ERR wrong number of arguments for 'echo' command\r\n" + ":1\r\n$-1\r\n-ERR unknown command 'foo', with args beginning with: 'bar' \r\n"
	}
	return in + d.Wrong, want + d.Refusal
}

// TestSplit cuts a stream in two, at every byte, on a connection each. A request
// in front of the first part shows that the server has read it.
func TestSplit(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		in, want := mixed(d)
		for i := range len(in) {
			c := s.Dial(t)
			c.Ask(d.Get("first")+in[:i], d.Missing("first"))
			c.Send(in[i:])
			c.ExpectEnd(want)
			c.Leave()
			if c.Dead {
				t.Fatalf("%q | %q", in[:i], in[i:])
			}
		}
	})
}

// TestDrip sends a stream byte by byte.
func TestDrip(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		in, want := mixed(d)
		c := s.Dial(t)
		drip(c, in)
		c.ExpectEnd(want)
	})
}

// drip sends each byte in a segment of its own.
func drip(c *driver.Client, data string) {
	for i := 0; i < len(data) && !c.Dead; i++ {
		c.Send(data[i : i+1])
	}
}

// dripped is a request that takes about 7 bytes times n.
func dripped(d driver.Dialect, n int) string {
	if d.Name == "resp" {
		return fmt.Sprintf("*%d\r\n$3\r\nDEL\r\n", 1+n) + strings.Repeat("$1\r\nk\r\n", n)
	}
	return d.Put("k", strings.Repeat("1234567", n))
}

func drippedReply(d driver.Dialect) string {
	if d.Name == "resp" {
		return ":0\r\n"
	}
	return d.OK
}

// TestDripIsLinear compares the processor time that a request takes when it
// drips in with that of one four times as long. Four times as much is right;
// sixteen times as much is what it takes to begin anew at each byte.
func TestDripIsLinear(t *testing.T) {
	cost := func(t *testing.T, f driver.Flavor, d driver.Dialect, n int) float64 {
		s := driver.Start(t, f, d.Name)
		c := s.Dial(t)
		drip(c, dripped(d, n))
		c.Expect(drippedReply(d))
		c.Leave()
		s.Stop(t, syscall.SIGTERM)
		return (s.Cmd.ProcessState.UserTime() + s.Cmd.ProcessState.SystemTime()).Seconds()
	}
	driver.EachFlavor(t, driver.Sleeping, func(t *testing.T, f driver.Flavor) {
		for _, d := range driver.Both {
			small, big := cost(t, f, d, 5_000), cost(t, f, d, 20_000)
			if big > 8*small+0.5 {
				t.Errorf("%s: %.2f s of processor time, and for four times as much %.2f s", d.Name, small, big)
			}
		}
	})
}

// TestInterleaved has a client send half a request, and another a whole one. In
// a flavor that serves one client at a time the second has to wait for the first.
func TestInterleaved(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		value, other := strings.Repeat("v", 50), strings.Repeat("nosuch", 50)
		put := d.Put("k", value)
		var first, second *driver.Client
		for i := range len(put) {
			if i == 0 || s.Serial {
				first, second = s.Dial(t), s.Dial(t)
			}
			first.Ask(d.Get("nosuch")+put[:i], d.Missing("nosuch"))
			second.Send(d.Get(other))
			if !s.Serial {
				second.Expect(d.Missing(other))
			}
			first.Ask(put[i:]+d.Get("k"), d.OK+d.Value("k", value))
			if s.Serial {
				first.Leave()
				second.Expect(d.Missing(other))
				second.Leave()
			}
		}
	})
}

// TestManyClients has 50 clients at once, each with a key of its own.
func TestManyClients(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		driver.Together(50, func(i int) {
			c := s.Dial(t)
			defer c.Leave()
			key := fmt.Sprint("key", i)
			for n := range 40 {
				value := strings.Repeat(fmt.Sprint(i, n, " "), n)
				c.Ask(d.Put(key, value), d.OK)
				c.Ask(d.Get(key)+d.Get("nosuch"), d.Value(key, value)+d.Missing("nosuch"))
			}
		})
	})
}

// TestHalfClose has clients say that they send no more, and read only then.
func TestHalfClose(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Send(d.Put("k", "v") + d.Get("k") + d.Get("k")[:7])
		c.CloseWrite()
		c.ExpectEnd(d.OK + d.Value("k", "v"))
		c.Leave()
		const times = 16
		c = s.Dial(t)
		c.Ask(d.Put("big", driver.Big), d.OK)
		c.Send(strings.Repeat(d.Get("big"), times) + d.Get("k"))
		c.CloseWrite()
		s.OthersServed(t, d)
		c.ExpectEnd(strings.Repeat(d.Value("big", driver.Big), times) + d.Value("k", "v"))

		huge := strings.Repeat(driver.Big, 10) // no buffer in the kernel has room for one reply
		c = s.Dial(t)
		c.Ask(d.Put("huge", huge), d.OK)
		c.Send(strings.Repeat(d.Get("huge"), 2))
		c.CloseWrite()
		s.OthersServed(t, d)
		c.ExpectEnd(strings.Repeat(d.Value("huge", huge), 2))
	})
}

// TestReset has clients break off in the middle of a request and of a reply.
func TestReset(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Ask(d.Put("big", driver.Big), d.OK)
		c.Leave()
		for range 8 {
			midRequest := s.Dial(t)
			midRequest.Send(d.Put("big", driver.Big)[:len(driver.Big)/2])
			midRequest.Reset()

			midReply := s.Dial(t)
			midReply.Send(strings.Repeat(d.Get("big"), 10))
			midReply.Expect(d.Value("big", driver.Big)[:100])
			midReply.Reset()

			unread := s.Dial(t)
			unread.Send(strings.Repeat(d.Get("big"), 10))
			unread.Reset()

			closed := s.Dial(t)
			closed.Send(strings.Repeat(d.Get("big"), 10))
			closed.Expect(d.Value("big", driver.Big)[:100])
			closed.Leave() // the kernel sends an RST, since there are unread replies

			s.Dial(t).Reset()

			c := s.Dial(t)
			c.Ask(d.Get("big"), d.Value("big", driver.Big))
			c.Leave()
		}
	})
}

// TestGarbage sends nearly a megabyte behind something that is no request. Neither
// large replies nor small ones before it may get lost.
func TestGarbage(t *testing.T) {
	garbage := strings.Repeat("garbage\r\n", 100_000)
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Ask(d.Put("big", driver.Big)+d.Put("k", "v"), d.OK+d.OK)
		c.Leave()

		late := s.Dial(t) // reads when it has sent all
		late.Send(d.Get("k") + d.Wrong + garbage)
		late.ExpectEnd(d.Value("k", "v") + d.Refusal)
		late.Leave()

		const times = 12
		c = s.Dial(t)
		driver.Together(2, func(i int) {
			if i == 0 {
				c.Send(strings.Repeat(d.Get("big"), times) + d.Wrong + garbage)
				return
			}
			for range times {
				c.Expect(d.Value("big", driver.Big))
			}
			c.ExpectEnd(d.Refusal)
		})
		c.Leave()
		s.OthersServed(t, d)
	})
}

// TestWrongAndHalfClose sends something wrong and half-closes at once.
func TestWrongAndHalfClose(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		for range 20 {
			c := s.Dial(t)
			c.Send(d.Get("k") + d.Wrong)
			c.CloseWrite()
			c.ExpectEnd(d.Missing("k") + d.Refusal)
			c.Leave()
		}
	})
}

package streams

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

// Clients that mean harm, or are broken. What they get is nobody's concern, but
// the server has to live, to say nothing, and to serve others as before.

// TestGarbled sends requests with bytes changed, left out or put in, in pieces.
// All of them half-close, so the server has to end each connection.
func TestGarbled(t *testing.T) {
	const seed, streams = 1, 400
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		right, _ := mixed(d)
		for i := range streams {
			in := garble(rnd, strings.Repeat(right, 1+rnd.IntN(3)))
			c := s.Dial(t)
			cut := rnd.IntN(len(in) + 1)
			c.Send(in[:cut])
			c.Send(in[cut:])
			c.CloseWrite()
			c.Rest()
			c.Leave()
			if c.Dead {
				t.Fatalf("stream %d: %q | %q", i, in[:cut], in[cut:])
			}
		}
		s.OthersServed(t, d)
	})
}

// garble changes up to ten bytes of a stream.
func garble(rnd *rand.Rand, stream string) string {
	b := []byte(stream)
	for range rnd.IntN(10) {
		i := rnd.IntN(len(b))
		switch rnd.IntN(4) {
		case 0:
			b[i] = byte(rnd.IntN(256))
		case 1:
			b = append(b[:i], b[i+1:]...)
		case 2:
			b = append(b[:i], append([]byte{"\r\n$*0129-\x00\xff"[rnd.IntN(11)]}, b[i:]...)...)
		case 3:
			j := rnd.IntN(len(b))
			b[i], b[j] = b[j], b[i]
		}
	}
	return string(b)
}

// TestAnyByte begins a connection with each byte, and with each pair of equal ones.
func TestAnyByte(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		for i := range 256 {
			for _, in := range []string{string([]byte{byte(i)}), strings.Repeat(string([]byte{byte(i)}), 300) + "\r\n\r\n"} {
				c := s.Dial(t)
				c.Send(in)
				c.CloseWrite()
				c.Rest()
				c.Leave()
			}
		}
		s.OthersServed(t, d)
	})
}

// TestChurn has clients come and go, in all the ways there are.
func TestChurn(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		driver.Together(4, func(part int) {
			for i := range 250 {
				c := s.Dial(t)
				switch (part + i) % 7 {
				case 0: // nothing
				case 1:
					c.Reset()
				case 2:
					c.CloseWrite()
					c.ExpectEnd("")
				case 3:
					c.Send(d.Get("nosuch"))
					c.Reset()
				case 4:
					c.Send(d.Get("nosuch"))
				case 5:
					c.Send(d.Wrong)
				case 6:
					c.Ask(d.Get("nosuch"), d.Missing("nosuch"))
				}
				c.Leave()
			}
		})
		s.OthersServed(t, d)
	})
}

// TestSlowloris has many clients that send a request and never end it.
func TestSlowloris(t *testing.T) {
	const clients = 300
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		put := d.Put("k", "v")
		var all []*driver.Client
		for i := range clients {
			c := s.Dial(t)
			c.Send(put[:i%len(put)])
			all = append(all, c)
			if i%50 == 0 {
				s.OthersServed(t, d)
			}
		}
		for i, c := range all {
			c.Ask(put[i%len(put):], d.OK)
			if s.Serial {
				c.Leave()
			}
		}
	})
}

// TestManySlowReaders has clients that ask for much and read nothing, and are
// gone one by one.
func TestManySlowReaders(t *testing.T) {
	const clients = 6
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Ask(d.Put("big", driver.Big), d.OK)
		c.Leave()
		var all []*driver.Client
		for range clients {
			c := s.Dial(t)
			c.Send(strings.Repeat(d.Get("big"), 20))
			all = append(all, c)
		}
		s.OthersServed(t, d)
		for i, c := range all {
			switch i % 3 {
			case 0:
				c.Reset()
			case 1:
				c.Leave()
			case 2:
				c.CloseWrite()
				c.ExpectEnd(strings.Repeat(d.Value("big", driver.Big), 20))
				c.Leave()
			}
		}
		s.Dial(t).Ask(d.Get("big"), d.Value("big", driver.Big))
	})
}

// TestManyDeletes pipelines commands with 100,000 keys each.
func TestManyDeletes(t *testing.T) {
	del := fmt.Sprintf("*%d\r\n$3\r\nDEL\r\n", 100_001) + strings.Repeat("$1\r\nk\r\n", 100_000)
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		driver.Together(3, func(int) {
			c := s.Dial(t)
			defer c.Leave()
			c.Send(strings.Repeat(del, 5))
			c.CloseWrite()
			c.ExpectEnd(strings.Repeat(":0\r\n", 5))
		})
	})
}

// TestShutdownBothWays closes both directions at once, with replies on the way.
func TestShutdownBothWays(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		for range 50 {
			c := s.Dial(t)
			c.Send(strings.Repeat(d.Get("nosuch"), 100))
			c.Conn.CloseRead()
			c.CloseWrite()
			io.Copy(io.Discard, c.Conn)
			c.Leave()
		}
		s.OthersServed(t, d)
	})
}

// TestEndsAreFreed checks that connections which the server has ended do not stay
// open: it can serve more of them, one after the other, than it has descriptors.
func TestEndsAreFreed(t *testing.T) {
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, d := range driver.Both {
			s := driver.Start(t, f, d.Name, "ulimit -n 30")
			for range 100 {
				c := s.Dial(t)
				c.Ask(d.Wrong, d.Refusal)
				c.ExpectEnd("")
				c.Leave()
				c = s.Dial(t)
				c.Ask(d.Get("nosuch"), d.Missing("nosuch"))
				c.Reset()
			}
		}
	})
}

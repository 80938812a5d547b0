package scripts

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// Clients that mean harm, or are broken. What they get is nobody's concern, but
// the server has to live, to say nothing, and to serve others as before.

// TestGarbled sends requests with bytes changed, left out or put in, in pieces.
// All of them half-close, so the server has to end each connection.
func TestGarbled(t *testing.T) {
	const seed, streams = 1, 400
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		right, _ := mixed(d)
		for i := range streams {
			in := garble(rnd, strings.Repeat(right, 1+rnd.IntN(3)))
			c := s.dial(t)
			cut := rnd.IntN(len(in) + 1)
			c.send(in[:cut])
			c.send(in[cut:])
			c.closeWrite()
			c.rest()
			c.leave()
			if c.dead {
				t.Fatalf("stream %d: %q | %q", i, in[:cut], in[cut:])
			}
		}
		s.othersServed(t, d)
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
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		for i := range 256 {
			for _, in := range []string{string([]byte{byte(i)}), strings.Repeat(string([]byte{byte(i)}), 300) + "\r\n\r\n"} {
				c := s.dial(t)
				c.send(in)
				c.closeWrite()
				c.rest()
				c.leave()
			}
		}
		s.othersServed(t, d)
	})
}

// TestChurn has clients come and go, in all the ways there are.
func TestChurn(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		together(4, func(part int) {
			for i := range 250 {
				c := s.dial(t)
				switch (part + i) % 7 {
				case 0: // nothing
				case 1:
					c.reset()
				case 2:
					c.closeWrite()
					c.expectEnd("")
				case 3:
					c.send(d.get("nosuch"))
					c.reset()
				case 4:
					c.send(d.get("nosuch"))
				case 5:
					c.send(d.wrong)
				case 6:
					c.ask(d.get("nosuch"), d.missing("nosuch"))
				}
				c.leave()
			}
		})
		s.othersServed(t, d)
	})
}

// TestSlowloris has many clients that send a request and never end it.
func TestSlowloris(t *testing.T) {
	const clients = 300
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		put := d.put("k", "v")
		var all []*client
		for i := range clients {
			c := s.dial(t)
			c.send(put[:i%len(put)])
			all = append(all, c)
			s.othersServedAt(t, d, i%50 == 0)
		}
		for i, c := range all {
			c.ask(put[i%len(put):], d.ok)
			if s.serial {
				c.leave()
			}
		}
	})
}

func (s *server) othersServedAt(t *testing.T, d dialect, now bool) {
	t.Helper()
	if now {
		s.othersServed(t, d)
	}
}

// TestSendAfterEnd goes on sending after the server has ended the connection,
// which must not keep the server from ending it for good.
func TestSendAfterEnd(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.wrong, d.refusal)
		c.expectEnd("")
		for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
			c.conn.SetWriteDeadline(time.Now().Add(patience))
			if _, err := c.conn.Write([]byte(big)); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the server neither takes what is sent nor resets the connection")
				}
				break
			}
		}
		s.othersServed(t, d)
		c.leave()
		s.dial(t).ask(d.get("nosuch"), d.missing("nosuch"))
	})
}

// TestStayAfterEnd has a client that the server has refused stay, and do nothing.
func TestStayAfterEnd(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.wrong, d.refusal)
		c.expectEnd("")
		s.dial(t).ask(d.get("nosuch"), d.missing("nosuch")) // in all flavors
	})
}

// TestManySlowReaders has clients that ask for much and read nothing, and are
// gone one by one.
func TestManySlowReaders(t *testing.T) {
	const clients = 12
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.put("big", big), d.ok)
		c.leave()
		var all []*client
		for range clients {
			c := s.dial(t)
			c.send(strings.Repeat(d.get("big"), 20))
			all = append(all, c)
		}
		s.othersServed(t, d)
		for i, c := range all {
			switch i % 3 {
			case 0:
				c.reset()
			case 1:
				c.leave()
			case 2:
				c.closeWrite()
				c.expectEnd(strings.Repeat(d.value("big", big), 20))
				c.leave()
			}
		}
		s.dial(t).ask(d.get("big"), d.value("big", big))
	})
}

// TestManyDeletes pipelines commands with 100,000 keys each.
func TestManyDeletes(t *testing.T) {
	del := fmt.Sprintf("*%d\r\n$3\r\nDEL\r\n", 100_001) + strings.Repeat("$1\r\nk\r\n", 100_000)
	eachServer(t, []dialect{resp}, func(t *testing.T, s *server, d dialect) {
		together(4, func(int) {
			c := s.dial(t)
			defer c.leave()
			c.send(strings.Repeat(del, 10))
			c.closeWrite()
			c.expectEnd(strings.Repeat(":0\r\n", 10))
		})
	})
}

// TestShutdownBothWays closes both directions at once, with replies on the way.
func TestShutdownBothWays(t *testing.T) {
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		for range 50 {
			c := s.dial(t)
			c.send(strings.Repeat(d.get("nosuch"), 100))
			c.conn.CloseRead()
			c.closeWrite()
			io.Copy(io.Discard, c.conn)
			c.leave()
		}
		s.othersServed(t, d)
	})
}

// TestEndsAreFreed checks that connections which the server has ended do not stay
// open: it can serve more of them, one after the other, than it has descriptors.
func TestEndsAreFreed(t *testing.T) {
	eachFlavor(t, all, func(t *testing.T, f flavor) {
		for _, d := range both {
			s := startLimited(t, f, d.name, 30)
			for range 100 {
				c := s.dial(t)
				c.ask(d.wrong, d.refusal)
				c.expectEnd("")
				c.leave()
				c = s.dial(t)
				c.ask(d.get("nosuch"), d.missing("nosuch"))
				c.reset()
			}
		}
	})
}

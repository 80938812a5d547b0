package streams

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

// TestSlowReader has a client that asks for 1 MB over and over and reads nothing:
// many times in one segment, and then in requests that fill the buffers soon. The
// server must stop reading from it, and not grow; others are served; and when the
// client reads at last, it gets everything, without another word.
func TestSlowReader(t *testing.T) {
	driver.OnlyLinux(t)
	const times = 64
	padding := strings.Repeat("nosuch", 10_000)
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Conn.SetWriteBuffer(64 << 10)
		c.Ask(d.Put("big", driver.Big), d.OK)
		before := s.Status(t, "VmRSS")
		request := d.Get("big") + d.Get(padding)
		reply := d.Value("big", driver.Big) + d.Missing(padding)

		c.Send(strings.Repeat(d.Get("big"), times))
		sent := c.Flood(request, 64*driver.MiB)
		s.OthersServed(t, d)
		s.ExpectGrowth(t, before, 16*driver.MiB)
		s.ExpectQuiet(t, "when a client does not read")

		driver.Together(2, func(i int) {
			if i == 0 {
				c.Send(request[sent%len(request):]) // there is no room for it yet
				return
			}
			for range times {
				c.Expect(d.Value("big", driver.Big))
			}
			for range sent/len(request) + 1 {
				c.Expect(reply)
			}
		})
		c.CloseWrite()
		c.ExpectEnd("")
	})
}

// TestOneRead asks for several MiB in a few thousand bytes, which arrive in one
// read. The server stops answering at times, and has to go on by itself: there is
// no more input to remind it.
func TestOneRead(t *testing.T) {
	const times = 500
	value := strings.Repeat("v", 10_000)
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Ask(d.Put("k", value), d.OK)
		for range 10 {
			c.Ask(strings.Repeat(d.Get("k"), times), strings.Repeat(d.Value("k", value), times))
		}
		c.Ask(strings.Repeat(d.Get("k"), times)+d.Wrong, strings.Repeat(d.Value("k", value), times))
		c.ExpectEnd(d.Refusal)
	})
}

// TestClaims has many clients that say their request will be huge.
func TestClaims(t *testing.T) {
	driver.OnlyLinux(t)
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Ask(d.Get("nosuch"), d.Missing("nosuch"))
		c.Leave()
		before := s.Status(t, "VmRSS")
		const clients = 200
		for range clients {
			c := s.Dial(t)
			c.Ask(d.Get("nosuch")+d.Claim, d.Missing("nosuch"))
			if s.Serial {
				c.Leave()
			}
		}
		s.OthersServed(t, d)
		s.ExpectGrowth(t, before, 32*driver.MiB) // mtblock has a thread for each
	})
}

// TestIdle has clients of all kinds who do nothing: the server has nothing to do.
func TestIdle(t *testing.T) {
	driver.OnlyLinux(t)
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		s.ExpectQuiet(t, "with no client")
		if s.Serial {
			return
		}
		c := s.Dial(t)
		c.Ask(d.Put("big", driver.Big), d.OK)
		half := s.Dial(t)
		half.Ask(d.Get("nosuch")+d.Put("k", "v")[:7], d.Missing("nosuch"))
		unread := s.Dial(t)
		unread.Send(strings.Repeat(d.Get("big"), 20))
		gone := s.Dial(t)
		gone.Send(strings.Repeat(d.Get("big"), 20))
		gone.CloseWrite()
		refused := s.Dial(t)
		refused.Ask(d.Wrong, d.Refusal)
		refusedUnread := s.Dial(t)
		refusedUnread.Send(strings.Repeat(d.Get("big"), 20) + d.Wrong + driver.Big)
		s.OthersServed(t, d)
		s.ExpectQuiet(t, "with idle clients")
		unread.Expect(strings.Repeat(d.Value("big", driver.Big), 20))
		gone.ExpectEnd(strings.Repeat(d.Value("big", driver.Big), 20))
		refused.ExpectEnd("")
		refusedUnread.ExpectEnd(strings.Repeat(d.Value("big", driver.Big), 20) + d.Refusal)
		half.Ask(d.Put("k", "v")[7:], d.OK)
	})
}

var noFiles = regexp.MustCompile(`^[a-z]+: accept: too many open files\n$`)

// TestFiles has more clients than the server may have file descriptors.
func TestFiles(t *testing.T) {
	const limit, clients = 40, 60
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		for _, d := range driver.Both {
			s := driver.Start(t, f, d.Name, fmt.Sprint("ulimit -n ", limit))
			s.Extra = noFiles
			var all []*driver.Client
			for range clients {
				c := s.Dial(t)
				c.Send(d.Get("nosuch"))
				all = append(all, c)
			}
			driver.Await(t, "the word that there are no more files", func() bool {
				return strings.Count(s.Log.String(), "\n") > 1
			})
			in := limit / 2 // are in for sure: the server has few other files
			for _, c := range all[:in] {
				c.Expect(d.Missing("nosuch"))
				c.Ask(d.Put("k", "v"), d.OK)
			}
			for range 30 { // the garbage collector has to do without files, too
				all[0].Ask(d.Put("big", driver.Big), d.OK)
			}
			if runtime.GOOS == "linux" {
				s.ExpectQuiet(t, "out of files")
			}
			for _, c := range all[:in] {
				c.Ask(d.Get("k"), d.Value("k", "v"))
				c.Leave()
			}
			for _, c := range all[in : clients-in/2] { // room for them, and some that wait
				c.Expect(d.Missing("nosuch"))
				c.Leave()
			}
			for _, c := range all[clients-in/2:] {
				c.Expect(d.Missing("nosuch"))
				c.Ask(d.Get("k"), d.Value("k", "v"))
				c.Leave()
			}
			s.Dial(t).Ask(d.Get("k"), d.Value("k", "v"))
		}
	})
}

package streams

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

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
			driver.Await(t, "the word that there are no more files", func() bool { return s.Logged() != "" })
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

// Package memory tests what the servers keep in memory, by INFO's used_memory: the
// objects on the heap. So it is about resp only. The servers run with GOGC=20, which has
// the collector run often; how much memory it leaves in between is not what is tested.
package memory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ioflavors/respproto"
	"ioflavors/scripts/blackbox/driver"
)

const mib = driver.MiB

func TestMain(m *testing.M) { driver.Main(m) }

// start runs a flavor that collects its garbage often.
func start(t *testing.T, f driver.Flavor) *driver.Server {
	t.Helper()
	if driver.Race {
		t.Skip("the race detector's own memory is in the figures, and it is slow with so much")
	}
	return driver.Start(t, f, "resp", "export GOGC=20")
}

var usedMemory = regexp.MustCompile(`\r\nused_memory:(\d+)\r\n`)

// awaitUsed waits until no more than limit bytes are used. It stores and deletes values
// meanwhile, so that there is garbage to collect; what lies in a pool goes with the
// second collection.
func awaitUsed(t *testing.T, s *driver.Server, limit int) {
	t.Helper()
	c := s.Dial(t)
	defer c.Leave()
	var used int
	for end := time.Now().Add(driver.Patience); time.Now().Before(end); {
		c.Ask(driver.Command("SET", "garbage", driver.Big)+driver.Command("DEL", "garbage"), "+OK\r\n:1\r\n")
		c.Send("INFO memory\r\n")
		m := usedMemory.FindStringSubmatch(c.Reply())
		if m == nil {
			t.Fatal("INFO has no used_memory")
		}
		if used, _ = strconv.Atoi(m[1]); used <= limit {
			t.Logf("%d MiB are used; want at most %d", used/mib, limit/mib)
			return
		}
	}
	t.Errorf("%d MiB are used; want at most %d", used/mib, limit/mib)
}

// TestEnded has clients that stay after their last word, which was a big one.
func TestEnded(t *testing.T) {
	huge := strings.Repeat("x", 30*mib)
	empty := respproto.MaxArgs - 1
	for _, last := range []struct{ name, in, want string }{
		{"QUIT", driver.Command("QUIT", huge), "+OK\r\n"},
		{"SET and QUIT", driver.RESP.Put("y", huge) + driver.RESP.Put("y", "") + "QUIT\r\n", "+OK\r\n+OK\r\n+OK\r\n"},
		{"arguments", fmt.Sprintf("*%d\r\n", empty+1) + strings.Repeat("$0\r\n\r\n", empty) + "x\r\n", "-ERR Protocol error: expected '$', got 'x'\r\n"},
	} {
		t.Run(last.name, func(t *testing.T) {
			driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
				s := start(t, f)
				clients := 10
				if f.Serial { // each stays for a second
					clients = 3
				}
				for range clients {
					c := s.Dial(t)
					c.Send(last.in)
					c.ExpectEnd(last.want)
				}
				awaitUsed(t, s, 20*mib)
			})
		})
	}
}

// TestOwed has slow readers that have most of a huge reply. The server keeps no more
// than twice what it owes them, beside the value.
func TestOwed(t *testing.T) {
	const readers, size, read = 8, 60 * mib, 50 * mib
	huge := strings.Repeat("x", size)
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		s := start(t, f)
		first := s.Dial(t)
		first.Ask(driver.RESP.Put("k", huge), "+OK\r\n")
		first.Leave()
		slow := make([]*driver.Client, readers)
		driver.Together(readers, func(i int) {
			c := s.DialWith(t, driver.SmallWindow(64<<10, 1460))
			c.Send(driver.RESP.Get("k"))
			c.Expect(driver.Bulk(huge)[:read])
			slow[i] = c
		})
		awaitUsed(t, s, size+2*readers*(size-read)+20*mib)
		for _, c := range slow {
			c.Expect(driver.Bulk(huge)[read:])
			c.Leave()
		}
		awaitUsed(t, s, size+20*mib)
	})
}

// TestBigOnce has many clients that each had a big value once, and stay. They may keep
// a small buffer each, to read in.
func TestBigOnce(t *testing.T) {
	const clients = 1000
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		s := start(t, f)
		driver.Together(4, func(part int) {
			key := fmt.Sprint("key", part)
			for i := range clients / 4 {
				c := s.Dial(t)
				c.Ask(driver.RESP.Put(key, driver.Big), "+OK\r\n")
				if i%4 == 0 {
					c.Ask(driver.RESP.Get(key), driver.Bulk(driver.Big))
				}
				if i%2 == 0 {
					c.Ask(driver.RESP.Put(key, "small"), "+OK\r\n")
				} else {
					c.Ask(driver.Command("DEL", key), ":1\r\n")
				}
			}
		})
		awaitUsed(t, s, clients*100<<10)
	})
}

// TestLongArguments has commands that need not look at all of a long argument. Their
// cost is that of receiving it.
func TestLongArguments(t *testing.T) {
	long := strings.Repeat("X", 32*mib)
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		s := start(t, f)
		c := s.Dial(t)
		for range 5 {
			c.Ask(driver.Command("DEL", long), ":0\r\n")
		}
		before := s.Status(t, "VmHWM")
		for _, words := range []string{"INFO", "CONFIG GET", "HELLO", "HELLO 3 SETNAME", "COMMAND", "COMMAND DOCS", "CLIENT", "SELECT", "FLUSHALL", "NOSUCH", ""} {
			c.Send(driver.Command(append(strings.Fields(words), long)...))
			reply := c.Reply()
			if len(reply) > 4096 {
				t.Errorf("%s: a reply of %d bytes", words, len(reply))
			}
		}
		s.ExpectGrowth(t, before, 3*len(long))
	})
}

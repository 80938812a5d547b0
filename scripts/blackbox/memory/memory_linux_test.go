// Package memory tests what the servers keep in memory, by INFO's used_memory: the
// objects on the heap. So it is about resp only. The servers run with GOGC=20, which has
// the collector run often; how much memory it leaves in between is not what is tested.
package memory

import (
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ioflavors/respproto"
	"ioflavors/scripts/blackbox/driver"
)

const mib = driver.MiB

func TestMain(m *testing.M) { driver.Main(m) }

// start runs a flavor that collects its garbage often, or as environment says.
func start(t *testing.T, f driver.Flavor, environment ...string) *driver.Server {
	t.Helper()
	if driver.Race {
		t.Skip("the race detector's own memory is in the figures, and it is slow with so much")
	}
	return driver.Start(t, f, "resp", append([]string{"export GOGC=20"}, environment...)...)
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

// TestEnded has clients that stay after the last reply to them. Their request was a big one.
func TestEnded(t *testing.T) {
	huge := strings.Repeat("x", 12*mib)
	empty := respproto.MaxArgs - 1
	for _, last := range []struct{ name, in, want string }{
		{"QUIT", driver.Command("QUIT", huge), "+OK\r\n"},
		{"SET and QUIT", driver.RESP.Put("y", huge) + driver.RESP.Put("y", "") + "QUIT\r\n", "+OK\r\n+OK\r\n+OK\r\n"},
		{"arguments", fmt.Sprintf("*%d\r\n", empty+1) + strings.Repeat("$0\r\n\r\n", empty) + "x\r\n", "-ERR Protocol error: expected '$', got 'x'\r\n"},
	} {
		t.Run(last.name, func(t *testing.T) {
			driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
				s := start(t, f)
				clients := 5
				if f.Serial { // each stays for a second
					clients = 2
				}
				for range clients {
					c := s.Dial(t)
					c.Send(last.in)
					c.ExpectEnd(last.want)
				}
				awaitUsed(t, s, 15*mib)
			})
		})
	}
}

// TestOwed has slow readers that have most of a huge reply. The server keeps no more
// than twice what it owes them, beside the value.
func TestOwed(t *testing.T) {
	const readers, size, read = 4, 32 * mib, 28 * mib
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
		awaitUsed(t, s, size+2*readers*(size-read)+10*mib)
		for _, c := range slow {
			c.Expect(driver.Bulk(huge)[read:])
			c.Leave()
		}
		awaitUsed(t, s, size+10*mib)
	})
}

// TestBigOnce has many clients that each had a big value once, begin a small request, and
// stay. They may keep a small buffer each, to read in.
func TestBigOnce(t *testing.T) {
	const clients = 100
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		s := start(t, f)
		for i := range clients {
			c := s.Dial(t)
			c.Ask(driver.RESP.Put("k", driver.Big), "+OK\r\n")
			if i%4 == 0 {
				c.Ask(driver.RESP.Get("k"), driver.Bulk(driver.Big))
			}
			if i%2 == 0 {
				c.Ask(driver.RESP.Put("k", "small"), "+OK\r\n")
			} else {
				c.Ask(driver.Command("DEL", "k"), ":1\r\n")
			}
			c.Send("*2\r\n$3\r\nGET")
		}
		awaitUsed(t, s, clients*160<<10)
	})
}

// TestDeleted has many keys come and go.
func TestDeleted(t *testing.T) {
	const batches, batch = 200, 1000
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		s := start(t, f, "unset GOGC")
		c := s.Dial(t)
		del := make([]string, batches)
		for i := range batches {
			names := []string{"DEL"}
			var set strings.Builder
			for j := range batch {
				names = append(names, fmt.Sprint(i*batch+j))
				set.WriteString(driver.RESP.Put(names[1+j], "v"))
			}
			c.Ask(set.String(), strings.Repeat("+OK\r\n", batch))
			del[i] = driver.Command(names...)
		}
		for i := range batches {
			c.Ask(del[i], fmt.Sprintf(":%d\r\n", batch))
		}
		c.Leave()
		awaitUsed(t, s, 8*mib)
	})
}

// TestLongArguments has commands that need not look at all of a long argument. Their
// cost is that of receiving it.
func TestLongArguments(t *testing.T) {
	long := strings.Repeat("X", 12*mib)
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

// TestPeak has huge values. What a server needs for them at its peak is at most 3.2 times
// what redis-server does: both values, or the value and the reply.
func TestPeak(t *testing.T) {
	const size = 65 * mib // more than a frame of kv may have
	huge := strings.Repeat("x", size)
	put, get := driver.RESP.Put, driver.RESP.Get
	for name, requests := range map[string][]string{
		"two values":    {put("a", huge), put("b", huge)},
		"three replies": {put("a", huge), get("a"), get("a"), get("a")},
	} {
		t.Run(name, func(t *testing.T) {
			driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
				s := start(t, f, "unset GOGC")
				before := s.Status(t, "VmHWM")
				c := s.Dial(t)
				for _, request := range requests {
					if len(request) > size {
						c.Ask(request, "+OK\r\n")
					} else {
						c.Ask(request, driver.Bulk(huge))
					}
				}
				s.ExpectGrowth(t, before, 2*size*32/10)
			})
		})
	}
}

// Test32Bits has the longest value and a longer request, where memory ends at 4 GiB. The
// buffers are the same in all flavors; these two fill them differently.
func Test32Bits(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "386" || driver.Race {
		t.Skip("needs a system that runs programs for 386, and no race detector, which has none")
	}
	two := func(f driver.Flavor) bool { return f.Name == "goroutinesrv" || f.Name == "epollsrv" }
	driver.EachFlavor(t, two, func(t *testing.T, f driver.Flavor) {
		binary := filepath.Join(t.TempDir(), f.Name)
		if err := f.Build(binary, nil, "GOARCH=386"); err != nil {
			t.Fatal(err)
		}
		oneAtATime.Lock()
		defer oneAtATime.Unlock()
		s := driver.Launch(t, f, "resp", binary, "-addr", "127.0.0.1:0")
		c := s.Dial(t)
		send := func(argument int) {
			c.Send(fmt.Sprintf("$%d\r\n", argument))
			for range argument / mib {
				c.Send(driver.Big)
			}
			c.Send("\r\n")
		}
		c.Send("*3\r\n$3\r\nDEL\r\n")
		send(300 * mib)
		send(300 * mib)
		c.Expect(":0\r\n")
		c.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n")
		send(respproto.MaxBulk)
		c.Expect("+OK\r\n")
		c.Leave()
		s.Stop(t, syscall.SIGTERM)
	})
}

// oneAtATime is for servers that take much of the memory that there is.
var oneAtATime sync.Mutex

// TestOddBuffer has a value drip in, before and after a reply whose buffer has grown to an
// odd size: what others did before must not make it dearer. With no garbage collection
// and one processor, all share the buffers in one pool.
func TestOddBuffer(t *testing.T) {
	const size, dripped = 3_900_000, 100
	value := strings.Repeat("x", size)
	driver.EachFlavor(t, driver.Sleeping, func(t *testing.T, f driver.Flavor) {
		s := start(t, f, "export GOGC=off GOMAXPROCS=1")
		cost := func() time.Duration {
			least := time.Hour
			for range 3 {
				c := s.Dial(t)
				put := driver.RESP.Put("k", value)
				c.Send(put[:size-dripped])
				settled := s.CPU(t)
				for before := time.Duration(-1); settled > before+time.Millisecond; settled = s.CPU(t) {
					before = settled
					time.Sleep(20 * time.Millisecond)
				}
				for i := range dripped {
					c.Send(put[size-dripped+i:][:1])
					time.Sleep(300 * time.Microsecond) // so that the server reads it alone
				}
				least = min(least, s.CPU(t)-settled)
				c.Ask(put[size:], "+OK\r\n")
				c.Leave()
			}
			return least
		}
		before := cost()
		c := s.Dial(t)
		odd := strings.Repeat("y", 7_900_000)
		c.Ask(driver.Command("ECHO", odd), driver.Bulk(odd))
		c.Leave()
		if after := cost(); after > 3*before {
			t.Errorf("%d bytes that drip in cost %v of processor time, and after an ECHO %v", dripped, before, after)
		} else {
			t.Logf("%v, %v", before, after)
		}
	})
}

package scripts

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const mib = 1 << 20

// procFile reads a file of /proc/PID.
func (s *server) procFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.pid(), name))
	if err != nil || s.hasEnded() {
		t.Fatalf("%s has ended: %v", s.name, err)
	}
	return string(data)
}

// onlyLinux skips a test that looks into /proc.
func onlyLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks into Linux's /proc")
	}
}

// memory returns VmRSS, what the process has in memory now, or VmHWM, the most
// that it ever had, in bytes.
func (s *server) memory(t *testing.T, which string) int {
	t.Helper()
	m := regexp.MustCompile(which + `:\s+(\d+) kB`).FindStringSubmatch(s.procFile(t, "status"))
	if m == nil {
		t.Fatalf("no %s in /proc/%d/status", which, s.pid())
	}
	n, _ := strconv.Atoi(m[1])
	return n << 10
}

// expectGrowth checks how much memory the process needed since it had before.
// The race detector needs up to ten times as much memory, for its shadow of it.
func (s *server) expectGrowth(t *testing.T, before, limit int) {
	t.Helper()
	if race {
		limit *= 10
	}
	growth := s.memory(t, "VmHWM") - before
	t.Logf("%s: memory grew by %.1f MiB", t.Name(), float64(growth)/mib)
	if growth > limit {
		t.Errorf("memory grew by %d MiB; want at most %d", growth/mib, limit/mib)
	}
}

// load returns the part of a core that the process takes, over half a second.
func (s *server) load(t *testing.T) float64 {
	t.Helper()
	ticks := func() (n int) {
		_, rest, _ := strings.Cut(s.procFile(t, "stat"), ") ")
		for _, field := range strings.Fields(rest)[11:13] { // utime, stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			n += ticks
		}
		return n
	}
	before, begin := ticks(), time.Now()
	time.Sleep(500 * time.Millisecond)
	return float64(ticks()-before) / 100 / time.Since(begin).Seconds() // 100 ticks a second
}

func (s *server) expectQuiet(t *testing.T, when string) {
	t.Helper()
	if load := s.load(t); load > 0.5 && !s.spins {
		t.Errorf("%s: takes %.0f%% of a core", when, 100*load)
	}
}

// TestSlowReader has a client that asks for 1 MB over and over and reads nothing:
// many times in one segment, and then in requests that fill the buffers soon. The
// server must stop reading from it, and not grow; others are served; and when the
// client reads at last, it gets everything, without another word.
func TestSlowReader(t *testing.T) {
	onlyLinux(t)
	const times = 64
	padding := strings.Repeat("nosuch", 10_000)
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.conn.SetWriteBuffer(64 << 10)
		c.ask(d.put("big", big), d.ok)
		before := s.memory(t, "VmRSS")
		request := d.get("big") + d.get(padding)
		reply := d.value("big", big) + d.missing(padding)

		c.send(strings.Repeat(d.get("big"), times))
		sent := c.flood(request, 64*mib)
		s.othersServed(t, d)
		s.expectGrowth(t, before, 16*mib)
		s.expectQuiet(t, "when a client does not read")

		together(2, func(i int) {
			if i == 0 {
				c.send(request[sent%len(request):]) // there is no room for it yet
				return
			}
			for range times {
				c.expect(d.value("big", big))
			}
			for range sent/len(request) + 1 {
				c.expect(reply)
			}
		})
		c.closeWrite()
		c.expectEnd("")
	})
}

// TestOneRead asks for several MiB in a few thousand bytes, which arrive in one
// read. The server stops answering at times, and has to go on by itself: there is
// no more input to remind it.
func TestOneRead(t *testing.T) {
	const times = 500
	value := strings.Repeat("v", 10_000)
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.put("k", value), d.ok)
		for range 10 {
			c.ask(strings.Repeat(d.get("k"), times), strings.Repeat(d.value("k", value), times))
		}
		c.ask(strings.Repeat(d.get("k"), times)+d.wrong, strings.Repeat(d.value("k", value), times))
		c.expectEnd(d.refusal)
	})
}

// TestClaims has many clients that say their request will be huge.
func TestClaims(t *testing.T) {
	onlyLinux(t)
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		c := s.dial(t)
		c.ask(d.get("nosuch"), d.missing("nosuch"))
		c.leave()
		before := s.memory(t, "VmRSS")
		const clients = 200
		for range clients {
			c := s.dial(t)
			c.ask(d.get("nosuch")+d.claim, d.missing("nosuch"))
			if s.serial {
				c.leave()
			}
		}
		s.othersServed(t, d)
		s.expectGrowth(t, before, 32*mib) // mtblock has a thread for each
	})
}

// TestGiveBack has many clients that store and get a large value, begin a small
// request, and stay.
func TestGiveBack(t *testing.T) {
	onlyLinux(t)
	const clients = 40
	value := strings.Repeat(big, 2)
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		before := s.memory(t, "VmRSS")
		var all []*client
		for range clients {
			c := s.dial(t)
			c.ask(d.put("k", value)+d.get("k"), d.ok+d.value("k", value))
			c.ask(d.put("k", value)+d.get("nosuch")[:5], d.ok)
			if all = append(all, c); s.serial {
				c.leave()
			}
		}
		s.expectGrowth(t, before, clients*len(value))
		if s.serial {
			return
		}
		for _, c := range all {
			c.ask(d.get("nosuch")[5:], d.missing("nosuch"))
		}
	})
}

// TestIdle has clients of all kinds who do nothing: the server has nothing to do.
func TestIdle(t *testing.T) {
	onlyLinux(t)
	eachServer(t, both, func(t *testing.T, s *server, d dialect) {
		s.expectQuiet(t, "with no client")
		if s.serial {
			return
		}
		c := s.dial(t)
		c.ask(d.put("big", big), d.ok)
		half := s.dial(t)
		half.ask(d.get("nosuch")+d.put("k", "v")[:7], d.missing("nosuch"))
		unread := s.dial(t)
		unread.send(strings.Repeat(d.get("big"), 20))
		gone := s.dial(t)
		gone.send(strings.Repeat(d.get("big"), 20))
		gone.closeWrite()
		refused := s.dial(t)
		refused.ask(d.wrong, d.refusal)
		refusedUnread := s.dial(t)
		refusedUnread.send(strings.Repeat(d.get("big"), 20) + d.wrong + big)
		s.othersServed(t, d)
		s.expectQuiet(t, "with idle clients")
		unread.expect(strings.Repeat(d.value("big", big), 20))
		gone.expectEnd(strings.Repeat(d.value("big", big), 20))
		refused.expectEnd("")
		refusedUnread.expectEnd(strings.Repeat(d.value("big", big), 20) + d.refusal)
		half.ask(d.put("k", "v")[7:], d.ok)
	})
}

var noFiles = regexp.MustCompile(`^[a-z]+: accept[^\n]*: too many open files\n$`)

// TestFiles has more clients than the server may have file descriptors.
func TestFiles(t *testing.T) {
	const limit, clients = 40, 60
	eachFlavor(t, concurrent, func(t *testing.T, f flavor) {
		for _, d := range both {
			s := startLimited(t, f, d.name, limit)
			s.extra = noFiles
			var all []*client
			for range clients {
				c := s.dial(t)
				c.send(d.get("nosuch"))
				all = append(all, c)
			}
			await(t, "the word that there are no more files", func() bool {
				return strings.Count(s.log.String(), "\n") > 1
			})
			in := limit / 2 // are in for sure: the server has few other files
			for _, c := range all[:in] {
				c.expect(d.missing("nosuch"))
				c.ask(d.put("k", "v"), d.ok)
			}
			for range 30 { // the garbage collector has to do without files, too
				all[0].ask(d.put("big", big), d.ok)
			}
			if runtime.GOOS == "linux" {
				s.expectQuiet(t, "out of files")
			}
			for _, c := range all[:in] {
				c.ask(d.get("k"), d.value("k", "v"))
				c.leave()
			}
			for _, c := range all[in : clients-in/2] { // room for them, and some that wait
				c.expect(d.missing("nosuch"))
				c.leave()
			}
			for _, c := range all[clients-in/2:] {
				c.expect(d.missing("nosuch"))
				c.ask(d.get("k"), d.value("k", "v"))
				c.leave()
			}
			s.dial(t).ask(d.get("k"), d.value("k", "v"))
		}
	})
}

// oneAtATime is for tests that take most of the files that there are.
var oneAtATime sync.Mutex

// TestManyConnections fills a server with clients: mtblock until it takes no more,
// and the rest wait in the backlog. Then most leave at once, and all the others
// are served.
func TestManyConnections(t *testing.T) {
	onlyLinux(t)
	if race {
		t.Skip("the race detector has room for 8128 goroutines")
	}
	needFiles(t, 12_000)
	eachFlavor(t, concurrent, func(t *testing.T, f flavor) {
		held, more := 2_000, 500
		if f.name == "mtblock" { // has a bound, which is to be above 9,000
			held, more = 9_000, 1_500
		}
		oneAtATime.Lock()
		defer oneAtATime.Unlock()
		s := start(t, f, "resp")
		before := s.memory(t, "VmRSS")
		var in, waiting []*client
		for range held {
			c := s.dial(t)
			c.ask("PING\r\n", "+PONG\r\n")
			in = append(in, c)
		}
		t.Logf("%d bytes a connection", (s.memory(t, "VmRSS")-before)/held)
		for range more {
			c := s.dial(t)
			c.send("PING\r\n")
			waiting = append(waiting, c)
		}
		for _, c := range in[:100] {
			c.ask("PING\r\n", "+PONG\r\n")
		}
		together(8, func(part int) {
			for i := part; i < held; i += 8 {
				in[i].leave()
			}
		})
		for _, c := range waiting {
			c.expect("+PONG\r\n")
			c.leave()
		}
		s.dial(t).ask("DBSIZE\r\n", ":0\r\n")
	})
}

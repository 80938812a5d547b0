package streams

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"ioflavors/scripts/blackbox/driver"
)

// TestNoFiles takes all descriptors from a server that runs, and then gives them
// back: a client who came meanwhile is served then.
func TestNoFiles(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		s.Extra = noFiles
		first := s.Dial(t)
		first.Ask(d.Put("k", "v"), d.OK)
		var limit unix.Rlimit
		if err := unix.Prlimit(s.Cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
			t.Fatal(err)
		}
		if err := unix.Prlimit(s.Cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}, nil); err != nil {
			t.Fatal(err)
		}
		if s.Serial {
			first.Leave()
		}
		c := s.Dial(t)
		c.Send(d.Get("k"))
		driver.Await(t, "the word that there are no more files", func() bool {
			return noFiles.MatchString(s.Logged())
		})
		if !s.Serial {
			for range 30 { // the garbage collector has to do without files, too
				first.Ask(d.Put("big", driver.Big), d.OK)
			}
		}
		s.ExpectQuiet(t, "without files")
		if err := unix.Prlimit(s.Cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Fatal(err)
		}
		c.Expect(d.Value("k", "v"))
	})
}

// TestKeepAlive looks for the timer that finds out about clients whose host vanishes.
func TestKeepAlive(t *testing.T) {
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Ask(d.Get("nosuch"), d.Missing("nosuch"))
		from, to := c.Conn.RemoteAddr().(*net.TCPAddr).Port, c.Conn.LocalAddr().(*net.TCPAddr).Port
		timer := regexp.MustCompile(fmt.Sprintf(`: \w+:%04X \w+:%04X 01 \S+ 02:`, from, to)) // 01: connected; 02: keepalive
		driver.Await(t, "a keepalive timer", func() bool {
			sockets, err := os.ReadFile("/proc/net/tcp")
			return err == nil && timer.Match(sockets)
		})
	})
}

// needFiles skips a test that this process may not have enough files for.
func needFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if uint64(limit.Max) < n {
		t.Skipf("the hard limit of open files is %d; want %d", limit.Max, n)
	}
}

// oneAtATime is for tests that take most of the files that there are.
var oneAtATime sync.Mutex

// TestManyConnections fills a server with clients: mtblock until it takes no more,
// and the rest wait in the backlog. Then most leave at once, and all the others
// are served.
func TestManyConnections(t *testing.T) {
	if driver.Race {
		t.Skip("the race detector has room for 8128 goroutines")
	}
	needFiles(t, 12_000)
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		held, more := 1_000, 300
		if f.Name == "mtblock" { // has a bound, which is to be above 9,000
			held, more = 9_000, 1_500
		}
		oneAtATime.Lock()
		defer oneAtATime.Unlock()
		s := driver.Start(t, f, "resp")
		before := s.Status(t, "VmRSS")
		var in, waiting []*driver.Client
		for range held {
			c := s.Dial(t)
			c.Ask("PING\r\n", "+PONG\r\n")
			in = append(in, c)
		}
		t.Logf("%d bytes a connection", (s.Status(t, "VmRSS")-before)/held)
		for range more {
			c := s.Dial(t)
			c.Send("PING\r\n")
			waiting = append(waiting, c)
		}
		for _, c := range in[:100] {
			c.Ask("PING\r\n", "+PONG\r\n")
		}
		driver.Together(8, func(part int) {
			for i := part; i < held; i += 8 {
				in[i].Leave()
			}
		})
		for _, c := range waiting {
			c.Expect("+PONG\r\n")
			c.Leave()
		}
		s.Dial(t).Ask("DBSIZE\r\n", ":0\r\n")
	})
}

// TestSlowReader has a client that asks for 1 MB over and over and reads nothing:
// many times in one segment, and then in requests that fill the buffers soon. The
// server must stop reading from it, and not grow; others are served; and when the
// client reads at last, it gets everything, without another word.
func TestSlowReader(t *testing.T) {
	const times = 32
	padding := strings.Repeat("nosuch", 100_000)
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		c := s.Dial(t)
		c.Conn.SetWriteBuffer(64 << 10)
		c.Ask(d.Put("big", driver.Big), d.OK)
		before := s.Status(t, "VmRSS")
		request := d.Get("big") + d.Get(padding)
		reply := d.Value("big", driver.Big) + d.Missing(padding)

		c.Send(strings.Repeat(d.Get("big"), times))
		sent := flood(c, request, 64*driver.MiB)
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

// flood sends data over and over until the server has taken no more of it for a while, and
// returns how many bytes it took. It fails if there is no end to it.
func flood(c *driver.Client, data string, limit int) (sent int) {
	for {
		c.Conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := io.WriteString(c.Conn, data[sent%len(data):])
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) && n == 0 {
			return sent
		}
		if sent > limit || err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.Failf("the server took %d bytes of requests while no reply is read; then %v", sent, err)
			return sent
		}
	}
}

// TestClaims has many clients that say their request will be huge.
func TestClaims(t *testing.T) {
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

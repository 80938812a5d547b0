package streams

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"sync"
	"testing"

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
		if err := unix.Prlimit(s.Pid(), unix.RLIMIT_NOFILE, nil, &limit); err != nil {
			t.Fatal(err)
		}
		if err := unix.Prlimit(s.Pid(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}, nil); err != nil {
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
		if err := unix.Prlimit(s.Pid(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Fatal(err)
		}
		c.Expect(d.Value("k", "v"))
	})
}

// TestKeepAlive looks for the timer that finds out about clients whose host vanishes.
func TestKeepAlive(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
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

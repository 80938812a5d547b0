package streams

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"ioflavors/scripts/blackbox/driver"
)

// What becomes of clients that do not leave after the last reply to them, which is the
// reply to QUIT or to something wrong. They get a second, and 1 MiB that is dropped.

// sendOn sends data until that fails, which it must.
func sendOn(c *driver.Client, data string, pause time.Duration) {
	begin, sent := time.Now(), 0
	for !c.Dead {
		c.Conn.SetWriteDeadline(begin.Add(driver.Patience))
		n, err := c.Conn.Write([]byte(data))
		if sent += n; sent > 64*driver.MiB || os.IsTimeout(err) {
			c.Failf("%d bytes sent in %v, and the server has not closed: %v", sent, time.Since(begin), err)
		} else if err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// TestSendsForEver has a client send until its send fails. It can read its replies then.
func TestSendsForEver(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		for range 3 {
			c := s.Dial(t)
			c.Send(d.Get("nosuch") + d.Wrong)
			sendOn(c, driver.Big, 0)
			c.Expect(d.Missing("nosuch") + d.Refusal)
			s.OthersServed(t, d)
			c.Leave()
		}
	})
}

// TestDripsForEver has a client send a byte now and then.
func TestDripsForEver(t *testing.T) {
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		servers := []*driver.Server{driver.Start(t, f, "resp"), driver.Start(t, f, "kv")}
		driver.Together(len(servers), func(i int) {
			s, d := servers[i], driver.Both[i]
			c := s.Dial(t)
			c.Ask(d.Wrong, d.Refusal)
			sendOn(c, "x", 800*time.Millisecond)
			s.Dial(t).Ask(d.Get("nosuch"), d.Missing("nosuch")) // in all flavors
		})
	})
}

// TestStay has as many clients stay as the server may have descriptors.
func TestStay(t *testing.T) {
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for in, want := range map[string]string{driver.RESP.Wrong: driver.RESP.Refusal, "QUIT\r\n": "+OK\r\n"} {
			s := driver.Start(t, f, "resp", "ulimit -n 40")
			s.Extra = regexp.MustCompile(`^([a-z]+: accept: too many open files\n)?$`)
			clients := 40
			if f.Serial { // each stays for a second
				clients = 3
			}
			for range clients {
				c := s.Dial(t)
				c.Send(in)
				c.ExpectEnd(want)
				if c.Dead {
					return
				}
			}
			s.Dial(t).Ask("PING\r\n", "+PONG\r\n")
		}
	})
}

// TestLargeRefusal sends something wrong in a request of more than 1 MiB. That is not part
// of the 1 MiB after the last reply, for which there is a second. A machine may be too busy
// to keep to that time once, but not every time.
func TestLargeRefusal(t *testing.T) {
	large := strings.Repeat("x", 1_100_000)
	requests := map[string]string{
		"resp": fmt.Sprintf("*2\r\n$%d\r\n%s\r\nfoo\r\n", len(large), large),
		"kv":   strings.Replace(driver.KV.Put("k", large), "@EOF@", "@EOF!", 1),
	}
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		for range 10 {
			c := s.Dial(t)
			c.Send(requests[d.Name])
			c.ExpectEnd(d.Refusal)
			_, err1 := c.Conn.Write([]byte("still here?"))
			time.Sleep(20 * time.Millisecond) // for the server's kernel to answer with a reset
			_, err2 := c.Conn.Write([]byte("still here?"))
			c.Leave()
			if err1 == nil && err2 == nil {
				return
			}
		}
		t.Error("the server closes at once")
	})
}

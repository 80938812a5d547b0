// Package process tests how the servers start and end.
package process

import (
	"context"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"ioflavors/scripts/blackbox/driver"
)

func TestMain(m *testing.M) { driver.Main(m) }

// TestSignals ends servers in the middle of things. They have a second. A machine
// may be too busy to keep it once, but not every time.
func TestSignals(t *testing.T) {
	situations := []func(t *testing.T, s *driver.Server, d driver.Dialect){
		func(t *testing.T, s *driver.Server, d driver.Dialect) {},
		func(t *testing.T, s *driver.Server, d driver.Dialect) {
			s.Dial(t).Ask(d.Get("nosuch"), d.Missing("nosuch"))
			s.Dial(t).Send(d.Put("k", "v")[:5])
		},
		func(t *testing.T, s *driver.Server, d driver.Dialect) {
			c := s.Dial(t)
			c.Ask(d.Put("big", driver.Big), d.OK)
			c.Send(strings.Repeat(d.Get("big"), 64)) // and does not read
		},
	}
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for i, prepare := range situations {
			for j, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
				took := time.Hour
				for try := 0; try < 5 && took > time.Second; try++ {
					d := driver.Both[(i+j)%2]
					s := driver.Start(t, f, d.Name)
					prepare(t, s, d)
					took = s.Stop(t, sig)
					s.CheckEnd(t)
				}
				if took > time.Second {
					t.Errorf("situation %d, %v: took %v to end", i, sig, took)
				}
			}
		}
	})
}

// TestAddresses tells the forms of -addr.
func TestAddresses(t *testing.T) {
	forms := []struct{ addr, at, dial string }{
		{"127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{"[::1]:0", "::1", "::1"},
		{"localhost:0", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0:0", "0.0.0.0", "127.0.0.1"},
		{"[::]:0", "::", "::1"},
		{":0", "::", "127.0.0.1"},
		{":0", "::", "::1"},
	}
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, form := range forms {
			t.Run(form.addr+" from "+form.dial, func(t *testing.T) {
				if strings.Contains(form.dial+form.at, "::") && !hasIPv6() {
					t.Skip("this system has no IPv6")
				}
				s := driver.Launch(t, f, "resp", f.Binary(), "-addr", form.addr)
				host, port, err := net.SplitHostPort(s.Addr)
				if err != nil {
					t.Fatal(err)
				}
				if form.addr == "localhost:0" && host == "::1" {
					form.at, form.dial = "::1", "::1" // a system may have it that way
				}
				if d := cmp.Diff(form.at, host); d != "" {
					t.Errorf("%s: host in the ready line (-want +got):\n%s", form.addr, d)
				}
				s.Addr = net.JoinHostPort(form.dial, port)
				s.Dial(t).Ask("PING\r\n", "+PONG\r\n")
				if form.at == "0.0.0.0" {
					if conn, err := net.Dial("tcp6", net.JoinHostPort("::1", port)); err == nil {
						conn.Close()
						t.Error("0.0.0.0 is IPv4, but IPv6 clients get in")
					}
				}
			})
		}
	})
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err == nil {
		ln.Close()
	}
	return err == nil
}

// TestRestart starts a server where another has just ended, with a client that it had
// ended first: the kernel still keeps that connection, in TIME_WAIT.
func TestRestart(t *testing.T) {
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		s := driver.Start(t, f, "resp")
		c := s.Dial(t)
		c.Send("QUIT\r\n")
		c.ExpectEnd("+OK\r\n")
		c.Leave()
		s.Stop(t, syscall.SIGTERM)
		driver.Launch(t, f, "resp", f.Binary(), "-addr", s.Addr).Dial(t).Ask("PING\r\n", "+PONG\r\n")
	})
}

// TestLogUnread has nobody read the log any more, when there is something to log.
func TestLogUnread(t *testing.T) {
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		script := `ulimit -n 20 && exec "$0" -addr 127.0.0.1:0 2> >(head -n 1)`
		s := driver.Launch(t, f, "resp", "/bin/bash", "-c", script, f.Binary())
		var in []*driver.Client
		for range 30 {
			c := s.Dial(t)
			c.Send("PING\r\n")
			in = append(in, c)
		}
		for _, c := range in {
			c.Expect("+PONG\r\n")
			c.Leave()
		}
	})
}

// TestRefusals has arguments with which no server starts, and -h.
func TestRefusals(t *testing.T) {
	const wantAddr = "-addr.*127.0.0.1:6380.* :6380"
	refusals := []struct {
		args string
		code int
		says string // a regular expression; NAME is the flavor's, TAKEN an address in use
	}{
		{"-addr TAKEN", 1, "^NAME: listen TAKEN: address already in use\n$"},
		{"-addr 198.51.100.1:0", 1, "^NAME: listen 198.51.100.1:0: (cannot|can't) assign requested address\n$"},
		{"-addr no_such..host:0", 1, "^NAME: listen no_such..host:0: .+\n$"},
		{"-addr 127.0.0.1:65536", 1, "^NAME: listen 127.0.0.1:65536: .*invalid port.*\n$"},
		{"-addr 127.0.0.1:nosuch", 1, "^NAME: listen 127.0.0.1:nosuch: .*port.*\n$"},
		{"-addr [::1%nope]:0", 1, `^NAME: listen \[::1%nope\]:0: .+` + "\n$"},
		{"-proto http", 2, "-proto(.|\n)*resp(.|\n)*kv(.|\n)*http"},
		{"-proto=", 2, "-proto.*resp.*kv"},
		{"-proto RESP", 2, "-proto.*resp.*kv"},
		{"-proto", 2, "needs an argument: -proto"},
		{"-addr 127.0.0.1", 2, wantAddr},
		{"-addr=", 2, wantAddr},
		{"-addr ::1:0", 2, wantAddr},
		{"-addr 6380", 2, wantAddr},
		{"-port 1", 2, "-port(.|\n)*-addr(.|\n)*-proto"},
		{"extra", 2, "-addr.*-proto(.|\n)*extra"},
		{"-addr 127.0.0.1:0 -proto kv extra", 2, "extra"},
		{"-h", 0, `(?i)^NAME\b.*\bserver(.|` + "\n)*-addr host:port(.|\n)*127.0.0.1:6379(.|\n)*-proto(.|\n)*resp(.|\n)*kv"},
	}
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		replacer := strings.NewReplacer("NAME", f.Name, "TAKEN", ln.Addr().String())
		for _, r := range refusals {
			ctx, cancel := context.WithTimeout(t.Context(), driver.Patience)
			cmd := exec.CommandContext(ctx, f.Binary(), strings.Fields(replacer.Replace(r.args))...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, _ := cmd.Output()
			cancel()
			says := replacer.Replace(r.says)
			if code := cmd.ProcessState.ExitCode(); code != r.code || !regexp.MustCompile(says).MatchString(stderr.String()) {
				t.Errorf("%s: exit status %d, %q; want %d, %q", r.args, code, &stderr, r.code, says)
			}
			if len(stdout) > 0 {
				t.Errorf("%s: wrote to standard output: %q", r.args, stdout)
			}
		}
	})
}

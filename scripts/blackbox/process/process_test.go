package process

import (
	"bufio"
	"context"
	"fmt"
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
// may be too busy to keep it once, but not three times.
func TestSignals(t *testing.T) {
	situations := map[string]func(t *testing.T, s *driver.Server, d driver.Dialect){
		"idle": func(t *testing.T, s *driver.Server, d driver.Dialect) {},
		"with clients": func(t *testing.T, s *driver.Server, d driver.Dialect) {
			s.Dial(t).Ask(d.Get("nosuch"), d.Missing("nosuch"))
			s.Dial(t).Send(d.Put("k", "v")[:5])
		},
		"with a client that does not read": func(t *testing.T, s *driver.Server, d driver.Dialect) {
			c := s.Dial(t)
			c.Ask(d.Put("big", driver.Big), d.OK)
			c.Flood(strings.Repeat(d.Get("big"), 1000), 64*driver.MiB)
		},
	}
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for name, prepare := range situations {
			for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
				for _, d := range driver.Both {
					took := time.Hour
					for try := 0; try < 3 && took > time.Second; try++ {
						s := driver.Start(t, f, d.Name)
						prepare(t, s, d)
						took = s.Stop(t, sig)
						s.CheckEnd(t)
					}
					if took > time.Second {
						t.Errorf("%s, %v, %s: took %v to end", name, sig, d.Name, took)
					}
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
		{"[::]:0", "::", "127.0.0.1"},
		{":0", "", "127.0.0.1"},
		{":0", "", "::1"},
	}
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, form := range forms {
			t.Run(form.addr+" from "+form.dial, func(t *testing.T) {
				if strings.Contains(form.dial+form.at, "::") && !hasIPv6() {
					t.Skip("this system has no IPv6")
				}
				s := driver.Launch(t, f, f.Binary(), "-addr", form.addr)
				s.Ready(t, "resp")
				host, port, err := net.SplitHostPort(s.Addr)
				if err != nil {
					t.Fatal(err)
				}
				if form.addr == "localhost:0" && host == "::1" {
					form.at, form.dial = "::1", "::1" // a system may have it that way
				}
				if form.addr == ":0" && host == "::" {
					form.at = "::" // it is the same
				}
				if d := cmp.Diff(form.at, host); d != "" {
					t.Errorf("%s: host in the ready line (-want +got):\n%s", form.addr, d)
				}
				s.Addr = net.JoinHostPort(form.dial, port)
				s.Dial(t).Ask("PING\r\n", "+PONG\r\n")
				if form.at == "0.0.0.0" && f.Name != "goroutinesrv" { // package net takes it for all addresses
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

// TestLogUnread has nobody read the log any more, when there is something to log.
func TestLogUnread(t *testing.T) {
	driver.EachFlavor(t, driver.Concurrent, func(t *testing.T, f driver.Flavor) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		script := `ulimit -n 20 && exec "$0" -addr 127.0.0.1:0 2>&3`
		s := driver.NewServer(f, "/bin/sh", "-c", script, f.Binary())
		s.Cmd.ExtraFiles = []*os.File{w}
		s.Begin(t)
		w.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		s.Log.Write([]byte(line))
		s.Ready(t, "resp")
		r.Close()
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

// run runs a flavor that is to end by itself, and returns what it says.
func run(t *testing.T, f driver.Flavor, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), driver.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, f.Binary(), args...)
	var log driver.Log
	cmd.Stderr = &log
	stdout, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatalf("%s %q did not end: %v\n%s", f.Name, args, err, &log)
	}
	if len(stdout) > 0 {
		t.Errorf("%s %q wrote to standard output: %q", f.Name, args, stdout)
	}
	return cmd.ProcessState.ExitCode(), log.String()
}

// TestSetupErrors has addresses at which no server can listen.
func TestSetupErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() }) // when the flavors, which run in parallel, are through
	taken := ln.Addr().String()
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for addr, want := range map[string]string{
			taken:                  "address already in use",
			"192.0.2.1:0":          "(cannot|can't) assign requested address",
			"no-such-host.test:0":  ".+",
			"127.0.0.1:65536":      ".*invalid port.*",
			"127.0.0.1:nosuchport": ".*port.*",
		} {
			line := regexp.MustCompile(fmt.Sprintf(`^%s: listen %s: %s\n$`, f.Name, regexp.QuoteMeta(addr), want))
			code, stderr := run(t, f, "-addr", addr)
			if code != 1 || !line.MatchString(stderr) {
				t.Errorf("-addr %s: exit status %d, %q; want 1, %v", addr, code, stderr, line)
			}
		}
	})
}

// TestFlags gives flags that the servers do not take.
func TestFlags(t *testing.T) {
	driver.EachFlavor(t, driver.All, func(t *testing.T, f driver.Flavor) {
		for _, bad := range []struct {
			args []string
			says []string // each of these
		}{
			{[]string{"-proto", "http"}, []string{"-proto", "resp", "kv", "http"}},
			{[]string{"-proto", ""}, []string{"-proto", "resp", "kv"}},
			{[]string{"-proto", "RESP"}, []string{"-proto", "resp", "kv"}},
			{[]string{"-proto"}, []string{"-proto", "needs an argument"}},
			{[]string{"-addr", "127.0.0.1"}, []string{"-addr", "host:port", "127.0.0.1"}},
			{[]string{"-addr", ""}, []string{"-addr", "host:port"}},
			{[]string{"-addr", "::1:0"}, []string{"-addr", "host:port"}},
			{[]string{"-port", "1"}, []string{"-port", "-addr", "-proto"}},
			{[]string{"extra"}, []string{"extra", "-addr", "-proto"}},
			{[]string{"-addr", "127.0.0.1:0", "-proto", "kv", "extra"}, []string{"extra"}},
		} {
			code, stderr := run(t, f, bad.args...)
			if code != 2 {
				t.Errorf("%q: exit status %d, %q; want 2", bad.args, code, stderr)
			}
			for _, text := range bad.says {
				if !strings.Contains(stderr, text) {
					t.Errorf("%q: says %q, which lacks %q", bad.args, stderr, text)
				}
			}
		}
		code, stderr := run(t, f, "-h")
		for _, text := range []string{"-addr", "host:port", "127.0.0.1:6379", "-proto", "resp", "kv"} {
			if code != 0 || !strings.Contains(stderr, text) {
				t.Errorf("-h: exit status %d, %q; want 0, and %q in it", code, stderr, text)
			}
		}
	})
}

package scripts

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
)

const sigint, sigterm = syscall.SIGINT, syscall.SIGTERM

// needFiles skips a test that this process may not have enough files for.
func needFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if uint64(limit.Max) < n {
		t.Skipf("the hard limit of open files is %d; want %d", limit.Max, n)
	}
}

// TestSignals ends servers in the middle of things. They have a second. A machine
// may be too busy to keep it once, but not three times.
func TestSignals(t *testing.T) {
	situations := map[string]func(t *testing.T, s *server, d dialect){
		"idle": func(t *testing.T, s *server, d dialect) {},
		"with clients": func(t *testing.T, s *server, d dialect) {
			s.dial(t).ask(d.get("nosuch"), d.missing("nosuch"))
			s.dial(t).send(d.put("k", "v")[:5])
		},
		"with a client that does not read": func(t *testing.T, s *server, d dialect) {
			c := s.dial(t)
			c.ask(d.put("big", big), d.ok)
			c.flood(strings.Repeat(d.get("big"), 1000), 64*mib)
		},
	}
	eachFlavor(t, all, func(t *testing.T, f flavor) {
		for name, prepare := range situations {
			for _, sig := range []os.Signal{sigint, sigterm} {
				for _, d := range both {
					took := time.Hour
					for try := 0; try < 3 && took > time.Second; try++ {
						s := start(t, f, d.name)
						prepare(t, s, d)
						took = s.stop(t, sig)
						s.checkEnd(t)
					}
					if took > time.Second {
						t.Errorf("%s, %v, %s: took %v to end", name, sig, d.name, took)
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
	eachFlavor(t, all, func(t *testing.T, f flavor) {
		for _, form := range forms {
			t.Run(form.addr+" from "+form.dial, func(t *testing.T) {
				if strings.Contains(form.dial+form.at, "::") && !hasIPv6() {
					t.Skip("this system has no IPv6")
				}
				s := launch(t, f, f.binary(), "-addr", form.addr)
				s.ready(t, "resp")
				host, port, err := net.SplitHostPort(s.addr)
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
				s.addr = net.JoinHostPort(form.dial, port)
				s.dial(t).ask("PING\r\n", "+PONG\r\n")
				if form.at == "0.0.0.0" && f.name != "goroutinesrv" { // package net takes it for all addresses
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
	eachFlavor(t, concurrent, func(t *testing.T, f flavor) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		script := `ulimit -n 20 && exec "$0" -addr 127.0.0.1:0 2>&3`
		s := &server{flavor: f, log: new(logBuffer), ended: make(chan struct{})}
		s.begin(t, []*os.File{w}, "/bin/sh", "-c", script, f.binary())
		w.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		s.log.Write([]byte(line))
		s.ready(t, "resp")
		r.Close()
		var in []*client
		for range 30 {
			c := s.dial(t)
			c.send("PING\r\n")
			in = append(in, c)
		}
		for _, c := range in {
			c.expect("+PONG\r\n")
			c.leave()
		}
	})
}

// run runs a flavor that is to end by itself, and returns what it says.
func run(t *testing.T, f flavor, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, f.binary(), args...)
	var log logBuffer
	cmd.Stderr = &log
	stdout, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatalf("%s %q did not end: %v\n%s", f.name, args, err, &log)
	}
	if len(stdout) > 0 {
		t.Errorf("%s %q wrote to standard output: %q", f.name, args, stdout)
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
	eachFlavor(t, all, func(t *testing.T, f flavor) {
		for addr, want := range map[string]string{
			taken:                  "address already in use",
			"192.0.2.1:0":          "(cannot|can't) assign requested address",
			"no-such-host.test:0":  ".+",
			"127.0.0.1:65536":      ".*invalid port.*",
			"127.0.0.1:nosuchport": ".*port.*",
		} {
			line := regexp.MustCompile(fmt.Sprintf(`^%s: listen %s: %s\n$`, f.name, regexp.QuoteMeta(addr), want))
			code, stderr := run(t, f, "-addr", addr)
			if code != 1 || !line.MatchString(stderr) {
				t.Errorf("-addr %s: exit status %d, %q; want 1, %v", addr, code, stderr, line)
			}
		}
	})
}

// TestFlags gives flags that the servers do not take.
func TestFlags(t *testing.T) {
	eachFlavor(t, all, func(t *testing.T, f flavor) {
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

//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience is how long a test waits for anything before it fails.
const patience = 30 * time.Second

// program writes a shell script, and returns its name. Nothing is started meanwhile: it
// would have the file open for a moment, and what is open for writing cannot be run.
func program(t *testing.T, name, script string) string {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	return file
}

// Servers, of no protocol: what matters is when they are ready, and when they end.
const (
	idle  = "echo fakesrv: $4 on 127.0.0.1:1234 >&2; exec sleep 600"
	spins = "echo fakesrv: resp on 127.0.0.1:1234 >&2; while :; do :; done"
	dies  = "echo fakesrv: resp on 127.0.0.1:1234 >&2; sleep 0.2; echo fatal error: out, of luck; exit 7"
	early = "echo no memory today; exit 7"
)

const figuresOfClient = `echo '"test","rps","avg_latency_ms","p99_latency_ms"'; echo '"SET","100.50","0.25","3.5"'`

// runs measures a server with options.
func runs(t *testing.T, server string, options ...string) (string, error) {
	t.Helper()
	o, err := parse(append([]string{"-server", program(t, "fakesrv", server)}, options...))
	if err != nil {
		t.Fatal(err)
	}
	return report(t.Context(), o)
}

func TestMeasure(t *testing.T) {
	loaded := program(t, "client", figuresOfClient)
	counts := program(t, "client", "echo requests,value,lost; echo 100,97,3; exit 1")
	silent := program(t, "client", "exit 3")
	burden := program(t, "burden", "echo in effect: 5 connections, 4 served; exec sleep 600")
	echo := program(t, "client", `echo "port,args"; echo "$1,$#"`)
	for _, c := range []struct {
		name    string
		server  string
		options []string
		want    string
	}{
		{"the client's figures", idle, []string{"-print", "rps,p99_ms,avg_ms", "--run", loaded}, "100.50,3.5,0.25"},
		{"the port", idle, []string{"-print", "port,args", "--run", echo, "PORT", "x PORT"}, "1234,2"},
		{"a protocol", idle, []string{"-proto", "kv", "-print", "rps", "--run", loaded}, "100.50"},
		{"nothing for the server to do", idle, []string{"-print", "cores,percent,growth_mb,served", "-for", "0.2"}, "0.00,0.0,0.0,0"},
		{"a client beside", idle, []string{"-print", "served,rps,threads", "--beside", burden, "--run", loaded}, "4,100.50,1"},
		{"one before", idle, []string{"-print", "rps", "--before", loaded, "--before", "true", "--run", loaded}, "100.50"},
		{"a status that is known", idle, []string{"-print", "value,lost", "-accept", "1", "--run", counts}, "97,3"},
		{"a client that got nothing", idle, []string{"-print", "rps,served", "-accept", "3", "--run", silent}, "never,0"},
		{"a server that may end", dies, []string{"-print", "lost,end", "-crash", "-accept", "1", "--run", program(t, "client", "sleep 0.5;"+"echo lost; echo 3; exit 1")},
			"3,fatal error: out; of luck"},
		{"a server that may end, but does not", idle, []string{"-print", "end", "-crash", "--run", loaded}, "it goes on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := runs(t, c.server, c.options...)
			if err != nil || got != c.want+"\n" {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestMeasureFails(t *testing.T) {
	loaded, waits := program(t, "client", figuresOfClient), program(t, "client", "echo I wait; exec sleep 600")
	for _, c := range []struct {
		name    string
		server  string
		options []string
		want    string
	}{
		{"the server ends at once", early, []string{"--run", loaded},
			"fakesrv was not ready: it ended with exit status 7. Its last words:\n    no memory today"},
		{"the server speaks another protocol", "echo fakesrv: kv on 127.0.0.1:1; exit 3", []string{"--run", loaded},
			"fakesrv was not ready: it ended with exit status 3. Its last words:\n    fakesrv: kv on 127.0.0.1:1"},
		{"the server dies", dies, []string{"-in", "a test", "--run", waits},
			"fakesrv died in a test: it ended with exit status 7. Its last words:\n    fatal error: out, of luck\n    fakesrv: resp on 127.0.0.1:1234"},
		{"the server dies, and the client notices first", dies, []string{"-in", "a test", "--run", program(t, "client", "sleep 0.1; exit 1")},
			"fakesrv died in a test: it ended with exit status 7. Its last words:\n    fatal error: out, of luck\n    fakesrv: resp on 127.0.0.1:1234"},
		{"the client fails", idle, []string{"-in", "a test", "--run", program(t, "client", "echo one; echo two >&2; exit 4")},
			"client ended with exit status 4 against fakesrv in a test. It said:\n    one\n    two"},
		{"the client is killed", idle, []string{"-in", "a test", "--run", program(t, "client", "kill -9 $$")},
			"client ended with signal 9 against fakesrv in a test. It said:\n    (nothing)"},
		{"the client has no figures", idle, []string{"-in", "a test", "--run", program(t, "client", "echo 'test,rps'; echo SET,inf")},
			"client printed no figures (a larger -n may help) against fakesrv in a test. It said:\n    test,rps\n    SET,inf"},
		{"the client before fails", idle, []string{"-in", "a test", "-accept", "3", "--before", program(t, "before", "exit 3"), "--run", loaded},
			"before ended with exit status 3 against fakesrv in a test. It said:\n    (nothing)"},
		{"the client waits for ever", idle, []string{"-in", "a test", "-stall", "0.3", "--run", waits},
			"client made no progress for 300ms against fakesrv in a test. It said:\n    I wait"},
		{"the client beside is not in effect", idle, []string{"-in", "a test", "--beside", program(t, "burden", "exit 1"), "--run", loaded},
			"burden was not in effect: it ended with exit status 1 against fakesrv in a test. It said:\n    (nothing)"},
		{"the client beside is never in effect", idle, []string{"-in", "a test", "-stall", "0.3", "--beside", waits, "--run", loaded},
			"client made no progress for 300ms against fakesrv in a test. It said:\n    I wait"},
		{"the client beside leaves", idle, []string{"-in", "a test", "--beside", program(t, "burden", "echo in effect: 1 connections, 1 served"),
			"--run", program(t, "client", "sleep 0.5;"+figuresOfClient)},
			"burden ended with exit status 0 against fakesrv in a test. It said:\n    in effect: 1 connections, 1 served"},
		{"there is no such figure", idle, []string{"-print", "rps,speed", "--run", loaded}, `there is no figure "speed"`},
		{"there is no such client", idle, []string{"--run", "/nosuch/client"}, "fork/exec /nosuch/client: no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := runs(t, c.server, append([]string{"-print", "rps"}, c.options...)...)
			if err == nil || got != "" {
				t.Fatalf("got %q, %v", got, err)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestProcessorTime has a server that spins, for about as long as it is watched: it may
// have to share its processor, but not with itself.
func TestProcessorTime(t *testing.T) {
	text, err := runs(t, spins, "-print", "cpu_us_per_req,cores,rss_mb", "-n", "1000", "-for", "0.5")
	if err != nil {
		t.Fatal(err)
	}
	var v [3]float64
	for i, field := range strings.Split(strings.TrimSpace(text), ",") {
		if v[i], err = strconv.ParseFloat(field, 64); err != nil {
			t.Fatal(err)
		}
	}
	micros, cores, rss := v[0], v[1], v[2]
	if cores <= 0 || cores > 1.2 || micros <= 0 || rss <= 0 {
		t.Errorf("processor time %v µs for each of 1,000, %v cores; %v MB", micros, cores, rss)
	}
}

func TestParse(t *testing.T) {
	for args, want := range map[string]string{
		"":                                  "-server is missing",
		"-server x -n 0":                    "invalid value 0 for -n: want 1 or more",
		"-server x -proto http":             `invalid value "http" for -proto: want resp or kv`,
		"-server x --run":                   "a client has no command line",
		"-server x --beside --run c":        "a client has no command line",
		"-server x --before --before c":     "a client has no command line",
		"-server x -calls":                  "-calls wants --run",
		"-server x y --run c":               `unknown argument "y"`,
		"-server x -z":                      "flag provided but not defined: -z",
		"-server x --before c -c --run d e": "",
	} {
		o, err := parse(strings.Fields(args))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
		if want == "" {
			if diff := cmp.Diff([][]string{{"c", "-c"}, {"d", "e"}}, append(o.preparations, o.measured)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", args, diff)
			}
		}
	}
}

// A stall is no progress for a time: processor time that stands still, or nearly.
func TestStall(t *testing.T) {
	start := time.Now()
	s := stall{limit: 10 * time.Second, since: start}
	for _, c := range []struct {
		at   time.Duration
		used time.Duration
		want bool
	}{
		{0, 0, false},
		{time.Second, 50 * time.Millisecond, false},
		{9 * time.Second, 60 * time.Millisecond, false},
		{10 * time.Second, 70 * time.Millisecond, false},
		{11 * time.Second, 70 * time.Millisecond, true},
		{12 * time.Second, 80 * time.Millisecond, false},
		{21 * time.Second, 90 * time.Millisecond, false},
		{22 * time.Second, 90 * time.Millisecond, true},
	} {
		if got := s.reached(start.Add(c.at), c.used); got != c.want {
			t.Errorf("after %v with %v: got %v", c.at, c.used, got)
		}
	}
}

// TestMain is the program itself, where a test wants it to be.
func TestMain(m *testing.M) {
	if os.Getenv("MEASURE_TEST") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestSignal ends the program while a server, a client and one beside run: all end. So
// they do when the program that wants the figures is no more, and nobody can tell measure.
func TestSignal(t *testing.T) {
	tells := func(name, then string) string {
		return fmt.Sprintf("echo $$ >%s.pid.new; mv %s.pid.new %s.pid; %s", name, name, name, then)
	}
	for name, end := range map[string]func(parent, measure int) error{
		"SIGTERM":             func(_, measure int) error { return syscall.Kill(measure, syscall.SIGTERM) },
		"SIGHUP":              func(_, measure int) error { return syscall.Kill(measure, syscall.SIGHUP) },
		"SIGKILL to a parent": func(parent, _ int) error { return syscall.Kill(parent, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			parent := exec.Command("sh", "-c", tells("parent", `"$@" & `+"echo $! >measure.pid.new; mv measure.pid.new measure.pid; wait"), "sh",
				os.Args[0], "-server", program(t, "fakesrv", tells("server", idle)), "-print", "rps",
				"--beside", program(t, "burden", tells("beside", "echo in effect: 1 connections, 1 served; exec sleep 600")),
				"--run", program(t, "client", tells("client", "while :; do :; done")))
			parent.Dir = dir
			parent.Env = append(os.Environ(), "MEASURE_TEST=1")
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			defer parent.Process.Kill()
			pids := map[string]int{}
			for _, who := range []string{"parent", "measure", "server", "beside", "client"} {
				await(t, who, func() bool {
					text, _ := os.ReadFile(filepath.Join(dir, who+".pid"))
					pids[who], _ = strconv.Atoi(strings.TrimSpace(string(text)))
					return pids[who] > 0
				})
			}
			if err := end(pids["parent"], pids["measure"]); err != nil {
				t.Fatal(err)
			}
			parent.Wait()
			for _, who := range []string{"measure", "server", "beside", "client"} {
				await(t, "the end of "+who, func() bool { return !runsStill(pids[who]) })
			}
		})
	}
}

// runsStill tells whether a process runs. One that has ended, and that nobody waits for,
// does not.
func runsStill(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s after %v", what, patience)
		}
	}
}

// TestInterrupted ends a measurement before its server is ready.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	o, err := parse([]string{"-server", program(t, "fakesrv", "exec sleep 600"), "-print", "rps", "--run", "true"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report(ctx, o); err != errInterrupted {
		t.Errorf("got %v, want %v", err, errInterrupted)
	}
}

//go:build unix

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain is the program itself, where a test wants it to be.
func TestMain(m *testing.M) {
	if os.Getenv("MEASURE_TEST") == "" {
		flag.Set("test.parallel", "6") // most of these tests wait
		os.Exit(m.Run())
	}
	main()
}

// program writes a shell script, and returns its name. Nothing is started meanwhile: what
// another process has open for writing cannot be run.
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

const (
	idle  = "echo fakesrv: $4 on 127.0.0.1:1234 >&2; sleep 600; :"
	spins = "echo fakesrv: resp on 127.0.0.1:1234 >&2; while :; do :; done"
	dies  = "echo fakesrv: resp on 127.0.0.1:1234 >&2; sleep 0.2; echo fatal error: out, of luck; exit 7"

	figuresOfClient = `echo '"test","rps","avg_latency_ms"'; echo '"SET","100.50","0.25"'`
)

// TestMeasure has what is printed, or the error.
func TestMeasure(t *testing.T) {
	loaded, waits := program(t, "client", figuresOfClient), program(t, "client", "echo I wait; exec sleep 600")
	burden := program(t, "burden", "echo in effect: 5 connections, 4 served; exec sleep 600")
	crashing := program(t, "client", "sleep 0.5; echo lost; echo 3; exit 1")
	spinning := program(t, "client", `(sleep 4; : >"$0.end") & while [ ! -e "$0.end" ]; do :; done;`+figuresOfClient)
	died := "fakesrv died in a test: it ended with exit status 7. Its last words:\n    fatal error: out, of luck\n    fakesrv: resp on 127.0.0.1:1234"
	stalled := "client made no progress for 300ms against fakesrv in a test. It said:\n    I wait"
	for _, c := range []struct {
		name    string
		server  string
		options []string
		want    string
	}{
		{"a client", idle, []string{"-row", "{avg_ms},{rps}", "--run", loaded}, "0.25,100.50\n"},
		{"the port", idle, []string{"-row", "{port},{args}", "--run", program(t, "client", `echo "port,args"; echo "$1,$#"`), "PORT", "x PORT"}, "1234,2\n"},
		{"a protocol", idle, []string{"-proto", "kv", "-row", "{rps}", "--run", loaded}, "100.50\n"},
		{"nothing for the server to do", idle, []string{"-row", "{cores},{percent},{growth_mb},{served}", "-for", "0.2s"}, "0.00,0.0,0.0,0\n"},
		{"a client beside", idle, []string{"-row", "{served},{rps},{threads}", "--beside", burden, "--run", loaded}, "4,100.50,1\n"},
		{"a status that is known", idle, []string{"-row", "{lost}", "-accept", "1", "--run", crashing}, "3\n"},
		{"a client that got nothing", idle, []string{"-row", "{rps},{served}", "-accept", "3", "--run", program(t, "client", "exit 3")}, "never,0\n"},
		{"a client that spins", idle, []string{"-row", "{rps}", "-stall", "3s", "--run", spinning}, "100.50\n"},
		{"a server that may end", dies, []string{"-row", "{lost},{end}", "-crash", "-accept", "1", "--run", crashing}, "3,fatal error: out; of luck\n"},
		{"a server that may end, but does not", idle, []string{"-row", "{end}", "-crash", "--run", loaded}, "kept running\n"},
		{"the server ends, and speaks another protocol", "echo fakesrv: kv on 127.0.0.1:1; exit 3", []string{"--run", loaded},
			"fakesrv was not ready: it ended with exit status 3. Its last words:\n    fakesrv: kv on 127.0.0.1:1"},
		{"the server dies", dies, []string{"--run", waits}, died},
		{"the server dies, and the client notices first", dies, []string{"--run", program(t, "client", "sleep 0.1; exit 1")}, died},
		{"the client fails", idle, []string{"--run", program(t, "client", "echo one; echo two >&2; exit 4")},
			"client ended with exit status 4 against fakesrv in a test. It said:\n    one\n    two"},
		{"the client has no figures", idle, []string{"--run", program(t, "client", "echo 'test,rps'; echo SET,inf")},
			"client printed no figures (a larger -n may help) against fakesrv in a test. It said:\n    test,rps\n    SET,inf"},
		{"a client before fails", idle, []string{"-accept", "3", "--before", "true", "--before", program(t, "before", "exit 3"), "--run", loaded},
			"before ended with exit status 3 against fakesrv in a test. It said:\n    (nothing)"},
		{"the client waits for ever", idle, []string{"-stall", "300ms", "--run", waits}, stalled},
		{"the client beside is not in effect", idle, []string{"--beside", program(t, "burden", "kill -9 $$"), "--run", loaded},
			"burden was not in effect: it ended with signal: killed against fakesrv in a test. It said:\n    (nothing)"},
		{"the client beside is never in effect", idle, []string{"-stall", "300ms", "--beside", waits, "--run", loaded}, stalled},
		{"the client beside leaves", idle, []string{"--beside", program(t, "burden", "echo in effect: 1 connections, 1 served"),
			"--run", program(t, "client", "sleep 0.5;"+figuresOfClient)},
			"burden ended with exit status 0 against fakesrv in a test. It said:\n    in effect: 1 connections, 1 served"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := program(t, "fakesrv", c.server)
			got, err := report(t.Context(), parse(append([]string{"-in", "a test", "-server", server}, c.options...)))
			if err != nil {
				got = err.Error()
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			await(t, 0, server)
		})
	}
}

// TestStall has clients whose processor time stands still, or nearly, or moves.
func TestStall(t *testing.T) {
	start := time.Now()
	s := stall{limit: 10 * time.Second, since: start}
	for _, c := range []struct {
		now, used time.Duration
		want      bool
	}{
		{9 * time.Second, 0, false}, {10 * time.Second, 20 * time.Millisecond, true}, {10 * time.Second, 21 * time.Millisecond, false},
		{19 * time.Second, 41 * time.Millisecond, false}, {20 * time.Second, 41 * time.Millisecond, true},
	} {
		if got := s.over(start.Add(c.now), c.used); got != c.want {
			t.Errorf("after %v, with %v used: %t", c.now, c.used, got)
		}
	}
}

// TestProcessorTime has a server that spins as long as it is watched.
func TestProcessorTime(t *testing.T) {
	t.Parallel()
	text, err := report(t.Context(), parse([]string{"-server", program(t, "fakesrv", spins), "-n", "1000", "-for", "500ms",
		"-row", "{cpu_us_per_req} {cores} {rss_mb}"}))
	var micros, cores, rss float64
	fmt.Sscan(text, &micros, &cores, &rss)
	if cores <= 0 || cores > 1.2 || micros <= 0 || rss <= 0 {
		t.Errorf("%v; processor time %v µs for each of 1,000, %v cores; %v MB", err, micros, cores, rss)
	}
}

// TestSignal ends the program while a server, a client and one beside run: all end. So
// they do when the program that wants the figures is killed, which cannot tell measure; and
// on Linux when measure is.
func TestSignal(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"measure TERM": syscall.SIGTERM, "measure HUP": syscall.SIGHUP,
		"measure INT": syscall.SIGINT, "parent KILL": syscall.SIGKILL, "measure KILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS != "linux" && name == "measure KILL" {
				return // its children cannot know
			}
			script, n := spins, 5
			if sig == syscall.SIGINT {
				script, n = "sleep 600; :", 3 // it is not ready, and there is no client
			}
			server := program(t, "fakesrv", script)
			parent := exec.Command("sh", "-c", `"$@" & wait`, "sh", os.Args[0], "-server", server,
				"--beside", program(t, "burden", "echo in effect: 1 connections, 1 served; sleep 600; :"), "--run", program(t, "client", spins))
			parent.Env = append(os.Environ(), "MEASURE_TEST=1")
			var words strings.Builder
			parent.Stderr = &words
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			mark := filepath.Dir(filepath.Dir(server))
			pids := await(t, n, mark) // in the order in which they were started
			if err := syscall.Kill(pids[strings.Count(name, "measure")], sig); err != nil {
				t.Fatal(err)
			}
			parent.Wait()
			await(t, 0, mark)
			if sig != syscall.SIGKILL && words.String() != "measure: interrupted\n" {
				t.Errorf("measure says %q", &words)
			}
		})
	}
}

// await returns the ids of the processes whose command line has a text in it, as soon as
// there are n.
func await(t *testing.T, n int, text string) []int {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		lines, err := exec.Command("ps", "-A", "-ww", "-o", "pid=", "-o", "args=").Output()
		if err != nil {
			t.Fatal(err)
		}
		var pids []int
		for line := range strings.Lines(string(lines)) {
			if pid := 0; strings.Contains(line, text) {
				fmt.Sscan(line, &pid)
				pids = append(pids, pid)
			}
		}
		if len(pids) == n {
			return pids
		}
		if time.Now().After(end) {
			t.Fatalf("still waiting for %d processes with %s", n, text)
		}
	}
}

//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFill has rows with each figure, with a kind of call in each line, and without a figure.
func TestFill(t *testing.T) {
	r := result{
		client:   map[string]string{"rps": "12.50", "p99_ms": "0.031"},
		before:   size{peak: 1000, now: 900},
		most:     size{peak: 2000, threads: 9},
		last:     size{now: 1900, threads: 8},
		served:   40,
		cpu:      250 * time.Millisecond,
		wall:     2 * time.Second,
		calls:    []call{{"read", 5000}, {"futex", 250}, {"others", 350}},
		traced:   true,
		switches: 1500,
		end:      "kept running",
	}
	o := &options{requests: 5000, rows: []string{
		"mtblock,1,{rps},{p99_ms},{cpu_us_per_req},{rss_mb},{threads}",
		"{cores} {percent} {now_mb} {growth_mb} {each_kib} {served} {end}",
		"switches,{switches}", "{call},{count},calls", "total,{calls}", "clients,50",
	}}
	want := `mtblock,1,12.50,0.031,50.000,2.05,9
0.12 12.5 1.9 1.0 25.0 40 kept running
switches,0.30
read,1.00,calls
futex,0.05,calls
others,0.07,calls
total,1.07
clients,50
`
	got, err := r.fill(o)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	o.rows = []string{"{rps},{served},{calls},{speed}", "{call}"}
	if got, err := (&result{}).fill(o); got != "never,0,-,never\n" || err != nil {
		t.Errorf("without a client's figures: got %q, %v", got, err)
	}
	if _, err := r.fill(o); err == nil || err.Error() != `there is no figure "speed"` {
		t.Errorf("with an unknown figure: %v", err)
	}
}

func TestClientFigures(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":           nil,
		"a,b\n1,2\n": {"a": "1", "b": "2"},
		"a warning, of some kind\n\"test\",\"rps\",\"p50_latency_ms\"\n\"SET\",\"1.50\",\"0.031\"\n": {"test": "SET", "rps": "1.50", "p50_ms": "0.031"},
		"test,rps\nSET,inf\n": nil,
		"test,rps\nSET,\n":    nil,
	} {
		if diff := cmp.Diff(want, clientFigures(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0:00.05":    50 * time.Millisecond,
		"1:02.50":    62500 * time.Millisecond,
		"02:03:04.5": 2*time.Hour + 3*time.Minute + 4500*time.Millisecond,
		"":           0,
	} {
		if got, err := parseTime(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseSummary(t *testing.T) {
	const summary = `epollsrv: resp on 127.0.0.1:41234
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 88.83    0.176201           8     20132           epoll_pwait
  5.38    0.010673          14       750        84 futex
  0.60    0.001184          11       200           accept4
  0.30    0.000793          16        99           openat
  0.20    0.000703          16        50         3 mmap
------ ----------- ----------- --------- --------- ----------------
100.00    0.198352           8     21231        87 total
`
	for requests, want := range map[int64][]call{
		10000:   {{"epoll_pwait", 20132}, {"futex", 750}, {"accept4", 200}, {"others", 149}},
		100000:  {{"epoll_pwait", 20132}, {"others", 1099}},
		9000000: nil,
	} {
		if diff := cmp.Diff(want, parseSummary(summary, requests), cmp.AllowUnexported(call{})); diff != "" {
			t.Errorf("for %d requests (-want +got):\n%s", requests, diff)
		}
	}
}

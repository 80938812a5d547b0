//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFigures(t *testing.T) {
	r := result{
		client: map[string]string{"rps": "12.50"},
		before: size{peak: 1000, now: 900},
		most:   size{peak: 2000, threads: 9},
		last:   size{now: 1900},
		served: 40,
		cpu:    250 * time.Millisecond,
		wall:   2 * time.Second,
		end:    "it goes on",
	}
	for name, want := range map[string]string{
		"rps": "12.50", "cpu_us_per_req": "50.000", "cores": "0.12", "percent": "12.5", "rss_mb": "2.05", "now_mb": "1.9",
		"growth_mb": "1.0", "each_kib": "25.0", "threads": "9", "served": "40", "end": "it goes on",
	} {
		if got, err := r.figure(name, &options{requests: 5000}); got != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestClientFigures(t *testing.T) {
	for _, c := range []struct {
		text string
		want map[string]string
	}{
		{"", nil},
		{"one line", nil},
		{"a,b\n1,2\n", map[string]string{"a": "1", "b": "2"}},
		{"a warning, of some kind\n\"test\",\"rps\",\"p50_latency_ms\"\n\"SET\",\"1.50\",\"0.031\"\n", map[string]string{"test": "SET", "rps": "1.50", "p50_ms": "0.031"}},
		{"a,b\n1,2,3\n", nil},
		{"test,rps\nSET,inf\n", nil},
		{"test,rps\nSET,nan\n", nil},
		{"test,rps\nSET,\n", nil},
		{"nonsense\nof words\n", nil},
	} {
		if diff := cmp.Diff(c.want, clientFigures(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0:00.05":       50 * time.Millisecond,
		"1:02.50":       62500 * time.Millisecond,
		"100:00.00":     100 * time.Minute,
		"01:00:00":      time.Hour,
		"2-03:04:05.25": 51*time.Hour + 4*time.Minute + 5250*time.Millisecond,
		"7":             7 * time.Second,
		"":              -1,
		"x:1":           -1,
		"1:1:1:1:1":     -1,
	} {
		got, err := parseTime(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

const straceSummary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 88.83    0.176201           8     20132           epoll_pwait
  5.38    0.010673          14       750        84 futex
  2.93    0.005816           7       750           accept4
  0.60    0.001184          11       200           a
  0.40    0.000803          16       100           b
  0.30    0.000793          16        99           c
  0.20    0.000703          16       150           d
  0.10    0.000603          16       140           e
------ ----------- ----------- --------- --------- ----------------
100.00    0.198352           8     22321        84 total
`

func TestCalls(t *testing.T) {
	calls := parseSummary(straceSummary)
	if len(calls) != 8 || calls[1] != (call{"futex", 750}) {
		t.Fatalf("got %v", calls)
	}
	want := []call{{"epoll_pwait", 20132}, {"accept4", 750}, {"futex", 750}, {"a", 200}, {"d", 150}, {"e", 140}, {"others", 199}}
	if diff := cmp.Diff(want, mostFrequent(calls, 10000), cmp.AllowUnexported(call{})); diff != "" {
		t.Errorf("for 10,000 requests (-want +got):\n%s", diff)
	}
	want = []call{{"epoll_pwait", 20132}, {"others", 2189}}
	if diff := cmp.Diff(want, mostFrequent(calls, 100000), cmp.AllowUnexported(call{})); diff != "" {
		t.Errorf("for 100,000 requests (-want +got):\n%s", diff)
	}
}

//go:build unix

package main

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBench(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		options string
		counts  []int // puts, gets, connections
		keys    int   // stored at the end; -1: any number
		pieces  int
	}{
		{"-c 1 -n 10", []int{10, 10, 2}, 1, 0},
		{"-c 5 -n 1001 -P 16", []int{1001, 1001, 10}, 1, 0},
		{"-c 5 -n 3 -P 16", []int{3, 3, 2}, 1, 0},
		{"-c 50 -n 20 -P 2", []int{20, 20, 20}, 1, 0},
		{"-c 5 -n 500 -P 7 -r 30 -t get", []int{30, 500, 6}, 30, 0},
		{"-c 5 -n 100 -t get,GET", []int{1, 200, 11}, 1, 0},
		{"-c 2 -n 100 -t get -r 1000001", []int{0, 100, 2}, 0, 0},
		{"-c 2 -n 20 -P 7 -r 1000000000000 -d 2000", []int{20, 20, 4}, -1, 0},
		{"-c 1 -n 2 -d 8000000", []int{2, 2, 2}, 1, 0}, // more than a write takes
		{"-c 3 -n 12 -P 2 -d 300000 -r 5", []int{17, 12, 7}, 5, 0},
		{"-c 3 -n 50 -k 0", []int{50, 50, 100}, 1, 0},
		{"-c 3 -n 50 -k 0 -P 20 -r 9", []int{59, 50, 7}, 9, 0},
		{"-c 3 -n 60 -P 4 -r 9", []int{69, 60, 7}, 9, 3},
		{"-c 5 -n 20 -T 600 -t get", []int{1, 20, 6}, 1, 0},
		{"-c 5 -n 500 -r 3 -fill 0 -t SET,get", []int{500, 500, 10}, 3, 0},
		{"-c 3 -n 100 -P 7 -key E", []int{100, 100, 6}, 1, 0}, // a part of the other words, too
	} {
		for _, proto := range []string{"kv", "resp"} {
			t.Run(proto+" "+tc.options, func(t *testing.T) {
				t.Parallel()
				s := start(t, &server{resp: proto == "resp", pieces: tc.pieces})
				status, out, stderr := kvRun("", s.cmd("bench -proto "+proto+" --csv "+tc.options)...)
				if status != 0 || stderr != "" {
					t.Fatalf("status %d: %s", status, stderr)
				}
				figures(t, out)
				if diff := cmp.Diff(tc.counts, s.counts()); diff != "" {
					t.Errorf("puts, gets, connections: -want +got\n%s", diff)
				}
				if tc.keys >= 0 && len(s.db) != tc.keys {
					t.Errorf("%d keys stored, want %d", len(s.db), tc.keys)
				}
				size := 3
				if _, d, ok := strings.Cut(tc.options, "-d "); ok {
					fmt.Sscan(d, &size)
				}
				for k, v := range s.db {
					n, err := strconv.ParseInt(strings.TrimPrefix(k, "key:"), 10, 64)
					right := err == nil && len(k) == 16 && (tc.keys < 0 || n < int64(tc.keys))
					if strings.HasSuffix(tc.options, "-key E") {
						right = k == "E"
					}
					if !right || len(v) != size {
						t.Errorf("key %q with %d bytes", k, len(v))
					}
				}
			})
		}
	}
}

// figures returns rps, avg, min, p50, p95, p99 and max of the first test in out. It
// checks that each test has a row of positive numbers in order.
func figures(t *testing.T, out string) (first []float64) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) < 2 || !strings.HasPrefix(out, csvHeader+"\n") {
		t.Fatalf("%v in\n%s", err, out)
	}
	for _, row := range slices.Backward(rows[1:]) {
		first = nil
		for _, cell := range row[1:] {
			x, err := strconv.ParseFloat(cell, 64)
			if err != nil || x <= 0 {
				t.Errorf("%q in %q", cell, row)
			}
			first = append(first, x)
		}
		if avg, ordered := first[1], first[2:]; !slices.IsSorted(ordered) || avg < ordered[0] || avg > ordered[4] {
			t.Errorf("out of order: %q", row)
		}
	}
	return first
}

func TestReport(t *testing.T) {
	g := &generator{elapsed: 2 * time.Second}
	for i := range 99 {
		g.latency.add(time.Duration(i+1)*time.Microsecond, 1)
	}
	for csv, want := range map[bool]string{
		true: `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"PUT","49.50","0.050","0.001","0.050","0.095","0.099","0.099"
`,
		false: `test   requests/s   avg ms   min ms   p50 ms   p95 ms   p99 ms   max ms
PUT         49.50    0.050    0.001    0.050    0.095    0.099    0.099
`} {
		var out strings.Builder
		(&bench{csv: csv, streams: streams{out: &out}}).report("PUT", g, true)
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

// With a rate, a connection that the server has closed while it was idle is opened
// again when its next request is due.
func TestBenchClosedIdle(t *testing.T) {
	t.Parallel()
	s := &server{}
	s.twist = func(o op, i int, right []byte) []byte {
		if i == 2 {
			time.AfterFunc(500*time.Millisecond, s.disconnect)
		}
		return right
	}
	start(t, s)
	status, _, stderr := kvRun("", s.cmd("bench -t put -n 6 -c 1 -P 3 -R 1")...)
	if diff := cmp.Diff([]int{6, 0, 2}, s.counts()); status != 0 || diff != "" {
		t.Errorf("got %d %q; puts, gets, connections: -want +got\n%s", status, stderr, diff)
	}
}

// A test goes on until its time is over, and sends requests no faster than it should.
// It also ends then, with a rate, if the next request of a client is due only a
// minute later.
func TestBenchTakes(t *testing.T) {
	t.Parallel()
	for options, least := range map[string]time.Duration{
		"-T 1 -t put -c 3":               time.Second,
		"-T 1 -t get -c 3 -P 4":          time.Second,
		"-T 1 -t get -c 3 -R 100":        time.Second,
		"-T 1 -t put -c 1 -R 1 -P 60":    time.Second,
		"-T 1 -t put -c 60 -R 1":         time.Second,
		"-t put -c 1 -n 101 -R 100":      time.Second, // the first is sent at once
		"-t put -c 4 -n 204 -R 200":      time.Second,
		"-t put -c 2 -n 816 -P 8 -R 800": time.Second,
	} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			s := start(t, &server{})
			begin := time.Now()
			status, _, stderr := kvRun("", s.cmd("bench "+options)...)
			if d := time.Since(begin); status != 0 || d < least || d > 30*time.Second {
				t.Errorf("got %d %q after %v", status, stderr, d)
			}
		})
	}
}

// With a rate, a test also ends when all requests are sent.
func TestRateWithoutRequests(t *testing.T) {
	c := offline(load{proto: kv{}, clients: 1, rate: 4}, 8)
	if c.g.pace != 2*time.Second {
		t.Errorf("pace %v, want 2s", c.g.pace)
	}
	c.idle, c.due, c.g.left = true, now()+time.Hour, 0
	if _, err := c.g.sendDue(tick); err != nil || c.g.active != 0 {
		t.Errorf("%d clients wait, %v", c.g.active, err)
	}
}

// While the server holds one reply back, all requests that become due are late, and
// their latencies show it.
func TestBenchRateLate(t *testing.T) {
	t.Parallel()
	s := start(t, &server{twist: func(o op, i int, right []byte) []byte {
		if i == 5 {
			time.Sleep(300 * time.Millisecond)
		}
		return right
	}})
	status, out, stderr := kvRun("", s.cmd("bench -t put -csv -c 1 -n 40 -R 100")...)
	if status != 0 {
		t.Fatalf("got %d %q", status, stderr)
	}
	// Of 40 requests, 30 wait for 300, 290, 280 ... ms.
	f := figures(t, out)
	if p50, p95 := f[3], f[4]; p50 < 60 || p95 < 200 {
		t.Errorf("p50 %v and p95 %v ms, want 100 and 280 at least", p50, p95)
	}
}

func TestIncr(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"-n 1 -c 1", "-n 100 -c 5", "-n 100 -c 5 -P 16", "-n 20 -c 50 -P 2", "-n 50 -c 3 -k 0", "-n 50 -c 3 -k 0 -P 9"} {
		s := start(t, &server{resp: true, pieces: 2})
		n := strings.Fields(options)[1]
		for range 2 { // the second begins at 0 again
			expect(t, s.cmd("incr "+options), 0, fmt.Sprintf("%s\n%s,%s,%s,0\n", incrHeader, n, n, n), "")
		}
	}
}

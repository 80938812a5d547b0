//go:build unix

package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The percentiles are those of the sorted samples, but for the width of a bucket.
func TestPercentiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(rng.ExpFloat64() * float64(time.Duration(1)<<rng.IntN(34)))
		n := 1 + rng.Int64N(20)
		h.add(d, n)
		all = append(all, slices.Repeat([]time.Duration{d}, int(n))...)
	}
	slices.Sort(all)
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	last := len(all) - 1
	want := []time.Duration{sum / time.Duration(len(all)), all[0], all[last], time.Duration(len(all))}
	got := []time.Duration{h.mean(), h.min, h.max, time.Duration(h.count)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mean, min, max, count: -want +got\n%s", diff)
	}
	for p := 0.5; p <= 100; p += 0.5 {
		want := all[max(0, (len(all)*int(p*10)+999)/1000-1)]
		got := h.percentile(p)
		if off := (got - want).Abs(); off > want/250 {
			t.Errorf("p%v: got %v, want %v", p, got, want)
		}
	}
}

func TestPercentileFew(t *testing.T) {
	var h histogram
	if got := h.percentile(50); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	h.add(3*time.Second, 1)
	for _, p := range []float64{1, 50, 100} {
		if got := h.percentile(p); got != 3*time.Second {
			t.Errorf("p%v of one: %v", p, got)
		}
	}
	h.add(time.Nanosecond, 99)
	for p, want := range map[float64]time.Duration{50: 1, 99: 1, 99.5: 3 * time.Second} {
		if off := (h.percentile(p) - want).Abs(); off > want/250 {
			t.Errorf("p%v of 100: %v, want %v", p, h.percentile(p), want)
		}
	}
}

func TestBuckets(t *testing.T) {
	for d := time.Duration(1); d > 0; d *= 2 {
		for _, v := range []time.Duration{d - 1, d, d + d/3} {
			got := middle(bucket(v))
			if off := (got - v).Abs(); off > v/500 {
				t.Errorf("%d is in the bucket of %d", v, got)
			}
		}
	}
}

func sample(requests int64) *result {
	res := &result{load: load{proto: kv{}, op: opPut, requests: requests, clients: 5, pipeline: 4, valueSize: 3, keepAlive: true}}
	res.elapsed = 2 * time.Second
	for i := range requests {
		res.latency.add(time.Duration(i+1)*time.Microsecond, 1)
	}
	return res
}

func reportOf(st style, res *result) string {
	var out strings.Builder
	r := reporter{st, streams{out: &out}}
	r.header()
	r.report(res)
	return out.String()
}

func TestReport(t *testing.T) {
	for _, tc := range []struct {
		name  string
		style style
		want  string
	}{
		{"csv", style{csv: true}, `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"PUT","49.50","0.050","0.001","0.050","0.095","0.099","0.099"
`},
		{"quiet", style{quiet: true}, "PUT: 49.50 requests per second, p50=0.050 msec\n"},
		{"full", style{}, `====== PUT ======
  99 requests completed in 2.00 seconds
  5 parallel clients
  4 requests in a pipeline
  3 bytes payload
  one key
  keep alive: 1

  throughput: 49.50 requests per second
  latency (msec):
          avg       min       p50       p95       p99       max
        0.050     0.001     0.050     0.095     0.099     0.099

`},
	} {
		if diff := cmp.Diff(tc.want, reportOf(tc.style, sample(99))); diff != "" {
			t.Errorf("%s: -want +got\n%s", tc.name, diff)
		}
	}
}

// A test without one right reply has a row too.
func TestReportNothing(t *testing.T) {
	got := reportOf(style{csv: true}, sample(0))
	want := csvHeader + "\n" + `"PUT","0.00","0.000","0.000","0.000","0.000","0.000","0.000"` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestFaultsLine(t *testing.T) {
	res := sample(100)
	res.faults[faultNotOk], res.faults[faultNoReply], res.note = 2, 3, "connection reset by peer"
	var out strings.Builder
	r := reporter{streams: streams{err: &out}}
	r.faults("PUT", res)
	want := "kv: PUT: 5 of 100 replies are wrong: 2 not Ok, 3 connection closed instead; the first message: \"connection reset by peer\"\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestProgress(t *testing.T) {
	for _, tc := range []struct {
		terminal, csv bool
		want          bool
	}{{true, false, true}, {true, true, false}, {false, false, false}} {
		var out strings.Builder
		r := reporter{style{csv: tc.csv}, streams{err: &out, terminal: tc.terminal}}
		r.progress("PUT", 200)(50)
		r.clear()
		if got := strings.Contains(out.String(), "PUT: 25%, "); got != tc.want || (out.Len() > 0) != tc.want {
			t.Errorf("%+v: %q", tc, out.String())
		}
	}
}

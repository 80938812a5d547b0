//go:build unix

package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The percentiles are those of the sorted samples, but for the width of a bucket.
func TestPercentiles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(1 + rng.ExpFloat64()*float64(time.Duration(1)<<rng.IntN(34)))
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
		checkPercentile(t, &h, p, all[max(0, (len(all)*int(p*10)+999)/1000-1)])
	}
}

func checkPercentile(t *testing.T, h *histogram, p float64, want time.Duration) {
	t.Helper()
	if got := h.percentile(p); (got - want).Abs() > want/250 {
		t.Errorf("p%v of %d: got %v, want %v", p, h.count, got, want)
	}
}

func TestPercentilesOfFew(t *testing.T) {
	t.Parallel()
	var h histogram
	checkPercentile(t, &h, 50, 0)
	h.add(3*time.Second, 1)
	for _, p := range []float64{1, 50, 100} {
		checkPercentile(t, &h, p, 3*time.Second)
	}
	h.add(time.Microsecond, 99)
	for p, want := range map[float64]time.Duration{50: time.Microsecond, 99: time.Microsecond, 99.5: 3 * time.Second} {
		checkPercentile(t, &h, p, want)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	for d := time.Duration(512); d > 0; d *= 2 {
		for _, v := range []time.Duration{d - 1, d, d + d/3} {
			if got := middle(bucket(v)); (got - v).Abs() > v/250 {
				t.Errorf("%d is in the bucket of %d", v, got)
			}
		}
	}
	if n := len(histogram{}.buckets); bucket(1<<63-1) >= n {
		t.Errorf("%d buckets: too few", n)
	}
}

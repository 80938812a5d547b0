//go:build unix

package main

import (
	"math"
	"time"
)

// A histogram counts durations in buckets whose width is 0.4 percent of their
// value. Count, sum, min and max are exact.
type histogram struct {
	buckets  [64 * perOctave]int64
	count    int64
	sum      time.Duration
	min, max time.Duration
}

const perOctave = 174 // buckets from a duration to its double

// add counts d n times.
func (h *histogram) add(d time.Duration, n int64) {
	if n == 0 {
		return
	}
	if h.count == 0 {
		h.min = d
	}
	h.min = min(h.min, d)
	h.max = max(h.max, d)
	h.count += n
	h.sum += d * time.Duration(n)
	h.buckets[bucket(d)] += n
}

func bucket(d time.Duration) int { return int(math.Log2(float64(max(1, d))) * perOctave) }

// middle returns the middle of bucket i.
func middle(i int) time.Duration {
	return time.Duration(math.Round(math.Exp2((float64(i) + 0.5) / perOctave)))
}

// percentile returns the least duration that p percent of all do not exceed, or
// 0 if there are none.
func (h *histogram) percentile(p float64) time.Duration {
	rank := int64(math.Ceil(p / 100 * float64(h.count)))
	seen := int64(0)
	for i, n := range h.buckets {
		seen += n
		if n > 0 && seen >= rank {
			return min(max(middle(i), h.min), h.max)
		}
	}
	return 0
}

// mean returns 0 if there are none.
func (h *histogram) mean() time.Duration { return h.sum / time.Duration(max(1, h.count)) }

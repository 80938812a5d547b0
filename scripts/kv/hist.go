//go:build unix

package main

import (
	"math"
	"math/bits"
	"time"
)

// A histogram counts durations in buckets whose width is under 0.4 percent of
// their value; below 512 ns they are exact. Count, sum, min and max are exact.
type histogram struct {
	buckets  [(64 - stepBits) << stepBits]int64
	count    int64
	sum      time.Duration
	min, max time.Duration
}

const stepBits = 8 // 2^8 buckets for each power of two

// add counts d, which is not negative, n times.
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

// bucket keeps the highest stepBits+1 bits of d.
func bucket(d time.Duration) int {
	shift := max(0, bits.Len64(uint64(d))-stepBits-1)
	return shift<<stepBits + int(d>>shift)
}

// middle returns the middle of bucket i.
func middle(i int) time.Duration {
	shift := max(0, i>>stepBits-1)
	low := time.Duration(i-shift<<stepBits) << shift
	return low + 1<<shift/2
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

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 100}, 54.5},
		{[]float64{9, 100, 10}, 10},
		{[]float64{3, -1, 4, 2}, 2.5},
	} {
		v := append([]float64(nil), c.v...)
		if got := median(v); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.v, got, c.want)
		}
		if diff := cmp.Diff(c.v, v); diff != "" {
			t.Errorf("median changes its argument (-want +got):\n%s", diff)
		}
	}
}

func TestThousands(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 7.4: "7", 999.5: "1,000", 999: "999", 1000: "1,000", 123456: "123,456",
		1234567: "1,234,567", -100: "-100", -1000: "-1,000",
	} {
		if got := thousands(x); got != want {
			t.Errorf("thousands(%v) = %q, want %q", x, got, want)
		}
	}
}

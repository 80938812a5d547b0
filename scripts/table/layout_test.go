package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for want, v := range map[float64][]float64{7: {7}, 54.5: {9, 100}, 10: {9, 100, 10}, 2.5: {3, -1, 4, 2}} {
		before := append([]float64(nil), v...)
		if got := median(v); got != want || !cmp.Equal(before, v) {
			t.Errorf("median(%v) = %v, want %v; its argument is now %v", before, got, want, v)
		}
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64][4]string{
		0:       {"0", "0.000", "0.000", "0.0"},
		0.0795:  {"0", "0.080", "0.080", "0.1"},
		0.9996:  {"1", "1.00", "1.00", "1.0"},
		7.454:   {"7", "7.45", "7.45", "7.5"},
		9.996:   {"10", "10.0", "10.0", "10.0"},
		99.96:   {"100", "100", "100", "100.0"},
		999.6:   {"1,000", "1000", "1.00k", "999.6"},
		12345:   {"12,345", "12345", "12.3k", "12345.0"},
		999600:  {"999,600", "999600", "1.00M", "999600.0"},
		1667003: {"1,667,003", "1667003", "1.67M", "1667003.0"},
	} {
		got := [4]string{thousands(x), digits(x), short(x), fixed(1)(x)}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v (-want +got):\n%s", x, d)
		}
	}
}

func TestWrap(t *testing.T) {
	var b strings.Builder
	word := strings.Repeat("µ", 65)
	wrap(&b, "name", "a "+word+" aa "+word+" a")
	want := "name        a " + word + "\n            aa\n            " + word + " a\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

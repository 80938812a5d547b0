package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		line  string
		width int
		want  []string
	}{
		{"", 20, []string{""}},
		{"short", 20, []string{"short"}},
		{"\ta tab", 20, []string{"    a tab"}},
		{"ab\tstops", 20, []string{"ab  stops"}},
		{"exactly twenty chars", 20, []string{"exactly twenty chars"}},
		{"one two three four five six", 20, []string{"one two three four ", "    five six"}},
		{"\tindented further here", 20, []string{"    indented ", "        further here"}},
		{strings.Repeat("x", 30), 20, []string{strings.Repeat("x", 20), "    " + strings.Repeat("x", 10)}},
		{"\t\tdeep and too long", 20, []string{"        deep and ", "    too long"}},
	} {
		var got []string
		for _, piece := range wrap(cells(test.line, nil), test.width) {
			got = append(got, terminal{}.paintCells("", piece))
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%q in %d columns (-want +got):\n%s", test.line, test.width, d)
		}
	}
}

func TestSides(t *testing.T) {
	const left, right = "a|\tf(one, 1)|gone here|z", "a|\tf(two, 1)|z|and new"
	for _, test := range []struct {
		name  string
		color bool
		want  []string
	}{
		{"plain", false, []string{
			"---------------------------------------------",
			"   1 a                     1 a",
			"   2     f(one, 1)    |    2     f(two, 1)",
			"   3 gone here        <",
			"   4 z                     3 z",
			"                      >    4 and new",
		}},
		{"in colour", true, []string{
			"\x1b[36m---------------------------------------------\x1b[0m",
			"\x1b[2m   1\x1b[0m a                  \x1b[2m   1\x1b[0m a",
			"\x1b[2m   2\x1b[0m \x1b[31m    f(\x1b[0m\x1b[31;7mone\x1b[0m\x1b[31m, 1)\x1b[0m    | \x1b[2m   2\x1b[0m \x1b[32m    f(\x1b[0m\x1b[32;7mtwo\x1b[0m\x1b[32m, 1)\x1b[0m",
			"\x1b[2m   3\x1b[0m \x1b[31mgone here\x1b[0m        < \x1b[2m    \x1b[0m ",
			"\x1b[2m   4\x1b[0m z                  \x1b[2m   3\x1b[0m z",
			"\x1b[2m    \x1b[0m                  > \x1b[2m   4\x1b[0m \x1b[32mand new\x1b[0m",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			list := stretches(rowsFor(t, left, right), lines(left), lines(right))
			terminal{&out, test.color, 46}.sides(lines(left), lines(right), list)
			if d := cmp.Diff(test.want, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

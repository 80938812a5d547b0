package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		line string
		want string // 20 columns, its lines separated by bars
	}{
		{"", ""},
		{"\ta tab", "    a tab"},
		{"ab\tstops", "ab  stops"},
		{"exactly twenty chars", "exactly twenty chars"},
		{"one two three four five six", "one two three four |    five six"},
		{"\tindented further here", "    indented |        further here"},
		{strings.Repeat("x", 30), strings.Repeat("x", 20) + "|    " + strings.Repeat("x", 10)},
		{"\t\tdeep and too long", "        deep and |    too long"},
	} {
		var got []string
		for _, piece := range wrap(cells(test.line, nil), 20) {
			got = append(got, terminal{}.paintCells("", piece))
		}
		if d := cmp.Diff(test.want, strings.Join(got, "|")); d != "" {
			t.Errorf("%q (-want +got):\n%s", test.line, d)
		}
	}
}

func TestSides(t *testing.T) {
	const left, right = "a|\tf(one, 1)|gone here|z", "a|\tf(two, 1)|z|and new"
	for color, want := range map[bool]string{
		false: `---------------------------------------------
   1 a                     1 a
   2     f(one, 1)    |    2     f(two, 1)
   3 gone here        <
   4 z                     3 z
                      >    4 and new
`,
		true: `<36>---------------------------------------------<0>
<2>   1<0> a                  <2>   1<0> a
<2>   2<0> <31>    f(<0><31;7>one<0><31>, 1)<0>    | <2>   2<0> <32>    f(<0><32;7>two<0><32>, 1)<0>
<2>   3<0> <31>gone here<0>        < <2>    <0> 
<2>   4<0> z                  <2>   3<0> z
<2>    <0>                  > <2>   4<0> <32>and new<0>
`,
	} {
		var out strings.Builder
		terminal{&out, color, 46}.sides(lines(left), lines(right), stretches(rowsFor(t, left, right), lines(left), lines(right)))
		got := strings.ReplaceAll(strings.ReplaceAll(out.String(), "\x1b[", "<"), "m", ">")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("colour %v (-want +got):\n%s", color, d)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines splits a text whose lines are separated by bars.
func lines(text string) []string { return strings.Split(text, "|") }

// rowsFor compares two texts, by way of diff(1).
func rowsFor(t *testing.T, left, right string) []row {
	t.Helper()
	var paths [2]string
	for side, text := range [2]string{left, right} {
		paths[side] = filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(paths[side], []byte(strings.ReplaceAll(text, "|", "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	hunks, err := unified(paths[0], paths[1])
	if err != nil {
		t.Fatal(err)
	}
	return compare(lines(left), lines(right), hunks)
}

// draw returns a row as text, with its marked parts in brackets.
func draw(r row, files ...[]string) string {
	var halves []string
	for side, lines := range files {
		half := "-"
		if n := r.lines[side]; n > 0 {
			line := []rune(lines[n-1])
			for _, m := range slices.Backward(r.marks[side]) {
				line = slices.Concat(line[:m[0]], []rune("["), line[m[0]:m[1]], []rune("]"), line[m[1]:])
			}
			half = string(line)
		}
		halves = append(halves, half)
	}
	return strings.Join(halves, map[bool]string{true: " ~ ", false: " = "}[r.changed])
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name, left, right string
		want              string // the rows, separated by bars
	}{
		{"same", "a|b", "a|b", "a = a|b = b"},
		{"a word", "x := one(1)", "x := two(1)", "x := [one](1) ~ x := [two](1)"},
		{"a word more", "c.serve()", "go c.serve()", "c.serve() ~ [go ]c.serve()"},
		{"blanks between words that differ", "f(a b c, d, e, f)", "f(x y z, d, e, f)", "f([a b c], d, e, f) ~ f([x y z], d, e, f)"},
		{"only blanks", "\tf(a)", "\t\tf(a)", "[\t]f(a) ~ [\t\t]f(a)"},
		{"nothing in common", "alpha()", "beta[2]", "alpha() ~ beta[2]"},
		{"little in common", "first(one, two, three)", "second(four, five, six)", "first(one, two, three) ~ second(four, five, six)"},
		{"more lines", "a|b", "a|new|b", "a = a|- ~ new|b = b"},
		{"fewer lines", "first|a", "a", "first ~ -|a = a"},
		{"at the end", "a", "a|z", "a = a|- ~ z"},
		{"the best partner", "n, err := unix.Read(fd, b)", "one := two|n, err := sock.Read(b)", "- ~ one := two|n, err := [unix].Read([fd, ]b) ~ n, err := [sock].Read(b)"},
		{"partners in order", "read(one, 1)|write(two)", "write(2)|read(one, 2)", "- ~ write(2)|read(one, [1]) ~ read(one, [2])|write(two) ~ -"},
		{"beyond ASCII", "µs → ms: five", "µs → ms: four", "µs → ms: [five] ~ µs → ms: [four]"},
		{"far apart", "a|1|2|3|4|5|6|7|8|9|b", "A|1|2|3|4|5|6|7|8|9|B", "a ~ A|1 = 1|2 = 2|3 = 3|4 = 4|5 = 5|6 = 6|7 = 7|8 = 8|9 = 9|b ~ B"},
	} {
		var got []string
		for _, r := range rowsFor(t, test.left, test.right) {
			got = append(got, draw(r, lines(test.left), lines(test.right)))
		}
		if d := cmp.Diff(lines(test.want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
	}
	if _, err := unified("nosuch", "compare.go"); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("diff of a file that is not there: error %v", err)
	}
}

func TestStretches(t *testing.T) {
	const same = "1|2|3|4|5|6|7|8|9|10"
	const left, right = "// f is one.|func f() {|" + same + "|}||func g() int {|" + same + "|a", "// f is one.|func f() {|" + same + "|}||func g() string {|" + same + "|b"
	var got []string
	for _, s := range stretches(rowsFor(t, left, right), lines(left), lines(right)) {
		got = append(got, fmt.Sprint(s.Fold, s.Rows[0].lines, s.Rows[len(s.Rows)-1].lines, s.title))
	}
	want := []string{"true [1 1] [11 11]", "false [12 12] [18 18]func g() string", "true [19 19] [22 22]", "false [23 23] [26 26]func g() string"}
	if d := cmp.Diff(want, got); d != "" || title(lines(right), 1) != "func f()" {
		t.Errorf("title of a comment: %q; (-want +got):\n%s", title(lines(right), 1), d)
	}
}

func TestWrap(t *testing.T) {
	for line, want := range map[string]string{ // in 20 columns, separated by bars
		"":                          "",
		"ab\ttab":                   "ab  tab",
		"exactly twenty chars":      "exactly twenty chars",
		"\tindented further here":   "    indented |        further here",
		strings.Repeat("x", 30):     strings.Repeat("x", 20) + "|    " + strings.Repeat("x", 10),
		"\t\tdeep and too long":     "        deep and |    too long",
		"one two three four µs six": "one two three four |    µs six",
	} {
		var got []string
		for _, piece := range wrap(cells(line, nil), 20) {
			got = append(got, terminal{}.paintCells("", piece))
		}
		if d := cmp.Diff(want, strings.Join(got, "|")); d != "" {
			t.Errorf("%q (-want +got):\n%s", line, d)
		}
	}
}

func TestSides(t *testing.T) {
	const left, right = "a|\tf(one, 1)|gone here|z", "a|\tf(two, 1)|z|and new"
	const want = `<36>---------------------------------------------<0>
<2>   1<0> a                  <2>   1<0> a
<2>   2<0> <31>    f(<0><31;7>one<0><31>, 1)<0>    | <2>   2<0> <32>    f(<0><32;7>two<0><32>, 1)<0>
<2>   3<0> <31>gone here<0>        < <2>    <0> 
<2>   4<0> z                  <2>   3<0> z
<2>    <0>                  > <2>   4<0> <32>and new<0>
`
	var out strings.Builder
	terminal{&out, true, 46}.sides(lines(left), lines(right), stretches(rowsFor(t, left, right), lines(left), lines(right)))
	if d := cmp.Diff(want, strings.ReplaceAll(strings.ReplaceAll(out.String(), "\x1b[", "<"), "m", ">")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

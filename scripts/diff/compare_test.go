package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines splits a text whose lines are separated by bars.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "|")
}

// rowsFor compares two texts, by way of diff(1).
func rowsFor(t *testing.T, left, right string) []row {
	t.Helper()
	var paths [2]string
	for side, text := range [2]string{left, right} {
		paths[side] = filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(paths[side], []byte(strings.Join(append(lines(text), ""), "\n")), 0o644); err != nil {
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
func draw(r row, left, right []string) string {
	text := ""
	for side, lines := range [2][]string{left, right} {
		if side == 1 {
			text += map[bool]string{true: " ~ ", false: " = "}[r.changed]
		}
		if r.lines[side] == 0 {
			text += "-"
			continue
		}
		at := 0
		line := []rune(lines[r.lines[side]-1])
		for _, m := range r.marks[side] {
			text += string(line[at:m[0]]) + "[" + string(line[m[0]:m[1]]) + "]"
			at = m[1]
		}
		text += string(line[at:])
	}
	return text
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name, left, right string
		want              []string
	}{
		{"same", "a|b", "a|b", []string{"a = a", "b = b"}},
		{"a word", "x := one(1)", "x := two(1)", []string{"x := [one](1) ~ x := [two](1)"}},
		{"a word more", "c.serve()", "go c.serve()", []string{"c.serve() ~ [go ]c.serve()"}},
		{"blanks between words that differ", "f(a b c, d, e, f)", "f(x y z, d, e, f)", []string{"f([a b c], d, e, f) ~ f([x y z], d, e, f)"}},
		{"only blanks", "\tf(a)", "\t\tf(a)", []string{"[\t]f(a) ~ [\t\t]f(a)"}},
		{"nothing in common", "alpha()", "beta[2]", []string{"alpha() ~ beta[2]"}},
		{"little in common", "first(one, two, three)", "second(four, five, six)", []string{"first(one, two, three) ~ second(four, five, six)"}},
		{"more lines", "a|b", "a|new|b", []string{"a = a", "- ~ new", "b = b"}},
		{"fewer lines", "first|a", "a", []string{"first ~ -", "a = a"}},
		{"at the end", "a", "a|z", []string{"a = a", "- ~ z"}},
		{"the best partner", "n, err := unix.Read(fd, b)", "one := two|n, err := sock.Read(b)",
			[]string{"- ~ one := two", "n, err := [unix].Read([fd, ]b) ~ n, err := [sock].Read(b)"}},
		{"partners in order", "read(one, 1)|write(two)", "write(2)|read(one, 2)", []string{"- ~ write(2)", "read(one, [1]) ~ read(one, [2])", "write(two) ~ -"}},
		{"beyond ASCII", "µs → ms: five", "µs → ms: four", []string{"µs → ms: [five] ~ µs → ms: [four]"}},
		{"far apart", "a|1|2|3|4|5|6|7|8|9|b", "A|1|2|3|4|5|6|7|8|9|B",
			[]string{"a ~ A", "1 = 1", "2 = 2", "3 = 3", "4 = 4", "5 = 5", "6 = 6", "7 = 7", "8 = 8", "9 = 9", "b ~ B"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, r := range rowsFor(t, test.left, test.right) {
				got = append(got, draw(r, lines(test.left), lines(test.right)))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestStretches(t *testing.T) {
	const same = "1|2|3|4|5|6|7|8|9|10"
	source := func(last string) string { return "func f() {|" + same + "|}|" + same + "|" + last }
	left, right := source("func g() int {"), source("func g() string {")
	type shape struct {
		Fold  bool
		Lines [2]int // the first and the last on the right
		Title string
	}
	for _, test := range []struct {
		left, right string
		want        []shape
	}{
		{left, left, []shape{{true, [2]int{1, 23}, ""}}},
		{left, right, []shape{{true, [2]int{1, 19}, ""}, {false, [2]int{20, 23}, "func g() string"}}},
		{"a|1|2|3|4|5|6|7|8|9|b", "A|1|2|3|4|5|6|7|8|9|B", []shape{{false, [2]int{1, 11}, ""}}}, // not worth a fold
		{"a|" + same + "|b", "A|" + same + "|B", []shape{{false, [2]int{1, 4}, ""}, {true, [2]int{5, 8}, ""}, {false, [2]int{9, 12}, ""}}},
	} {
		var got []shape
		for _, s := range stretches(rowsFor(t, test.left, test.right), lines(test.left), lines(test.right)) {
			got = append(got, shape{s.fold, [2]int{s.rows[0].lines[1], s.rows[len(s.rows)-1].lines[1]}, s.title})
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%q, %q (-want +got):\n%s", test.left, test.right, d)
		}
	}
}

func TestTitle(t *testing.T) {
	if _, err := unified("nosuch", "compare.go"); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("diff of a file that is not there: error %v", err)
	}
	source := lines("package p||// f is one.|// It has a comment.|func f() {|	a|}||var x int||func (c *conn) g(n int) bool {|	b|}")
	want := []string{"", "", "func f()", "func f()", "func f()", "func f()", "func f()", "", "", "", "func (c *conn) g(n int) bool", "func (c *conn) g(n int) bool", "func (c *conn) g(n int) bool"}
	for i, line := range source {
		if got := title(source, i+1); got != want[i] {
			t.Errorf("line %d, %q: title %q; want %q", i+1, line, got, want[i])
		}
	}
}

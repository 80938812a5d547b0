package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"ioflavors/scripts/align"
)

// A row is what stands side by side: a line of the left file, a line of the right one,
// or one of each. Lines are counted from 1; 0 is none.
type row struct {
	lines   [2]int
	changed bool
	marks   [2][]span // what differs within a line; none if all of it does
}

// A span is a part of a line in characters: from the first to before the last.
type span [2]int

// unified returns the hunks of diff -u, without its two header lines.
func unified(left, right string) (string, error) {
	cmd := exec.Command("diff", "-U", "3", "-p", left, right)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 { // they differ
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("diff %s %s: %v: %s", left, right, err, bytes.TrimSpace(stderr.Bytes()))
	}
	if at := bytes.Index(out, []byte("\n@@")); at >= 0 {
		out = out[at+1:]
	}
	return string(out), nil
}

// count returns the number of lines that change in hunks.
func count(hunks string) int {
	return len(regexp.MustCompile(`(?m)^[-+]`).FindAllString(hunks, -1))
}

// compare returns the rows of two files, of which hunks tell what changes.
func compare(left, right []string, hunks string) []row {
	var rows []row
	next := [2]int{1, 1}
	same := func() {
		rows = append(rows, row{lines: next})
		next[0]++
		next[1]++
	}
	block := next // where the lines that change begin
	end := func() {
		rows = append(rows, rowsOf(left, right, block, next)...)
		block = next
	}
	for line := range strings.Lines(hunks) {
		switch line[0] {
		case '@':
			start := 0 // the left line with which the hunk begins: the 3 of "@@ -3,7 +3,8 @@"
			fmt.Sscanf(line, "@@ -%d", &start)
			for ; next[0] < start; block = next {
				same()
			}
		case '-':
			next[0]++
		case '+':
			next[1]++
		case ' ':
			end()
			same()
			block = next
		}
	}
	end()
	for next[0] <= len(left) {
		same()
	}
	return rows
}

// rowsOf returns the rows of a block that changes: lines that are variants of one are in
// one row.
func rowsOf(left, right []string, from, to [2]int) []row {
	var rows []row
	rest := func(l, r int) { // the lines up to the next pair have nothing in common
		for from[0] < l || from[1] < r {
			one := row{changed: true}
			for side, end := range [2]int{l, r} {
				if from[side] < end {
					one.lines[side] = from[side]
					from[side]++
				}
			}
			rows = append(rows, one)
		}
	}
	lefts, rights := split(left[from[0]-1:to[0]-1]), split(right[from[1]-1:to[1]-1])
	first := from
	for _, pair := range align.Pairs(len(lefts), len(rights), func(l, r int) int { return likeness(lefts[l], rights[r]) }) {
		rest(first[0]+pair[0], first[1]+pair[1])
		rows = append(rows, row{lines: from, changed: true, marks: marks(lefts[pair[0]], rights[pair[1]])})
		from[0]++
		from[1]++
	}
	rest(to[0], to[1])
	return rows
}

var word = regexp.MustCompile(`\w+|\s+|.`)

// split returns the words of each line: names, blanks, and all else one by one.
func split(lines []string) [][]string {
	var words [][]string
	for _, line := range lines {
		words = append(words, word.FindAllString(line, -1))
	}
	return words
}

func blank(word string) bool { return strings.TrimSpace(word) == "" }

// common pairs the words that two lines have in common.
func common(left, right []string) [][2]int {
	return align.Pairs(len(left), len(right), func(l, r int) int {
		if left[l] != right[r] {
			return 0
		}
		if blank(left[l]) {
			return 1
		}
		return 2 * len(left[l])
	})
}

// likeness returns how many characters two lines have in common; 0 if that is less than
// two fifths of the longer one.
func likeness(left, right []string) int {
	length := func(words []string) (n int) {
		for _, w := range words {
			n += len(strings.TrimSpace(w))
		}
		return n
	}
	n := 0
	for _, pair := range common(left, right) {
		n += len(strings.TrimSpace(left[pair[0]]))
	}
	if 5*n < 2*max(length(left), length(right)) {
		return 0
	}
	return n
}

// marks returns the parts of two lines that are not in the other. A blank between two of
// them goes with them.
func marks(left, right []string) (spans [2][]span) {
	pairs := common(left, right)
	for side, words := range [2][]string{left, right} {
		marked := make([]bool, len(words))
		for i := range marked {
			marked[i] = true
		}
		for _, pair := range pairs {
			marked[pair[side]] = false
		}
		for i := 1; i+1 < len(words); i++ {
			marked[i] = marked[i] || blank(words[i]) && marked[i-1] && marked[i+1]
		}
		at := 0
		for i, w := range words {
			end := at + utf8.RuneCountInString(w)
			if n := len(spans[side]); marked[i] && i > 0 && marked[i-1] {
				spans[side][n-1][1] = end
			} else if marked[i] {
				spans[side] = append(spans[side], span{at, end})
			}
			at = end
		}
	}
	return spans
}

const (
	context  = 3 // rows that stay in sight on each side of a change
	shortest = 4 // rows that are worth a fold
)

// A stretch is rows one below the other: changes with their context, or those between.
type stretch struct {
	Fold  bool  `json:"fold"` // nothing in it changes
	Rows  []row `json:"rows"`
	title string
}

// stretches cuts rows into stretches. Their title is the function of the first change.
func stretches(rows []row, left, right []string) []stretch {
	shown := make([]bool, len(rows))
	for i := range rows {
		for near := max(0, i-context); near <= min(len(rows)-1, i+context); near++ {
			shown[i] = shown[i] || rows[near].changed
		}
	}
	var list []stretch
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && shown[to] == shown[from] {
			to++
		}
		part := stretch{Fold: !shown[from] && to-from >= shortest, Rows: rows[from:to]}
		from = to
		if n := len(list); n > 0 && !part.Fold && !list[n-1].Fold {
			list[n-1].Rows = slices.Concat(list[n-1].Rows, part.Rows)
			continue
		}
		list = append(list, part)
	}
	for i := range list {
		list[i].title = titleOf(list[i].Rows, left, right)
	}
	return list
}

// titleOf returns the function that the first change of rows is in.
func titleOf(rows []row, left, right []string) string {
	for _, r := range rows {
		if r.changed && r.lines[1] > 0 {
			return title(right, r.lines[1])
		}
		if r.changed {
			return title(left, r.lines[0])
		}
	}
	return ""
}

// title returns the function that line n is in, or is the comment of.
func title(lines []string, n int) string {
	i := n - 1
	for i < len(lines) && strings.HasPrefix(lines[i], "//") {
		i++
	}
	if i == len(lines) || !strings.HasPrefix(lines[i], "func ") {
		for i = n - 1; i >= 0 && !strings.HasPrefix(lines[i], "func "); i-- {
			if i < n-1 && (strings.HasPrefix(lines[i], "}") || strings.HasPrefix(lines[i], ")")) {
				return ""
			}
		}
	}
	if i < 0 {
		return ""
	}
	return strings.TrimSuffix(lines[i], " {")
}

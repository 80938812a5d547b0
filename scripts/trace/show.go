//go:build linux

package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const legend = `= EAGAIN      not now: nothing to read or to accept, or no room for what is written
waits in      where a thread is when all that the event causes is done
× 321         so often, until the next event; bytes are added up
~             by the Go runtime: its poller waits for the goroutines, its signals interrupt
1, 2, 3       threads: the one that accepts, A's, and B's. Without a number, there is one
              at a time, or they are goroutines, which the runtime's threads take up
in a request  what is called when A sends a GET. tradeoffs.sh -c calls counts the same under
              load, where one wait finds many clients, and what is tried is seldom in vain
left out      other calls of the Go runtime. strace, which makes calls slow, adds to them
Not shown: before A, another client has stored the 4 MB.
`

// Columns of the terminal: for the events, and for a flavor beside another.
const eventWidth, flavorWidth = 23, 37

// A table has the rows of a flavor.
type table struct {
	title  string
	events []string
	rows   map[string][]row // by event
}

// show prints tables, or two of them side by side.
func show(w io.Writer, files []string, sides bool) error {
	var tables []table
	for _, file := range files {
		t, err := readTable(file)
		if err != nil {
			return err
		}
		tables = append(tables, t)
	}
	if sides && len(tables) != 2 {
		return fmt.Errorf("-sides wants two tables, not %d", len(tables))
	}
	if sides {
		printSides(w, tables[0], tables[1])
	} else {
		for _, t := range tables {
			t.print(w)
		}
	}
	_, err := fmt.Fprint(w, legend)
	return err
}

func readTable(name string) (t table, err error) {
	file, err := os.Open(name)
	if err != nil {
		return t, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	t.rows = map[string][]row{}
	for _, f := range records {
		t.title = f[1] + ", " + f[0]
		t.add(row{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]})
	}
	return t, err
}

// add puts a row under its event, or what stands for that.
func (t *table) add(r row) {
	if footers[r.kind] != "" {
		r.event = footers[r.kind]
	}
	if t.rows[r.event] == nil {
		t.events = append(t.events, r.event)
	}
	t.rows[r.event] = append(t.rows[r.event], r)
}

// footers name the rows that belong to no event.
var footers = map[string]string{"request": "in a request", "left": "left out"}

// print prints a table.
func (t table) print(w io.Writer) {
	fmt.Fprintf(w, "%*s%s\n\n", eventWidth, "", t.title)
	for _, e := range t.events {
		name := wrap(e, eventWidth-1)
		lines := slices.Concat(cells(t.rows[e], 2*flavorWidth, numbered(t.rows[e]))...)
		for i := range max(len(name), len(lines)) {
			printLine(w, at(name, i), at(lines, i))
		}
		fmt.Fprintln(w)
	}
}

// printSides prints two tables. Where they differ in a call, |, < or > stands between them.
func printSides(w io.Writer, a, b table) {
	printLine(w, "", a.title, "", b.title)
	fmt.Fprintln(w)
	for _, e := range a.events {
		names := wrap(e, eventWidth-1)
		n := 0
		for _, pair := range align(a.rows[e], b.rows[e]) {
			for i := range max(len(pair.left), len(pair.right)) {
				printLine(w, at(names, n), at(pair.left, i), pair.mark, at(pair.right, i))
				n++
			}
		}
		for ; n < len(names); n++ {
			printLine(w, names[n])
		}
		fmt.Fprintln(w)
	}
}

// printLine prints columns, without spaces at the end.
func printLine(w io.Writer, columns ...string) {
	widths := []int{eventWidth, flavorWidth, 2, 0}
	text := ""
	for i, c := range columns {
		text += c + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c)))
	}
	fmt.Fprintln(w, strings.TrimRight(text, " "))
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// cells lays out rows, each in one line or more of a width.
func cells(rows []row, width int, numbered bool) (cells [][]string) {
	longest := map[string]int{} // by fold
	for _, r := range rows {
		longest[r.fold] = max(longest[r.fold], utf8.RuneCountInString(r.label(numbered)))
	}
	for i, r := range rows {
		label := r.label(numbered)
		if r.fold != "" {
			label += strings.Repeat(" ", longest[r.fold]-utf8.RuneCountInString(label))
			label += " " + bracket(rows, i) + " × " + r.times
		}
		cells = append(cells, wrap(label, width))
	}
	return cells
}

// numbered tells whether rows have numbers of threads.
func numbered(rows []row) bool {
	return slices.ContainsFunc(rows, func(r row) bool { return r.thread != "" })
}

// label is a row's text, with what marks it.
func (r row) label(numbered bool) string {
	text := r.text
	switch r.kind {
	case "runtime":
		text = "~ " + text
	case "client":
		text = "→ " + text
	}
	if numbered {
		text = fmt.Sprintf("%-2s", r.thread) + text
	}
	return text
}

// bracket is the part beside row i of the bracket around the rows of a fold.
func bracket(rows []row, i int) string {
	first := i == 0 || rows[i-1].fold != rows[i].fold
	last := i+1 == len(rows) || rows[i+1].fold != rows[i].fold
	switch {
	case first && last:
		return " "
	case first:
		return "┐"
	case last:
		return "┘"
	}
	return "│"
}

// wrap breaks text behind commas into lines of a width. All but the first are indented.
func wrap(text string, width int) (lines []string) {
	for utf8.RuneCountInString(text) > width {
		cut := 1 + max(strings.LastIndex(text[:width+1], ", "), strings.LastIndex(text[:width+1], "; "))
		if cut == 0 {
			break
		}
		lines = append(lines, text[:cut])
		text = "  " + text[cut:]
	}
	return append(lines, text)
}

// A pair is what is laid out in one line, or more, of two tables.
type pair struct {
	left, right []string
	mark        string // " " if they are the same
}

// align sets the rows of an event side by side: the calls, then what the clients get, then
// the waits.
func align(a, b []row) (pairs []pair) {
	for _, kinds := range []string{"call runtime none request left", "client", "wait"} {
		other := func(r row) bool { return !strings.Contains(kinds, r.kind) }
		left := slices.DeleteFunc(slices.Clone(a), other)
		right := slices.DeleteFunc(slices.Clone(b), other)
		pairs = append(pairs, merge(left, right, cells(left, flavorWidth-1, numbered(a)), cells(right, flavorWidth, numbered(b)))...)
	}
	return pairs
}

// merge pairs two lists of rows, so that as many as can be are beside the same one.
func merge(a, b []row, left, right [][]string) (pairs []pair) {
	i, j := 0, 0
	for _, m := range append(common(a, b), [2]int{len(a), len(b)}) {
		for i < m[0] || j < m[1] {
			var p pair
			if i < m[0] {
				p.left, p.mark = left[i], "<"
				i++
			}
			if j < m[1] {
				p.right, p.mark = right[j], map[string]string{"": ">", "<": "|"}[p.mark]
				j++
			}
			pairs = append(pairs, p)
		}
		if i < len(a) && j < len(b) {
			pairs = append(pairs, pair{left[i], right[j], " "})
			i, j = i+1, j+1
		}
	}
	return pairs
}

// common returns the longest common subsequence of two lists of rows, as indexes.
func common(a, b []row) (matches [][2]int) {
	length := make([][]int, len(a)+1) // of that of a[i:] and b[j:]
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			length[i][j] = max(length[i+1][j], length[i][j+1])
			if alike(a[i], b[j]) {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case alike(a[i], b[j]):
			matches = append(matches, [2]int{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return matches
}

var amount = regexp.MustCompile(`[1-9][0-9,]*`) // 0 bytes are the end

// alike tells whether two rows differ in nothing but amounts, or in what is left out.
func alike(a, b row) bool {
	return a.kind == b.kind && (a.kind == "left" || amount.ReplaceAllString(a.text, "n") == amount.ReplaceAllString(b.text, "n"))
}

//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"ioflavors/scripts/trace/recording"
)

const legend = `= EAGAIN   not now: nothing to read or to accept, or no room for what is written
waits in   where a thread is when all that the event causes is done
parked in  where a goroutine is, for which no thread waits
× 12       that many times; bytes are added up
× n        over and over: the number means nothing, since nothing waits
~          by the Go runtime: its poller, which waits for the goroutines, or a
           thread that is born or ends
+          by golang.org/x/sys, of its own accord
1, 2, 3    threads: the one that accepts, A's, and B's. Without a number, there
           is one, or they are goroutines, run by whichever thread is free
Not shown: what the Go runtime calls for itself, and how A stores the 16 MB that
it asks for later.
`

// width is that of a terminal, unless it is known to be wider.
const width = 79

// columns returns the width to use.
func columns() int {
	n, _ := strconv.Atoi(os.Getenv("COLUMNS"))
	if size, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ); n <= 0 && err == nil {
		n = int(size.Col)
	}
	return max(n, width)
}

// show prints traces one after the other; or two, side by side, in so many columns.
func show(w io.Writer, traces []recording.Trace, columns int, lines bool) error {
	var out strings.Builder
	if len(traces) == 2 {
		if err := table(&out, traces, (columns-5)/2, lines); err != nil {
			return err
		}
		traces = nil
	}
	for i := range traces {
		if err := table(&out, traces[i:i+1], width-2, lines); err != nil {
			return err
		}
	}
	out.WriteString(legend)
	_, err := io.WriteString(w, out.String())
	return err
}

// table prints one trace, or two side by side, each of a width. Where two differ, |, < or >
// stands between them.
func table(out io.Writer, traces []recording.Trace, width int, lines bool) error {
	events, err := recording.Align(traces[0], traces[len(traces)-1])
	if err != nil {
		return err
	}
	titles, sides := make([]string, 2), make([][][][]string, 2) // by side, event, and row
	column := 0
	for side, t := range traces {
		titles[side] = t.Flavor + ", " + t.Proto
		for _, e := range t.Events {
			sides[side] = append(sides[side], cells(e, width, lines))
		}
	}
	for _, text := range slices.Concat(slices.Concat(sides[0]...)...) {
		column = max(column, utf8.RuneCountInString(text))
	}
	printLine := func(left, mark, right string) {
		fmt.Fprintln(out, strings.TrimRight("  "+pad(left, column)+mark+right, " "))
	}
	printLine(titles[0], "   ", titles[1])
	for i, e := range traces[0].Events {
		fmt.Fprintf(out, "\n%s\n", e.Name)
		for _, p := range events[i] {
			left, right := at(at(sides[0], i), p.Left), at(at(sides[1], i), p.Right)
			mark := " | "
			switch {
			case p.Same:
				mark = "   "
			case p.Right < 0:
				mark = " < "
			case p.Left < 0:
				mark = " > "
			}
			for n := range max(len(left), len(right)) {
				printLine(at(left, n), mark, at(right, n))
			}
		}
	}
	fmt.Fprintln(out)
	return nil
}

// at returns one of a list, or nothing.
func at[T any](list []T, i int) (one T) {
	if 0 <= i && i < len(list) {
		return list[i]
	}
	return one
}

// pad fills text up with spaces.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// linesColumn is where the lines of source begin, if there is room behind the call.
const linesColumn = 38

// cells lays out the rows of an event, each in one line or more of a width.
func cells(e recording.Event, width int, lines bool) (cells [][]string) {
	numbered := slices.ContainsFunc(e.Rows, func(r recording.Row) bool { return r.Thread != "" })
	labels, longest := make([]string, len(e.Rows)), map[string]int{} // by fold
	for i, r := range e.Rows {
		labels[i] = map[string]string{"runtime": "~ ", "library": "+ ", "client": "→ "}[r.Kind] + r.Text
		if numbered {
			labels[i] = fmt.Sprintf("%-2s", r.Thread) + labels[i]
		}
		longest[r.Fold] = max(longest[r.Fold], utf8.RuneCountInString(labels[i]))
	}
	for i, r := range e.Rows {
		label := labels[i]
		if r.Fold != "" {
			label = pad(label, longest[r.Fold]) + " " + e.Bracket(i) + " × " + r.Times
		}
		source := short(r.Lines)
		switch {
		case !lines || source == "":
			cells = append(cells, wrap(label, width))
		case utf8.RuneCountInString(label) < linesColumn && linesColumn+len(source) <= width:
			cells = append(cells, []string{pad(label, linesColumn) + source})
		default:
			cells = append(cells, append(wrap(label, width), wrap("    "+source, width)...))
		}
	}
	return cells
}

// short names each file once, as in "main.go:141 122".
func short(lines []string) string {
	var words []string
	file := ""
	for _, line := range lines {
		name, number, _ := strings.Cut(line, ":")
		if name == file {
			line = number
		}
		file, words = name, append(words, line)
	}
	return strings.Join(words, " ")
}

// wrap breaks text at spaces into lines of a width. All but the first are indented.
func wrap(text string, width int) (lines []string) {
	for utf8.RuneCountInString(text) > width {
		cut := strings.LastIndexByte(text[:width+1], ' ')
		if cut <= 4 {
			break // there is none but those of the indent
		}
		lines = append(lines, text[:cut])
		text = "    " + text[cut+1:]
	}
	return append(lines, text)
}

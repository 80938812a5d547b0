//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ioflavors/scripts/trace/recording"
)

const legend = `= EAGAIN   not now: nothing to read or to accept, or no room for a reply
waits in   where a thread is when all that the event causes is done
parked in  where a goroutine is, for which no thread waits
│ × 12     that many times, in a loop; bytes are added up
│ × n      over and over: the number means nothing, since nothing waits
~          by the Go runtime: its poller, which waits for the goroutines, or a
           thread that is born (it keeps some in reserve) or ends
+          by golang.org/x/sys, of its own accord
1, 2, 3    threads: the one that accepts, A's, and B's. Without a number, there
           is one, or they are goroutines, run by whichever thread is free
Not shown: what the Go runtime calls for itself, and how A stores the 16 MB.
`

const width = 79 // unless COLUMNS says more

// show prints the traces of a file one after the other; or two, side by side.
func show(w io.Writer, file string, lines bool) {
	text, err := os.ReadFile(file)
	check(err)
	traces, err := recording.Read(bytes.NewReader(text))
	check(err)
	var out strings.Builder
	if len(traces) == 2 {
		columns, _ := strconv.Atoi(os.Getenv("COLUMNS"))
		table(&out, traces[0], traces[1], min(60, (max(columns, width)-5)/2), lines)
	} else {
		for _, t := range traces {
			table(&out, t, t, width-2, lines)
		}
	}
	_, err = io.WriteString(w, out.String()+legend)
	check(err)
}

// table prints one trace, or two side by side, each of a width. Where two differ, |, < or >
// stands between them.
func table(out io.Writer, left, right recording.Trace, width int, lines bool) {
	events, err := recording.Align(left, right)
	check(err)
	printLine := func(l, mark, r string) {
		if left.Flavor == right.Flavor {
			mark, r = "", ""
		}
		fmt.Fprintln(out, strings.TrimRight("  "+pad(l, width)+mark+r, " "))
	}
	printLine(left.Flavor+", "+left.Proto, "   ", right.Flavor+", "+right.Proto)
	for i, pairs := range events {
		fmt.Fprintf(out, "\n%s\n", left.Events[i].Name)
		lefts, rights := cells(left.Events[i], width, lines), cells(right.Events[i], width, lines)
		for _, p := range pairs {
			mark := " | "
			switch {
			case p.Same:
				mark = "   "
			case p.Right < 0:
				mark = " < "
			case p.Left < 0:
				mark = " > "
			}
			for n := range max(len(lefts[p.Left]), len(rights[p.Right])) {
				printLine(at(lefts[p.Left], n), mark, at(rights[p.Right], n))
			}
		}
	}
	fmt.Fprintln(out)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// pad fills text up with spaces.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// cells lays out the rows of an event, each in one line or more of a width.
func cells(e recording.Event, width int, lines bool) map[int][]string {
	numbered := slices.ContainsFunc(e.Rows, func(r recording.Row) bool { return r.Thread != "" })
	labels, longest := make([]string, len(e.Rows)), map[string]int{} // by fold
	for i, r := range e.Rows {
		labels[i] = map[string]string{"runtime": "~ ", "library": "+ ", "client": "→ "}[r.Kind] + r.Text
		if numbered {
			labels[i] = fmt.Sprintf("%-2s", r.Thread) + labels[i]
		}
		longest[r.Fold] = max(longest[r.Fold], utf8.RuneCountInString(labels[i]))
	}
	cells := map[int][]string{}
	for i, r := range e.Rows {
		label := labels[i]
		if r.Fold != "" {
			label = pad(label, longest[r.Fold]) + " │ × " + r.Times
		}
		if lines && len(r.Lines) > 0 {
			label = pad(label, width-15) + " " + r.Lines[0]
		}
		cells[i] = wrap(label, width)
	}
	return cells
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

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A cell is a character on the terminal.
type cell struct {
	char   rune
	marked bool
}

// cells returns a line's characters, with tabs as blanks.
func cells(line string, marks []span) (cells []cell) {
	at := 0
	for _, char := range line {
		marked := false
		for _, m := range marks {
			marked = marked || m[0] <= at && at < m[1]
		}
		at++
		if char != '\t' {
			cells = append(cells, cell{char, marked})
			continue
		}
		for n := 4 - len(cells)%4; n > 0; n-- {
			cells = append(cells, cell{' ', marked})
		}
	}
	return cells
}

// wrap cuts a line into pieces of the width. The later ones are indented further than
// the first.
func wrap(line []cell, width int) (pieces [][]cell) {
	indent := 4
	for indent < len(line)+4 && line[indent-4].char == ' ' {
		indent++
	}
	if indent >= width/2 {
		indent = 4
	}
	var before []cell
	for len(line) > width-len(before) {
		room := width - len(before)
		cut := room
		for cut > room/2 && line[cut-1].char != ' ' {
			cut--
		}
		if cut == room/2 {
			cut = room
		}
		pieces = append(pieces, slices.Concat(before, line[:cut]))
		line = line[cut:]
		before = cells(strings.Repeat(" ", indent), nil)
	}
	return append(pieces, slices.Concat(before, line))
}

// A terminal is where two files are shown side by side.
type terminal struct {
	io.Writer
	color bool
	width int
}

// paint returns text in a colour.
func (t terminal) paint(code, text string) string {
	if !t.color || text == "" || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// paintCells returns cells in a colour, the marked ones in reverse.
func (t terminal) paintCells(code string, line []cell) string {
	var b strings.Builder
	for from, to := 0, 0; from < len(line); from = to {
		var text strings.Builder
		for to = from; to < len(line) && line[to].marked == line[from].marked; to++ {
			text.WriteRune(line[to].char)
		}
		part := code
		if line[from].marked {
			part += ";7"
		}
		b.WriteString(t.paint(part, text.String()))
	}
	return b.String()
}

// sides shows what changes, and the lines around, side by side.
func (t terminal) sides(left, right []string, list []stretch) {
	column := (t.width - 13) / 2
	for _, s := range list {
		if s.Fold {
			continue
		}
		rule := "-----"
		if s.title != "" {
			rule += " " + s.title + " "
		}
		rule += strings.Repeat("-", t.width)
		fmt.Fprintln(t, t.paint("36", string([]rune(rule)[:2*column+13])))
		for _, r := range s.Rows {
			t.row(r, [2][]string{left, right}, column)
		}
	}
}

// row shows a row, on as many lines as its longer half takes.
func (t terminal) row(r row, files [2][]string, column int) {
	sign, colors := " ", [2]string{"", ""}
	if r.changed {
		sign, colors = "|", [2]string{"31", "32"}
		if r.lines[1] == 0 {
			sign = "<"
		}
		if r.lines[0] == 0 {
			sign = ">"
		}
	}
	var halves [2][][]cell
	for side, n := range r.lines {
		if n > 0 {
			halves[side] = wrap(cells(files[side][n-1], r.marks[side]), column)
		}
	}
	for i := range max(len(halves[0]), len(halves[1])) {
		var texts [2]string
		for side, pieces := range halves {
			number := ""
			if i == 0 && r.lines[side] > 0 {
				number = fmt.Sprint(r.lines[side])
			}
			var piece []cell
			if i < len(pieces) {
				piece = pieces[i]
			}
			texts[side] = t.paint("2", fmt.Sprintf("%4s", number)) + " " + t.paintCells(colors[side], piece)
			if side == 0 {
				texts[side] += strings.Repeat(" ", column-len(piece))
			}
		}
		line := texts[0] + " " + sign + " " + texts[1]
		if !t.color {
			line = strings.TrimRight(line, " ")
		}
		fmt.Fprintln(t, line)
	}
}

// unified shows the hunks of diff -u: as they are, or in lines of a width.
func (t terminal) unified(hunks string, width int) {
	colors := map[byte]string{'@': "36", '-': "31", '+': "32"}
	for line := range strings.Lines(hunks) {
		line = strings.TrimSuffix(line, "\n")
		color := colors[line[0]]
		if width == 0 {
			fmt.Fprintln(t, t.paint(color, line))
			continue
		}
		for _, piece := range wrap(cells(line[1:], nil), width-1) {
			fmt.Fprintln(t, t.paint(color, line[:1]+terminal{}.paintCells("", piece)))
		}
	}
}

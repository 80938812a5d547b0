package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

const width = 79 // columns of what is printed

// median returns the middle of v, or the mean of the two in the middle.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// thousands returns x as a whole number with commas between the thousands.
func thousands(x float64) string {
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// digits returns x with three digits, but more of a big number.
func digits(x float64) string {
	switch {
	case x < 0.9995:
		return fixed(3)(x)
	case x < 9.995:
		return fixed(2)(x)
	case x < 99.95:
		return fixed(1)(x)
	}
	return fixed(0)(x)
}

// short returns x with three digits, of a big number those of its thousands or millions.
func short(x float64) string {
	switch {
	case x >= 999500:
		return digits(x/1e6) + "M"
	case x >= 999.5:
		return digits(x/1e3) + "k"
	}
	return digits(x)
}

func fixed(decimals int) func(float64) string {
	return func(x float64) string { return strconv.FormatFloat(x, 'f', decimals, 64) }
}

func decimal(x float64) string { return fixed(-1)(x) }

// grid prints a table: a name, and behind it in a row the figures of each server, with gap
// between them.
func (r results) grid(b *strings.Builder, gap, title string, servers []string, columns []column) {
	w := tabwriter.NewWriter(b, 0, 0, 0, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-12s\t", title)
	for _, c := range columns {
		fmt.Fprintf(w, "%s%s\t", gap, c.heading)
	}
	for _, s := range servers {
		fmt.Fprintf(w, "\n%-12s\t", s)
		for _, c := range columns {
			fmt.Fprintf(w, "%s%s\t", gap, r.figure(c.subject, s, c.metric, c.layout))
		}
	}
	fmt.Fprintln(w)
	w.Flush()
}

// wrap prints a text behind a name, in lines of the width.
func wrap(b *strings.Builder, name, text string) {
	line := fmt.Sprintf("%-11s", name)
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line+" "+word) > width {
			fmt.Fprintln(b, line)
			line = strings.Repeat(" ", 11)
		}
		line += " " + word
	}
	fmt.Fprintln(b, line)
}

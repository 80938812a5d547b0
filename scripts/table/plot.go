package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A picture is what the gnuplot file of this name reads: a table with a header, and
// variables.
type picture struct {
	name  string
	table [][]string
	vars  map[string]any
}

// plot writes what the gnuplot files in scripts/plot read, and prints the names of those
// that can be drawn, each in a line.
func plot(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("plot", flag.ContinueOnError)
	bench := flags.String("bench", "", "`folder` with raw.csv of bench.sh")
	tradeoffs := flags.String("tradeoffs", "", "`folder` with tradeoffs.csv of tradeoffs.sh")
	folder := flags.String("o", ".", "`folder` for the files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var pictures []picture
	if *bench != "" {
		p, err := benchPictures(*bench)
		if err != nil {
			return err
		}
		pictures = append(pictures, p...)
	}
	if *tradeoffs != "" {
		p, err := tradeoffPictures(*tradeoffs)
		if err != nil {
			return err
		}
		pictures = append(pictures, p...)
	}
	for _, p := range pictures {
		if err := p.write(*folder); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, p.name); err != nil {
			return err
		}
	}
	return nil
}

func (p picture) write(folder string) error {
	var table, vars strings.Builder
	csv.NewWriter(&table).WriteAll(p.table)
	for _, name := range slices.Sorted(maps.Keys(p.vars)) {
		fmt.Fprintf(&vars, "%s = %s\n", name, gnuplotValue(p.vars[name]))
	}
	file := filepath.Join(folder, p.name)
	if err := os.WriteFile(file+".csv", []byte(table.String()), 0o666); err != nil {
		return err
	}
	return os.WriteFile(file+".vars", []byte(vars.String()), 0o666)
}

// gnuplotValue returns a number or a text as gnuplot reads it: in single quotes nothing
// is special but these.
func gnuplotValue(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case float64:
		return fmt.Sprintf("%.6g", v)
	}
	return fmt.Sprint(v)
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// servers are in reading order. The place of each, from 1, is its linetype in
// scripts/plot/style.gnuplot.
var servers = []string{"stblock", "mtblock", "goroutinesrv", "busywait", "epollsrv", "kqueuesrv", "redis-server"}

func linetype(server string) string { return strconv.Itoa(slices.Index(servers, server) + 1) }

// A row is a line of a CSV file, by column.
type row map[string]string

func readRows(file string) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(records) < 2 {
		return nil, fmt.Errorf("there is nothing in %s", file)
	}
	var rows []row
	for _, record := range records[1:] {
		r := row{}
		for i, column := range records[0] {
			r[column] = record[i]
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// A key is what each round measures: of bench.sh a workload, a server and a test; of
// tradeoffs.sh a claim, a server and a metric.
type key struct{ subject, server, metric string }

// medians returns the medians of a column. Where a round has no number, as in "never",
// there is none.
func medians(rows []row, column string, keyOf func(row) key) map[key]float64 {
	values := map[key][]float64{}
	never := map[key]bool{}
	for _, r := range rows {
		k := keyOf(r)
		x, err := strconv.ParseFloat(r[column], 64)
		values[k] = append(values[k], x)
		never[k] = never[k] || err != nil || math.IsInf(x, 0) || math.IsNaN(x)
	}
	result := map[key]float64{}
	for k, v := range values {
		if !never[k] {
			result[k] = median(v)
		}
	}
	return result
}

// distinct returns what is in the rows, each once, in the order of its first.
func distinct[T comparable](rows []row, of func(row) T) (there []T) {
	for _, r := range rows {
		if x := of(r); !slices.Contains(there, x) {
			there = append(there, x)
		}
	}
	return there
}

// inOrder returns the servers that are in the rows, in reading order.
func inOrder(rows []row) []string {
	there := distinct(rows, func(r row) string { return r["flavor"] })
	return slices.DeleteFunc(slices.Clone(servers), func(s string) bool { return !slices.Contains(there, s) })
}

// origin says where and when a folder was filled, as far as its machine.txt does.
func origin(folder string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "machine.txt"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	is := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, " ")
		is[name] = strings.TrimSpace(value)
	}
	if is["cores"] != "" {
		is["cores"] += " cores"
	}
	is["date"], _, _ = strings.Cut(is["date"], " ")
	known := []string{is["processor"], is["cores"], is["system"], is["date"]}
	known = slices.DeleteFunc(known, func(s string) bool { return s == "" })
	if len(known) == 0 {
		return "", nil
	}
	return strings.Join(known, ", ") + ". ", nil
}

// human returns 1234567 as 1.2M.
func human(x float64) string {
	switch {
	case x >= 9999500:
		return fmt.Sprintf("%.0fM", x/1e6)
	case x >= 999500:
		return fmt.Sprintf("%.1fM", x/1e6)
	case x >= 9995:
		return fmt.Sprintf("%.0fk", x/1e3)
	case x >= 999.5:
		return fmt.Sprintf("%.1fk", x/1e3)
	}
	return fmt.Sprintf("%.0f", x)
}

// short returns a number with one decimal, or two where it is below 1.
func short(x float64) string {
	if x < 0.995 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.1f", x)
}

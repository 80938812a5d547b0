package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A picture is what the gnuplot file of this name reads: a table with a header, and
// variables.
type picture struct {
	name  string
	table [][]string
	vars  map[string]any
}

// plot reads raw.csv in one folder and tradeoffs.csv in another, either of which may be "".
// It writes to a third what the gnuplot files in scripts/plot read, and prints the names of
// the pictures that can be drawn, each in a line.
func plot(args []string, out io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("plot wants three folders, not %q", args)
	}
	for i, file := range []string{"raw.csv", "tradeoffs.csv"} {
		if args[i] == "" {
			continue
		}
		r, err := readResults(filepath.Join(args[i], file))
		if err != nil {
			return err
		}
		caption := origin(args[i])
		for _, p := range append(r.benchPictures(caption), r.tradeoffPictures(caption)...) {
			if err := p.write(args[2]); err != nil {
				return err
			}
			fmt.Fprintln(out, p.name)
		}
	}
	return nil
}

// write writes a table and variables as gnuplot reads them: in its single quotes nothing is
// special but these.
func (p picture) write(folder string) error {
	var table, vars strings.Builder
	csv.NewWriter(&table).WriteAll(p.table)
	for _, name := range slices.Sorted(maps.Keys(p.vars)) {
		if text, ok := p.vars[name].(string); ok {
			fmt.Fprintf(&vars, "%s = '%s'\n", name, strings.ReplaceAll(text, "'", "''"))
		} else {
			fmt.Fprintf(&vars, "%s = %.6g\n", name, p.vars[name])
		}
	}
	file := filepath.Join(folder, p.name)
	if err := os.WriteFile(file+".csv", []byte(table.String()), 0o666); err != nil {
		return err
	}
	return os.WriteFile(file+".vars", []byte(vars.String()), 0o666)
}

func linetype(server string) string { return fmt.Sprint(slices.Index(servers, server) + 1) }

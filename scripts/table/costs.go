package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func init() { commands["costs"] = costs }

// costs prints what each flavor buys and costs, of the figures in a folder: the median of
// each, as text, in CSV.
func costs(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("costs wants a folder, not %q", args)
	}
	bench, err := readRows(filepath.Join(args[0], "raw.csv"))
	if err != nil {
		return err
	}
	tradeoffs, err := readRows(filepath.Join(args[0], "tradeoffs.csv"))
	if err != nil {
		return err
	}
	w := csv.NewWriter(out)
	w.Write([]string{"figure", "flavor", "value"})
	for _, records := range [][][]string{loadCosts(bench, true), loadCosts(bench, false), memoryCosts(tradeoffs)} {
		if len(records) == 0 {
			return fmt.Errorf("%s lacks SET over RESP, or the memory of idle clients", args[0])
		}
		w.WriteAll(records)
	}
	return w.Error()
}

// loadCosts are those of SET over RESP without a pipeline, with one client or with the
// most that were measured.
func loadCosts(rows []row, alone bool) (records [][]string) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
		return r["proto"] != "resp" || r["pipeline"] != "1" || r["test"] != "SET"
	})
	most := 1
	for _, r := range rows {
		if n, _ := strconv.Atoi(r["clients"]); n > most && !alone {
			most = n
		}
	}
	clients := strconv.Itoa(most)
	keyOf := func(r row) key { return key{r["clients"], r["flavor"], ""} }
	for _, figure := range []struct {
		name, column string
		text         func(float64) string
	}{
		{"SETs a second", "rps", thousands},
		{"p99", "p99_ms", func(x float64) string { return fmt.Sprintf("%.2f\u00a0ms", x) }},
		{"processor time a SET", "cpu_us_per_req", func(x float64) string { return fmt.Sprintf("%.2f\u00a0µs", x) }},
	} {
		values := medians(rows, figure.column, keyOf)
		for _, server := range inOrder(rows) {
			text := "the others wait"
			if x, ok := values[key{clients, server, ""}]; ok {
				text = figure.text(x)
			}
			records = append(records, []string{workload{clients, "1"}.String() + ": " + figure.name, server, text})
		}
	}
	return records
}

// memoryCosts are those of an idle client, of the most that were measured.
func memoryCosts(rows []row) (records [][]string) {
	most := 0
	for _, r := range rows {
		if n, ok := strings.CutPrefix(r["metric"], "each "); ok && r["claim"] == "memory" {
			n, _ := strconv.Atoi(n)
			most = max(most, n)
		}
	}
	values := medians(rows, "value", func(r row) key { return key{r["claim"], r["flavor"], r["metric"]} })
	for _, server := range inOrder(rows) {
		each, ok := values[key{"memory", server, fmt.Sprint("each ", most)}]
		if !ok {
			continue
		}
		text := fmt.Sprintf("%.1f\u00a0KiB", each)
		if values[key{"memory", server, fmt.Sprint("served ", most)}] <= 1 {
			text = "the others wait"
		}
		records = append(records, []string{fmt.Sprintf("%s idle clients: memory each", thousands(float64(most))), server, text})
	}
	return records
}

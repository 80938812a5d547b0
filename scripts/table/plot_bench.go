package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// A workload is what a server has been measured with.
type workload struct{ clients, pipeline string }

func workloadOf(r row) workload { return workload{r["clients"], r["pipeline"]} }

func (w workload) String() string {
	text := w.clients + " clients"
	if w.clients == "1" {
		text = "1 client"
	}
	if w.pipeline != "1" {
		text += ", pipeline of " + w.pipeline
	}
	return text
}

// A benchmark is what bench.sh has measured in one protocol.
type benchmark struct {
	rows           []row
	workloads      []workload
	servers, tests []string
}

// benchPictures returns the pictures of raw.csv: of RESP, or where there is none, of kv.
func benchPictures(folder string) ([]picture, error) {
	file := filepath.Join(folder, "raw.csv")
	rows, err := readRows(file)
	if err != nil {
		return nil, err
	}
	caption, err := origin(folder)
	if err != nil {
		return nil, err
	}
	proto := "kv"
	if slices.ContainsFunc(rows, func(r row) bool { return r["proto"] == "resp" }) {
		proto = "resp"
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return r["proto"] != proto })
	b := benchmark{
		rows:      rows,
		workloads: distinct(rows, workloadOf),
		servers:   inOrder(rows),
		tests:     distinct(rows, func(r row) string { return r["test"] }),
	}
	if len(b.servers) == 0 {
		return nil, fmt.Errorf("there is nothing in %s", file)
	}
	b.workloads = b.workloads[:min(3, len(b.workloads))] // a picture has room for three
	caption += "scripts/bench.sh, " + proto + ", "
	mean := caption + "mean of " + strings.Join(b.tests, " and ")
	return []picture{
		b.bars("throughput", "rps", human, mean),
		b.latency(b.tests[len(b.tests)-1], caption),
		b.bars("cpu", "cpu_us_per_req", short, mean),
	}, nil
}

func (b benchmark) medians(column string) map[key]float64 {
	return medians(b.rows, column, func(r row) key { return key{workloadOf(r).String(), r["flavor"], r["test"]} })
}

// bars has a panel for each workload, and in it a row for each server: the mean of the
// tests, and its share of the most in the panel.
func (b benchmark) bars(name, column string, text func(float64) string, caption string) picture {
	table := [][]string{{"panel", "clients", "pipeline", "server", "linetype", "row", column, "share", "label"}}
	values := b.medians(column)
	for i, w := range b.workloads {
		means := map[string]float64{}
		most := 0.0
		for _, s := range b.servers {
			if x, ok := b.mean(values, w, s); ok {
				means[s], most = x, max(most, x)
			}
		}
		for j, s := range b.servers {
			figures := []string{"", "0", "one client only"}
			if x, ok := means[s]; ok {
				figures = []string{decimal(x), fmt.Sprintf("%.4f", x/max(most, 1e-9)), text(x)}
			}
			line := []string{fmt.Sprint(i + 1), w.clients, w.pipeline, s, linetype(s), fmt.Sprint(j + 1)}
			table = append(table, append(line, figures...))
		}
	}
	return picture{name, table, map[string]any{
		"caption": caption, "panels": len(b.workloads), "rows": len(b.servers),
	}}
}

// mean returns the mean of a server's tests.
func (b benchmark) mean(values map[key]float64, w workload, server string) (mean float64, ok bool) {
	var sum, n float64
	for _, test := range b.tests {
		if x, ok := values[key{w.String(), server, test}]; ok {
			sum += x
			n++
		}
	}
	return sum / max(n, 1), n > 0
}

// latency has the percentiles of a test, with more than one client if there are such.
func (b benchmark) latency(test, caption string) picture {
	w := b.workloads[len(b.workloads)-1]
	for _, other := range b.workloads {
		if other.clients != "1" && other.pipeline == "1" {
			w = other
		}
	}
	columns := []string{"p50_ms", "p95_ms", "p99_ms", "max_ms"}
	table := [][]string{append([]string{"server", "linetype", "row", "missing"}, columns...)}
	low, high := math.Inf(1), 0.0
	for i, s := range b.servers {
		line := []string{s, linetype(s), fmt.Sprint(i + 1), ""}
		for _, c := range columns {
			x, ok := b.medians(c)[key{w.String(), s, test}]
			if !ok {
				line[3] = "one client at a time: the others wait for ever"
				line = append(line, "")
				continue
			}
			x = max(x, 0.001) // 0 is nowhere on a logarithmic scale
			low, high = min(low, x/1.5), max(high, x*1.3)
			line = append(line, decimal(x))
		}
		table = append(table, line)
	}
	return picture{"latency", table, map[string]any{
		"caption": caption + test, "workload": w.String(), "rows": len(b.servers), "low": low, "high": high,
	}}
}

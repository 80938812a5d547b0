package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A benchmark is what bench.sh has measured in one protocol.
type benchmark struct {
	results
	loads []load // without their tests; a picture has room for three
	tests []string
}

// benchPictures returns the pictures of raw.csv: of RESP, or without it of kv.
func (r results) benchPictures(caption string) []picture {
	b := benchmark{results: r}
	proto := "kv"
	if r.rows[0]["claim"] != "" {
		return nil
	}
	if protos := distinct(r.rows, func(line row) string { return line["proto"] }); slices.Contains(protos, "resp") {
		proto = "resp"
	}
	b.rows = slices.DeleteFunc(slices.Clone(r.rows), func(line row) bool { return line["proto"] != proto })
	b.servers = inOrder(b.rows)
	b.loads = distinct(b.rows, func(line row) load { return load{proto, line["clients"], line["pipeline"], ""} })
	b.loads = b.loads[:min(3, len(b.loads))]
	b.tests = distinct(b.rows, func(line row) string { return line["test"] })
	caption += "scripts/bench.sh, " + proto + ", "
	mean := caption + "mean of " + strings.Join(b.tests, " and ")
	return []picture{b.bars("throughput", "rps", mean), b.latency(caption), b.bars("cpu", "cpu_us_per_req", mean)}
}

// bars has a panel for each workload, and in it a row for each server: the mean of the
// tests, and its share of the most in the panel.
func (b benchmark) bars(name, column, caption string) picture {
	table := [][]string{{"panel", "clients", "pipeline", "server", "linetype", "row", column, "share", "label"}}
	for i, l := range b.loads {
		means := map[string]float64{}
		most := 1e-9
		for _, s := range b.servers {
			if x, ok := b.mean(l, s, column); ok {
				means[s], most = x, max(most, x)
			}
		}
		for j, s := range b.servers {
			figures := []string{"", "0", "one client only"}
			if x, ok := means[s]; ok {
				figures = []string{decimal(x), fixed(4)(x / most), short(x)}
			}
			line := []string{fmt.Sprint(i + 1), l.clients, l.pipeline, s, linetype(s), fmt.Sprint(j + 1)}
			table = append(table, append(line, figures...))
		}
	}
	return picture{name, table, map[string]any{"caption": caption, "panels": float64(len(b.loads)), "rows": float64(len(b.servers))}}
}

// mean returns the mean of a server's tests.
func (b benchmark) mean(l load, server, column string) (mean float64, ok bool) {
	var sum, n float64
	for _, l.test = range b.tests {
		if x, ok := b.number(l.key(), server, column); ok {
			sum += x
			n++
		}
	}
	return sum / max(n, 1), n > 0
}

// latency has the percentiles of the last test, with more than one client if there are such.
func (b benchmark) latency(caption string) picture {
	l := b.loads[len(b.loads)-1]
	for _, other := range b.loads {
		if other.clients != "1" && other.pipeline == "1" {
			l = other
		}
	}
	l.test = b.tests[len(b.tests)-1]
	columns := []string{"p50_ms", "p95_ms", "p99_ms", "max_ms"}
	table := [][]string{append([]string{"server", "linetype", "row", "missing"}, columns...)}
	low, high := math.Inf(1), 0.0
	for i, s := range b.servers {
		line := []string{s, linetype(s), fmt.Sprint(i + 1), ""}
		for _, c := range columns {
			x, ok := b.number(l.key(), s, c)
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
		"caption": caption + l.test, "workload": l.workload(), "rows": float64(len(b.servers)), "low": low, "high": high,
	}}
}

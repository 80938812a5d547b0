package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
)

// The command costs FOLDER prints, of the results in a folder, what separates each flavor
// from each other one, as CSV with a header:
//
//	left,right,figure,left value,right value
//	stblock,mtblock,p99 of ten clients beside a silent one,never,0.09 ms
//
// There are rows for each pair of flavors, left before right in reading order, which is
// that of the variable servers. First come the figures that the step from left to right is
// about (stepFigures), or all of them if the pair is no step; then the speed. A value is
// text, with its unit and without a line break: "170,077", "102 %", "never" if clients got
// no reply, "the others wait" if the server serves one client only, "1.02 with 1 client",
// and "not measured" for a flavor that the results lack.

func init() { commands["costs"] = costs }

// stepFigures are what the steps of the reading order are about, by name in claimFigures.
var stepFigures = map[[2]string][]string{
	{"stblock", "mtblock"}:      {"silent", "switches", "threads", "memory"},
	{"mtblock", "goroutinesrv"}: {"memory", "threads", "switches"},
	{"stblock", "busywait"}:     {"processor", "calls"},
	{"busywait", "epollsrv"}:    {"processor", "hold", "calls"},
	{"epollsrv", "kqueuesrv"}:   {},
}

// A stepFigure is one figure of any flavor.
type stepFigure struct {
	name, title string
	value       func(server string) string
}

func costs(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("costs wants a folder, not %q", args)
	}
	m, err := readMeasured(filepath.Join(args[0], "raw.csv"))
	if err != nil {
		return err
	}
	t := figures{values: map[key][]string{}}
	if t.rows, err = readRows(filepath.Join(args[0], "tradeoffs.csv")); err != nil {
		return err
	}
	t.index()
	w := csv.NewWriter(out)
	w.Write([]string{"left", "right", "figure", "left value", "right value"})
	flavors := servers[:len(servers)-1] // without redis-server
	for i, left := range flavors {
		for _, right := range flavors[i+1:] {
			wanted, isStep := stepFigures[[2]string{left, right}]
			for _, f := range t.claimFigures() {
				if !isStep || slices.Contains(wanted, f.name) {
					w.Write([]string{left, right, f.title, f.of(left, t.rows), f.of(right, t.rows)})
				}
			}
			for _, f := range m.speedFigures() {
				w.Write([]string{left, right, f.title, f.of(left, m.rows), f.of(right, m.rows)})
			}
		}
	}
	w.Flush()
	return w.Error()
}

func (f stepFigure) of(server string, rows []row) string {
	if !slices.Contains(inOrder(rows), server) {
		return "not measured"
	}
	if value := f.value(server); value != "" {
		return value
	}
	return "not measured"
}

// claimFigures are those of tradeoffs.csv.
func (t figures) claimFigures() []stepFigure {
	many := 0
	for _, r := range t.rows {
		var n int
		if _, err := fmt.Sscanf(r["metric"], "served %d", &n); err == nil {
			many = max(many, n)
		}
	}
	busy := 0
	for _, s := range t.servers {
		n, _ := strconv.Atoi(t.get("calls", s, "clients"))
		busy = max(busy, n)
	}
	plain := func(claim, metric, unit string, layout func(float64) string) func(string) string {
		return func(server string) string {
			return as(func(x float64) string { return layout(x) + unit }, t.get(claim, server, metric))
		}
	}
	served := func(value func(string) string) func(string) string {
		return func(server string) string {
			if t.get("memory", server, fmt.Sprint("served ", many)) == "1" && many > 1 {
				return "the others wait"
			}
			return value(server)
		}
	}
	alone := func(value func(string) string) func(string) string {
		return func(server string) string {
			if busy > 1 && t.get("calls", server, "clients") == "1" {
				return value(server) + " with 1 client"
			}
			return value(server)
		}
	}
	manyText := thousands(float64(many))
	return []stepFigure{
		{"silent", "p99 of ten clients beside a silent one", plain("silent", "p99", "\u00a0ms", few3)},
		{"processor", "processor time without clients", plain("idle", "CPU alone", "\u00a0%", fixed(0))},
		{"hold", fmt.Sprintf("requests a second of %d busy clients among %s", busy, manyText), plain("hold", "rps", "", thousands)},
		{"memory", "memory of an idle client, one of " + manyText, served(plain("memory", fmt.Sprint("each ", many), "\u00a0KiB", fixed(1)))},
		{"threads", "threads with " + manyText + " clients", served(plain("memory", fmt.Sprint("threads ", many), "", thousands))},
		{"switches", "context switches for a SET", alone(plain("calls", "switches", "", fixed(2)))},
		{"calls", "system calls for a SET", alone(plain("calls", "total", "", fixed(2)))},
	}
}

// speedFigures are those of raw.csv, for SET over RESP without a pipeline: with one client,
// and with the most clients that were measured.
func (m measured) speedFigures() (list []stepFigure) {
	most := 1
	for _, r := range m.rows {
		if n, _ := strconv.Atoi(r["clients"]); r["proto"] == "resp" && r["pipeline"] == "1" {
			most = max(most, n)
		}
	}
	for _, f := range []struct {
		title, column string
		clients       int
		layout        func(float64) string
	}{
		{"SETs a second", "rps", 1, thousands},
		{"processor time of a SET", "cpu_us_per_req", 1, micros},
		{"SETs a second", "rps", most, thousands},
		{"p99 of a SET", "p99_ms", most, func(x float64) string { return fixed(2)(x) + "\u00a0ms" }},
		{"processor time of a SET", "cpu_us_per_req", most, micros},
	} {
		w := workload{strconv.Itoa(f.clients), "1"}
		list = append(list, stepFigure{f.column, f.title + ", " + w.String(), func(server string) string {
			if x, ok := m.of(f.column, test{"resp", w, "SET"}, server); ok {
				return f.layout(x)
			}
			if f.clients == 1 {
				return "not measured"
			}
			return "the others wait"
		}})
	}
	return list
}

func micros(x float64) string { return fixed(2)(x) + "\u00a0µs" }

package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// servers are in reading order. The place of each, from 1, is its linetype in
// scripts/plot/style.gnuplot.
var servers = []string{"stblock", "mtblock", "goroutinesrv", "busywait", "epollsrv", "kqueuesrv", "redis-server"}

// A row is a line of a CSV file, by column.
type row map[string]string

// A key is what each round measures: of bench.sh a load, a server and a column; of
// tradeoffs.sh a claim, a server and a metric.
type key struct{ subject, server, metric string }

// Results are the rows of raw.csv or tradeoffs.csv, and their values, one for each round.
type results struct {
	rows    []row
	values  map[key][]string
	servers []string // those that were measured, in reading order
	rounds  int
}

func readResults(file string) (results, error) {
	r := results{values: map[key][]string{}}
	f, err := os.Open(file)
	if err != nil {
		return r, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return r, fmt.Errorf("%s: %w", file, err)
	}
	for _, record := range records[min(1, len(records)):] {
		line := row{}
		for i, column := range records[0] {
			line[column] = record[i]
		}
		r.rows = append(r.rows, line)
		if line["claim"] != "" {
			k := key{line["claim"], line["flavor"], line["metric"]}
			r.values[k] = append(r.values[k], line["value"])
			continue
		}
		for _, c := range columnsOf(loadOf(line).key()) {
			k := key{c.subject, line["flavor"], c.metric}
			r.values[k] = append(r.values[k], line[c.metric])
		}
	}
	r.servers = inOrder(r.rows)
	r.rounds = len(distinct(r.rows, func(line row) string { return line["round"] }))
	if len(r.servers) == 0 {
		return r, fmt.Errorf("there is nothing in %s", file)
	}
	return r, nil
}

// get returns the median of the rounds; or a word, if there is one in a round, as "never"; or
// the word "-", if there is no round.
func (r results) get(subject, server, metric string) (x float64, word string) {
	var v []float64
	for _, text := range r.values[key{subject, server, metric}] {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
			return 0, text
		}
		v = append(v, x)
	}
	if v == nil {
		return 0, "-"
	}
	return median(v), ""
}

// number returns a median, if there is one.
func (r results) number(subject, server, metric string) (x float64, ok bool) {
	x, word := r.get(subject, server, metric)
	return x, word == ""
}

// text returns a median as layout has it, or a word.
func (r results) text(subject, server, metric string, layout func(float64) string) string {
	x, word := r.get(subject, server, metric)
	if word == "" {
		return layout(x)
	}
	return word
}

// readFolder reads what bench.sh and tradeoffs.sh have measured.
func readFolder(folder string) (bench, tradeoffs results, err error) {
	if bench, err = readResults(filepath.Join(folder, "raw.csv")); err == nil {
		tradeoffs, err = readResults(filepath.Join(folder, "tradeoffs.csv"))
	}
	return bench, tradeoffs, err
}

// has tells whether a claim was measured.
func (r results) has(claim string) bool {
	return slices.ContainsFunc(r.rows, func(line row) bool { return line["claim"] == claim })
}

// most returns the greatest median of a metric of all servers.
func (r results) most(subject, metric string) (most float64) {
	for _, s := range r.servers {
		x, _ := r.number(subject, s, metric)
		most = max(most, x)
	}
	return most
}

// distinct returns what is in the rows, each once, in the order of its first.
func distinct[T comparable](rows []row, of func(row) T) (there []T) {
	for _, line := range rows {
		if x := of(line); !slices.Contains(there, x) {
			there = append(there, x)
		}
	}
	return there
}

// inOrder returns the servers that are in the rows, in reading order.
func inOrder(rows []row) []string {
	there := distinct(rows, func(line row) string { return line["flavor"] })
	return slices.DeleteFunc(slices.Clone(servers), func(s string) bool { return !slices.Contains(there, s) })
}

// A load is what bench.sh measures a server with.
type load struct{ proto, clients, pipeline, test string }

func loadOf(line row) load {
	return load{line["proto"], line["clients"], line["pipeline"], line["test"]}
}

func (l load) key() string { return fmt.Sprint(l) }

// workload names the clients and the pipeline.
func (l load) workload() string {
	text := l.clients + " clients"
	if l.clients == "1" {
		text = "1 client"
	}
	if l.pipeline != "1" {
		text += ", pipeline of " + l.pipeline
	}
	return text
}

// origin says where and when a folder was filled, as far as its machine.txt does.
func origin(folder string) (known string) {
	text, _ := os.ReadFile(filepath.Join(folder, "machine.txt"))
	for _, line := range [][2]string{{"processor +(.+)", ", "}, {"cores +(.+)", " cores, "}, {"system +(.+)", ", "}, {`date +(\S+)`, ". "}} {
		if is := find("(?m)^"+line[0], string(text)); is != "" {
			known += is + line[1]
		}
	}
	return known
}

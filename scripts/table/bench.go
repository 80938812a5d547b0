package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func init() {
	commands["bench"] = benchCommand
	commands["summary"] = summaryCommand
	commands["benchmark"] = benchmarkCommand
}

// A load is a kind of measurement of bench.sh.
type load struct {
	proto             string
	clients, pipeline int
	test              string
}

// name returns the load in words, but for the test.
func (l load) name() string {
	s := fmt.Sprintf("%s, %d clients", l.proto, l.clients)
	if l.clients == 1 {
		s = l.proto + ", 1 client"
	}
	if l.pipeline > 1 {
		s += fmt.Sprintf(", %d requests in a pipeline", l.pipeline)
	}
	return s
}

// A run is a row of raw.csv.
type run_ struct {
	load
	server   string
	requests int
	figures  [10]float64
}

// The figures of a run.
const (
	rps = iota
	avg
	min_
	p50
	p95
	p99
	max_
	cpu
	rss
	threads
)

// readCSV returns the rows of a file below its heading.
func readCSV(file string) ([][]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("%s: no CSV: %w", file, err)
	}
	return rows[1:], nil
}

package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The command costs FOLDER prints, of the results in a folder, what separates each flavor
// from each other one, as CSV with a header:
//
//	left,right,figure,left value,right value
//	stblock,mtblock,p99 of ten clients beside a silent one,never,0.093 ms
//
// There are rows for each pair of flavors, left before right in reading order, which is
// that of the variable servers. First come the figures that the step from left to right is
// about, or all of them if the pair is no step; then the speed. A value is text, with its
// unit and without a line break: "170,077", "102 %", "never" if clients got no reply, "the
// others wait" if the server serves one client only, "1.02 with 1 client" where others had
// more, and "not measured" for a flavor that the results lack.
func costs(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("costs wants a folder, not %q", args)
	}
	bench, tradeoffs, err := readFolder(args[0])
	if err != nil {
		return err
	}
	w := csv.NewWriter(out)
	w.Write([]string{"left", "right", "figure", "left value", "right value"})
	flavors := servers[:len(servers)-1] // without redis-server
	for i, left := range flavors {
		for _, right := range flavors[i+1:] {
			for _, c := range costFigures(bench, tradeoffs) {
				step := left + "-" + right
				if c.steps == "" || strings.Contains(c.steps, step) || !strings.Contains(readingOrder, step) {
					w.Write([]string{left, right, c.title, c.of(left), c.of(right)})
				}
			}
		}
	}
	w.Flush()
	return w.Error()
}

const readingOrder = "stblock-mtblock mtblock-goroutinesrv stblock-busywait busywait-epollsrv epollsrv-kqueuesrv"

// A cost is a figure of each flavor, and the steps that are about it; of the speed all are.
type cost struct {
	results
	steps, title, subject, metric, unit string
	layout                              func(float64) string
}

func costFigures(bench, tradeoffs results) []cost {
	clients, idle := 1, 1.
	for _, line := range bench.rows {
		if n, _ := strconv.Atoi(line["clients"]); line["proto"] == "resp" && line["pipeline"] == "1" {
			clients = max(clients, n)
		}
	}
	for _, p := range tradeoffs.points("memory", "", "served ") {
		idle = max(idle, p.x)
	}
	busy, n, many := tradeoffs.most("calls", "clients"), decimal(idle), thousands(idle)
	one, most := load{"resp", "1", "1", "SET"}, load{"resp", strconv.Itoa(clients), "1", "SET"}
	const threads, polling = "stblock-mtblock mtblock-goroutinesrv", "stblock-busywait busywait-epollsrv"
	return []cost{
		{tradeoffs, "stblock-mtblock", "p99 of ten clients beside a silent one", "silent", "p99", "\u00a0ms", digits},
		{tradeoffs, polling, "processor time without clients", "idle", "CPU alone", "\u00a0%", fixed(0)},
		{tradeoffs, "busywait-epollsrv", fmt.Sprintf("requests a second of %.0f busy clients among %s", busy, many), "hold", "rps", "", thousands},
		{tradeoffs, threads, "memory of an idle client, one of " + many, "memory", "each " + n, "\u00a0KiB", fixed(1)},
		{tradeoffs, threads, "threads with " + many + " clients", "memory", "threads " + n, "", thousands},
		{tradeoffs, threads, "context switches for a SET", "calls", "switches", "", fixed(2)},
		{tradeoffs, polling, "system calls for a SET", "calls", "total", "", fixed(2)},
		{bench, "", "SETs a second, " + one.workload(), one.key(), "rps", "", thousands},
		{bench, "", "processor time of a SET, " + one.workload(), one.key(), "cpu_us_per_req", "\u00a0µs", digits},
		{bench, "", "SETs a second, " + most.workload(), most.key(), "rps", "", thousands},
		{bench, "", "p99 of a SET, " + most.workload(), most.key(), "p99_ms", "\u00a0ms", digits},
		{bench, "", "processor time of a SET, " + most.workload(), most.key(), "cpu_us_per_req", "\u00a0µs", digits},
	}
}

// of returns the figure of a server, as text.
func (c cost) of(server string) string {
	x, word := c.get(c.subject, server, c.metric)
	_, idle, _ := strings.Cut(c.metric, " ")
	served, ok := c.number(c.subject, server, "served "+idle)
	clients, _ := c.number(c.subject, server, "clients")
	switch {
	case ok && served < 2, word == "-" && c.steps == "" && slices.Contains(c.servers, server):
		return "the others wait"
	case word == "-":
		return "not measured"
	case word != "":
		return word
	case clients < c.most(c.subject, "clients"):
		return c.layout(x) + c.unit + " with " + load{clients: thousands(clients), pipeline: "1"}.workload()
	}
	return c.layout(x) + c.unit
}

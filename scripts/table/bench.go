package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A column has a figure of each server.
type column struct {
	heading, subject, metric string
	layout                   func(float64) string
}

// columnsOf returns the figures that raw.csv has of a load.
func columnsOf(load string) []column {
	return []column{
		{"req/s", load, "rps", thousands},
		{"avg", load, "avg_ms", digits},
		{"min", load, "min_ms", digits},
		{"p50", load, "p50_ms", digits},
		{"p95", load, "p95_ms", digits},
		{"p99", load, "p99_ms", digits},
		{"max", load, "max_ms", digits},
		{"CPU", load, "cpu_us_per_req", digits},
		{"RSS", load, "rss_mb", digits},
		{"threads", load, "threads", fixed(0)},
	}
}

// bench prints, of a folder with raw.csv and machine.txt, a table for each load, what the
// figures are, and a summary.
func bench(args []string, out io.Writer) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	names := f.String("servers", "", "the servers, in order")
	values := f.String("values", "", "what is stored")
	client := f.String("client", "", "what has sent the requests")
	skipped := f.String("skipped", "", "which flavor is missing, and why")
	if err := f.Parse(args); err != nil {
		return err
	}
	r, err := readResults(filepath.Join(f.Arg(0), "raw.csv"))
	if err != nil {
		return err
	}
	var b strings.Builder
	title := ""
	for _, l := range distinct(r.rows, loadOf) {
		i := slices.IndexFunc(r.rows, func(line row) bool { return loadOf(line) == l })
		n, _ := strconv.ParseFloat(r.rows[i]["n"], 64)
		workload := strings.Replace(l.workload(), "pipeline of "+l.pipeline, l.pipeline+" requests in a pipeline", 1)
		if is := fmt.Sprintf("%s, %s (%s requests)\n\n", l.proto, workload, thousands(n)); is != title {
			title = is
			b.WriteString(title)
		}
		r.table(&b, l, strings.Fields(*names))
	}
	wrap(&b, "figures", r.fromRounds()+"; "+*values)
	wrap(&b, "avg to max", "latency in milliseconds, as the client sees it")
	wrap(&b, "CPU", "the server's processor time for a request, in microseconds")
	wrap(&b, "RSS", "the most memory that the server had resident, in MB")
	wrap(&b, "threads", "the most threads that were seen in the server")
	wrap(&b, "client", *client+"; it shares the processors with the server")
	if err := where(&b, f.Arg(0), *skipped); err != nil {
		return err
	}
	r.summary(&b)
	_, err = io.WriteString(out, b.String())
	return err
}

// fromRounds says how the figures come from rounds.
func (r results) fromRounds() string {
	if r.rounds > 1 {
		return fmt.Sprintf("medians of %d rounds", r.rounds)
	}
	return "from one measurement"
}

// where says which flavor is missing, and adds machine.txt.
func where(b *strings.Builder, folder, skipped string) error {
	if skipped != "" {
		wrap(b, "skipped", skipped)
	}
	machine, err := os.ReadFile(filepath.Join(folder, "machine.txt"))
	b.Write(machine)
	return err
}

// table prints the medians of a load.
func (r results) table(b *strings.Builder, l load, names []string) {
	if l.proto == "kv" {
		names = slices.DeleteFunc(names, func(s string) bool { return s == "redis-server" })
	}
	r.grid(b, " ", l.test, names, columnsOf(l.key()))
	for _, server := range names {
		if _, ok := r.number(l.key(), server, "rps"); !ok {
			b.WriteString(server + " serves one client at a time: the others would wait for ever\n")
		}
	}
	b.WriteString("\n")
}

// summary prints, for each protocol, a row for each server, and marks the best.
func (r results) summary(b *strings.Builder) {
	for _, proto := range distinct(r.rows, func(line row) string { return line["proto"] }) {
		loads := slices.DeleteFunc(distinct(r.rows, loadOf), func(l load) bool { return l.proto != proto || l.test == "GET" })
		title, heading := fmt.Sprintf("%-12s", loads[0].test+", "+proto), fmt.Sprintf("%-12s", "")
		for _, l := range loads {
			title += fmt.Sprintf("  %20s", strings.Replace(l.workload(), "pipeline of ", "P=", 1))
			heading += fmt.Sprintf("  %6s %6s %6s", "req/s ", "p99 ", "CPU ")
		}
		fmt.Fprintf(b, "\n%s\n%s\n", title, strings.TrimRight(heading, " "))
		for _, server := range r.servers {
			line := fmt.Sprintf("%-12s", server)
			for _, l := range loads {
				line += " "
				for _, column := range []string{"rps", "p99_ms", "cpu_us_per_req"} {
					line += fmt.Sprintf(" %6s", r.marked(l, server, column))
				}
			}
			if strings.ContainsAny(line, "0123456789") { // redis-server is not in kv
				b.WriteString(strings.TrimRight(line, " ") + "\n")
			}
		}
	}
	b.WriteString("\n* is the best; p99 is in ms, CPU the server's microseconds for a request.\n")
}

// marked returns a median with the mark * if it is the best of all servers, or else a
// space.
func (r results) marked(l load, server, column string) string {
	x, ok := r.number(l.key(), server, column)
	if !ok {
		return "- "
	}
	mark := "*"
	for _, other := range r.servers {
		if y, ok := r.number(l.key(), other, column); ok && y != x && (y < x) == (column != "rps") {
			mark = " "
		}
	}
	return short(x) + mark
}

// gobench prints each measurement in the format of Go's benchmarks, which benchstat reads:
// https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md
func gobench(args []string, out io.Writer) error {
	r, err := readResults(filepath.Join(args[0], "raw.csv"))
	if err != nil {
		return err
	}
	machine, _ := os.ReadFile(filepath.Join(args[0], "machine.txt"))
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: ioflavors\ncpu: %s\n", runtime.GOOS, runtime.GOARCH, find(`(?m)^processor +(.+)`, string(machine)))
	for _, line := range r.rows {
		rps, err := strconv.ParseFloat(line["rps"], 64)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "Benchmark%s/flavor=%s/proto=%s/c=%s/P=%s %s %.1f ns/op",
			line["test"], line["flavor"], line["proto"], line["clients"], line["pipeline"], line["n"], 1e9/rps)
		for _, c := range columnsOf("")[1:] {
			unit := strings.NewReplacer("_ms", "-ms", "cpu_us_per_req", "cpu-µs/op", "rss_mb", "rss-MB").Replace(c.metric)
			fmt.Fprintf(&b, " %s %s", line[c.metric], unit)
		}
		b.WriteString("\n")
	}
	_, err = io.WriteString(out, b.String())
	return err
}

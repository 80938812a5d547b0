package main

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// columns are the figures of raw.csv in a table.
var columns = []struct{ name, heading, format string }{
	{"rps", "requests/s", "%10s"},
	{"avg_ms", "avg ms", "%7.3f"},
	{"min_ms", "min", "%7.3f"},
	{"p50_ms", "p50", "%7.3f"},
	{"p95_ms", "p95", "%7.3f"},
	{"p99_ms", "p99", "%7.3f"},
	{"max_ms", "max", "%8.3f"},
	{"cpu_us_per_req", "CPU µs", "%7.2f"},
	{"rss_mb", "RSS MB", "%6.1f"},
	{"threads", "threads", "%7.0f"},
}

// A measured is what bench.sh has measured in all rounds: medians by figure, workload and
// test, and server.
type measured struct {
	rows    []row
	rounds  int
	medians map[string]map[key]float64
}

// A test is what servers are compared in.
type test struct {
	proto string
	workload
	name string
}

func testOf(r row) test { return test{r["proto"], workloadOf(r), r["test"]} }

// readMeasured reads raw.csv.
func readMeasured(file string) (m measured, err error) {
	if m.rows, err = readRows(file); err != nil {
		return m, err
	}
	m.rounds = len(distinct(m.rows, func(r row) string { return r["round"] }))
	m.medians = map[string]map[key]float64{}
	for _, c := range columns {
		m.medians[c.name] = medians(m.rows, c.name, keyOfRun)
	}
	return m, nil
}

func keyOfRun(r row) key {
	return key{fmt.Sprint(workloadOf(r)), r["flavor"], r["proto"] + " " + r["test"]}
}

// of returns a median of a server in a test.
func (m measured) of(column string, t test, server string) (x float64, ok bool) {
	x, ok = m.medians[column][key{fmt.Sprint(t.workload), server, t.proto + " " + t.name}]
	return x, ok
}

// bench prints a table for each workload, and what the figures are.
func bench(args []string, out io.Writer) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	servers := f.String("servers", "", "the servers, in order")
	size := f.Float64("size", 3, "bytes in a value")
	keys := f.Float64("keys", 1, "number of keys")
	client := f.String("client", "", "what has sent the requests")
	skipped := f.String("skipped", "", "which flavor is missing, and why")
	if err := f.Parse(args); err != nil {
		return err
	}
	m, err := readMeasured(f.Arg(0))
	if err != nil {
		return err
	}
	var b strings.Builder
	tests := distinct(m.rows, testOf)
	for i, t := range tests {
		if i == 0 || t.workload != tests[i-1].workload || t.proto != tests[i-1].proto {
			fmt.Fprintf(&b, "%s, %s (%s requests)\n\n", t.proto, t.words(), thousands(m.requests(t)))
		}
		m.table(&b, t, strings.Fields(*servers))
	}
	m.legend(&b, *size, *keys)
	fmt.Fprintf(&b, "client      %s; it shares the processors with the server\n", *client)
	writeSkipped(&b, *skipped)
	_, err = io.WriteString(out, b.String())
	return err
}

// words tells a workload in full.
func (w workload) words() string {
	return strings.Replace(w.String(), ", pipeline of "+w.pipeline, ", "+w.pipeline+" requests in a pipeline", 1)
}

// requests returns how many a measurement has.
func (m measured) requests(t test) float64 {
	i := slices.IndexFunc(m.rows, func(r row) bool { return testOf(r) == t })
	n, _ := strconv.ParseFloat(m.rows[i]["n"], 64)
	return n
}

// table prints the medians of a test.
func (m measured) table(b *strings.Builder, t test, servers []string) {
	fmt.Fprintf(b, "%-12s", t.name)
	for _, c := range columns {
		width, _, _ := strings.Cut(c.format[1:], ".")
		n, _ := strconv.Atoi(strings.Trim(width, "s"))
		fmt.Fprintf(b, " %*s", n, c.heading)
	}
	b.WriteString("\n")
	for _, server := range servers {
		if t.proto == "kv" && server == "redis-server" {
			continue
		}
		fmt.Fprintf(b, "%-12s", server)
		if _, ok := m.of("rps", t, server); !ok {
			b.WriteString("  serves one client at a time: the others would wait for ever\n")
			continue
		}
		for _, c := range columns {
			x, _ := m.of(c.name, t, server)
			if c.name == "rps" {
				fmt.Fprintf(b, " "+c.format, thousands(x))
			} else {
				fmt.Fprintf(b, " "+c.format, x)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func (m measured) legend(b *strings.Builder, size, keys float64) {
	if m.rounds > 1 {
		fmt.Fprintf(b, "Each figure is the median of %d rounds. ", m.rounds)
	} else {
		b.WriteString("Each figure is from one measurement. ")
	}
	fmt.Fprintf(b, "Values have %s bytes; ", thousands(size))
	if keys > 1 {
		fmt.Fprintf(b, "%s random keys.\n", thousands(keys))
	} else {
		b.WriteString("one key.\n")
	}
	b.WriteString(`avg - max   latency in milliseconds, as the client sees it
CPU µs      the server's processor time for a request, user and system, in microseconds
RSS MB      most memory that the server had resident, in 1,000,000 bytes
threads     most threads that were seen in the server
`)
}

func writeSkipped(b *strings.Builder, skipped string) {
	if skipped != "" {
		fmt.Fprintf(b, "skipped     %s\n", skipped)
	}
}

// summary prints, for each protocol, a row for each server, and marks the best.
func summary(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("summary: want raw.csv")
	}
	m, err := readMeasured(args[0])
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, proto := range distinct(m.rows, func(r row) string { return r["proto"] }) {
		m.summarize(&b, proto)
	}
	b.WriteString("\n* is the best; p99 is in ms, CPU the server's microseconds for a request.\n")
	_, err = io.WriteString(out, trimLines(b.String()))
	return err
}

// summarize prints the first test of each workload, SET or PUT: three columns for each.
func (m measured) summarize(b *strings.Builder, proto string) {
	var tests []test
	for _, t := range distinct(m.rows, testOf) {
		if t.proto == proto && t.name != "GET" {
			tests = append(tests, t)
		}
	}
	title, heading := fmt.Sprintf("\n%-12s", tests[0].name+", "+proto), fmt.Sprintf("%-12s", "")
	for _, t := range tests {
		title += fmt.Sprintf("  %20s", t.short())
		heading += fmt.Sprintf("  %6s %6s %6s", "req/s ", "p99 ", "CPU ")
	}
	fmt.Fprintf(b, "%s\n%s\n", title, heading)
	rows := slices.DeleteFunc(slices.Clone(m.rows), func(r row) bool { return r["proto"] != proto })
	for _, server := range inOrder(rows) {
		line := fmt.Sprintf("%-12s", server)
		for _, t := range tests {
			line += fmt.Sprintf("  %6s %6s %6s", m.marked("rps", t, server), m.marked("p99_ms", t, server), m.marked("cpu_us_per_req", t, server))
		}
		b.WriteString(line + "\n")
	}
}

// short names a workload in 20 columns.
func (w workload) short() string {
	if w.pipeline == "1" {
		return w.String()
	}
	return w.clients + " clients, P=" + w.pipeline
}

// marked returns a median with the mark * if it is the best of all servers, or else a
// space.
func (m measured) marked(column string, t test, server string) string {
	x, ok := m.of(column, t, server)
	if !ok {
		return "- "
	}
	text, mark := three(x), "*"
	for _, other := range inOrder(m.rows) {
		y, ok := m.of(column, t, other)
		if better := y < x; ok && y != x && better == (column != "rps") {
			mark = " "
		}
	}
	return text + mark
}

// three returns a number with three digits, a big one in thousands or millions.
func three(x float64) string {
	switch {
	case x >= 999500:
		return digits(x/1e6) + "M"
	case x >= 999.5:
		return digits(x/1e3) + "k"
	}
	return digits(x)
}

func digits(x float64) string {
	switch {
	case x < 0.9995:
		return fmt.Sprintf("%.3f", x)
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// gobench prints each measurement in the format of Go's benchmarks, which benchstat reads:
// https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md
func gobench(args []string, out io.Writer) error {
	f := flag.NewFlagSet("gobench", flag.ContinueOnError)
	cpu := f.String("cpu", "unknown", "the processor")
	if err := f.Parse(args); err != nil {
		return err
	}
	rows, err := readRows(f.Arg(0))
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: ioflavors\ncpu: %s\n", runtime.GOOS, runtime.GOARCH, *cpu)
	for _, r := range rows {
		rps, err := strconv.ParseFloat(r["rps"], 64)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "Benchmark%s/flavor=%s/proto=%s/c=%s/P=%s %s %.1f ns/op %s avg-ms %s min-ms %s p50-ms %s p95-ms %s p99-ms %s max-ms %s cpu-µs/op %s rss-MB %s threads\n",
			r["test"], r["flavor"], r["proto"], r["clients"], r["pipeline"], r["n"], 1e9/rps, r["avg_ms"], r["min_ms"], r["p50_ms"],
			r["p95_ms"], r["p99_ms"], r["max_ms"], r["cpu_us_per_req"], r["rss_mb"], r["threads"])
	}
	_, err = io.WriteString(out, b.String())
	return err
}

//go:build unix

package main

import (
	"fmt"
	"strings"
	"time"
)

// style says how results are printed; without any, as a short report.
type style struct {
	quiet bool // one line each
	csv   bool // as redis-benchmark --csv; wins over quiet
}

// A reporter prints results on standard output, faults and progress on standard
// error.
type reporter struct {
	style
	streams
}

const csvHeader = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"`

func (r *reporter) header() {
	if r.csv {
		fmt.Fprintln(r.out, csvHeader)
	}
}

// report prints the result of a test.
func (r *reporter) report(res *result) {
	name := res.proto.name(res.op)
	switch {
	case r.csv:
		fmt.Fprintf(r.out, "%q,\"%.2f\"", name, res.perSecond())
		for _, d := range res.latencies() {
			fmt.Fprintf(r.out, ",\"%.3f\"", ms(d))
		}
		fmt.Fprintln(r.out)
	case r.quiet:
		fmt.Fprintf(r.out, "%s: %.2f requests per second, p50=%.3f msec\n",
			name, res.perSecond(), ms(res.latency.percentile(50)))
	default:
		r.summary(name, res)
	}
}

func (r *reporter) summary(name string, res *result) {
	keys := "one key"
	if res.keys > 0 {
		keys = fmt.Sprintf("random keys out of %d", res.keys)
	}
	fmt.Fprintf(r.out, "====== %s ======\n", name)
	fmt.Fprintf(r.out, "  %d requests completed in %.2f seconds\n", res.latency.count, res.elapsed.Seconds())
	fmt.Fprintf(r.out, "  %d parallel clients\n", res.clients)
	fmt.Fprintf(r.out, "  %d requests in a pipeline\n", res.pipeline)
	fmt.Fprintf(r.out, "  %d bytes payload\n", res.valueSize)
	fmt.Fprintf(r.out, "  %s\n", keys)
	fmt.Fprintf(r.out, "  keep alive: %d\n\n", map[bool]int{true: 1}[res.keepAlive])
	fmt.Fprintf(r.out, "  throughput: %.2f requests per second\n", res.perSecond())
	fmt.Fprintf(r.out, "  latency (msec):\n")
	fmt.Fprintf(r.out, "    %9s %9s %9s %9s %9s %9s\n   ", "avg", "min", "p50", "p95", "p99", "max")
	for _, d := range res.latencies() {
		fmt.Fprintf(r.out, " %9.3f", ms(d))
	}
	fmt.Fprint(r.out, "\n\n")
}

// faults says in one line what was wrong.
func (r *reporter) faults(name string, res *result) {
	var total int64
	var list []string
	for f, n := range res.faults {
		if n > 0 {
			total += n
			list = append(list, fmt.Sprintf("%d %s", n, faultNames[f]))
		}
	}
	note := ""
	if res.note != "" {
		note = fmt.Sprintf("; the first message: %q", res.note)
	}
	fmt.Fprintf(r.err, "kv: %s: %d of %d replies are wrong: %s%s\n",
		name, total, res.requests, strings.Join(list, ", "), note)
}

// progress returns a function that shows how many requests are done, and how many
// percent of the total that is, if there is one. It shows them on a terminal only.
func (r *reporter) progress(name string, total int64) func(done int64) {
	if !r.terminal || r.csv {
		return func(int64) {}
	}
	start := now()
	return func(done int64) {
		rate := float64(done) / (now() - start).Seconds()
		percent := ""
		if total > 0 {
			percent = fmt.Sprintf("%d%%, ", done*100/total)
		}
		fmt.Fprintf(r.err, "\r\x1b[K%s: %s%.0f requests per second", name, percent, rate)
	}
}

// clear removes the progress line.
func (r *reporter) clear() {
	if r.terminal && !r.csv {
		fmt.Fprint(r.err, "\r\x1b[K")
	}
}

// perSecond returns the right replies per second.
func (r *result) perSecond() float64 {
	return float64(r.latency.count) / r.elapsed.Seconds()
}

// latencies returns avg, min, p50, p95, p99 and max.
func (r *result) latencies() []time.Duration {
	h := &r.latency
	return []time.Duration{h.mean(), h.min, h.percentile(50), h.percentile(95), h.percentile(99), h.max}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

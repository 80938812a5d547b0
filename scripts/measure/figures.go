//go:build unix

package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A size is the memory of a process in KiB, and its threads.
type size struct{ peak, now, threads int64 }

// A result is what a client and a server did.
type result struct {
	client        map[string]string // the figures that the client has printed
	before        size              // of the server, before the client beside
	most          size              // of each, the most that was seen
	last          size              // what was seen last
	served        int64             // clients that the one beside has had served
	used          time.Duration     // processor time before the client ran
	cpu, wall     time.Duration     // while it ran
	reads, writes int64             // the server's calls, while the client ran
	calls         []call            // by kind, if the rows want them
	total         string            // calls for a request, if all could be counted
	switches      int64             // context switches, from the server's start to its end
	end           string            // how a server has crashed
	errors        string            // what it has printed on standard error
}

var braces = regexp.MustCompile(`\{\w+\}`)

// fill returns the rows with figures in them, each in a line.
func (r *result) fill(o *options) (text string, err error) {
	for _, row := range o.rows {
		if !strings.Contains(row, "{call}") {
			text += row + "\n"
			continue
		}
		for _, c := range r.calls {
			text += strings.NewReplacer("{call}", c.name, "{count}", o.perRequest(c.count)).Replace(row) + "\n"
		}
	}
	figures := r.figures(o)
	text = braces.ReplaceAllStringFunc(text, func(field string) string {
		name := strings.Trim(field, "{}")
		value, ok := figures[name]
		if !ok {
			value, ok = r.client[name]
		}
		if !ok && r.client != nil {
			err = fmt.Errorf("there is no figure %q", name)
		}
		return cmp.Or(value, "never")
	})
	return text, err
}

// figures returns the figures of the server, as text without commas.
func (r *result) figures(o *options) map[string]string {
	const mega = 1024. / 1000000 // of a KiB in a MB
	cores := r.cpu.Seconds() / r.wall.Seconds()
	return map[string]string{
		"cpu_us_per_req": fmt.Sprintf("%.3f", r.cpu.Seconds()*1e6/float64(o.requests)),
		"cores":          fmt.Sprintf("%.2f", cores),
		"percent":        fmt.Sprintf("%.1f", 100*cores),
		"rss_mb":         fmt.Sprintf("%.2f", float64(r.most.peak)*mega),
		"now_mb":         fmt.Sprintf("%.1f", float64(r.last.now)*mega),
		"growth_mb":      fmt.Sprintf("%.1f", float64(r.most.peak-r.before.peak)*mega),
		"each_kib":       fmt.Sprintf("%.1f", float64(r.last.now-r.before.now)/float64(max(1, r.served))),
		"threads":        fmt.Sprint(r.most.threads),
		"served":         fmt.Sprint(r.served),
		"end":            r.end,
		"switches":       o.perRequest(r.switches),
		"calls":          cmp.Or(r.total, "-"),
	}
}

func (o *options) perRequest(n int64) string {
	return fmt.Sprintf("%.2f", float64(n)/float64(o.requests))
}

// clientFigures reads what a client has printed: at its end two lines of CSV, a heading
// and figures. It returns nil if they are not there, or are no figures.
func clientFigures(text string) map[string]string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.Join(lines[max(0, len(lines)-2):], "\n")
	rows, err := csv.NewReader(strings.NewReader(last)).ReadAll()
	if err != nil || len(rows) != 2 {
		return nil
	}
	figures := map[string]string{}
	for i, name := range rows[0] {
		value := rows[1][i]
		x, err := strconv.ParseFloat(value, 64)
		if name != "test" && (err != nil || math.IsInf(x, 0) || math.IsNaN(x)) {
			return nil
		}
		figures[strings.Replace(name, "_latency", "", 1)] = value
	}
	return figures
}

// parseTime reads what ps prints as processor time: hours:minutes:seconds.hundredths, of
// which the hours may be missing.
func parseTime(text string) (time.Duration, error) {
	parts := strings.Split(text, ":")
	for i, unit := range []string{"s", "m", "h"} {
		if n := len(parts); i < n {
			parts[n-1-i] += unit
		}
	}
	return time.ParseDuration(strings.Join(parts, ""))
}

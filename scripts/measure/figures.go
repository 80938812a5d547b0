//go:build unix

package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A size is the memory of a process in KiB, and its threads.
type size struct {
	peak, now, threads int64
}

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
	switches      int64             // context switches, from the server's start to its end
	end           string            // how a server has crashed
}

// note adds what the server is now.
func (r *result) note(s size) {
	r.last = s
	r.most.peak = max(r.most.peak, s.peak)
	r.most.threads = max(r.most.threads, s.threads)
}

const mega = 1024. / 1000000 // of a KiB in a MB

// line returns the figures that are wanted as a line of CSV.
func (r *result) line(o *options) (string, error) {
	var values []string
	for _, name := range o.figures {
		value, err := r.figure(name, o)
		if err != nil {
			return "", err
		}
		values = append(values, value)
	}
	return strings.Join(values, ",") + "\n", nil
}

// figure returns a figure as text without a comma.
func (r *result) figure(name string, o *options) (string, error) {
	perSecond := r.cpu.Seconds() / r.wall.Seconds()
	switch name {
	case "cpu_us_per_req":
		return fmt.Sprintf("%.3f", r.cpu.Seconds()*1e6/float64(o.requests)), nil
	case "cores":
		return fmt.Sprintf("%.2f", perSecond), nil
	case "percent":
		return fmt.Sprintf("%.1f", 100*perSecond), nil
	case "rss_mb":
		return fmt.Sprintf("%.2f", float64(r.most.peak)*mega), nil
	case "now_mb":
		return fmt.Sprintf("%.1f", float64(r.last.now)*mega), nil
	case "growth_mb":
		return fmt.Sprintf("%.1f", float64(r.most.peak-r.before.peak)*mega), nil
	case "each_kib":
		return fmt.Sprintf("%.1f", float64(r.last.now-r.before.now)/float64(max(1, r.served))), nil
	case "threads":
		return strconv.FormatInt(r.most.threads, 10), nil
	case "served":
		return strconv.FormatInt(r.served, 10), nil
	case "end":
		return r.end, nil
	}
	if r.client == nil {
		return "never", nil
	}
	value, ok := r.client[name]
	if !ok {
		return "", fmt.Errorf("there is no figure %q", name)
	}
	return value, nil
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

// parseTime reads what ps prints as processor time: days-hours:minutes:seconds.hundredths,
// of which the first may be missing.
func parseTime(text string) (time.Duration, error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '-' || r == ':' })
	slices.Reverse(parts)
	units := []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}
	if len(parts) == 0 || len(parts) > len(units) {
		return 0, fmt.Errorf("ps -o time=: %q is no time", text)
	}
	total := 0.
	for i, part := range parts {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0, fmt.Errorf("ps -o time=: %w", err)
		}
		total += x * float64(units[i])
	}
	return time.Duration(total), nil
}

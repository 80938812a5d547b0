//go:build unix

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// reportCalls returns a row for each kind of call that the server makes for a request,
// and for the context switches: name, number, unit.
//
// Linux counts reads and writes. Only the other calls are counted with strace, in a second
// measurement: it slows down each call that it sees, and a server whose reads and writes
// are slow does other things than one whose are not. Where threads wait for each other,
// that is still so: strace makes them wait longer, and so more often. Its count of futex
// is more than there is, and in no total.
func reportCalls(ctx context.Context, o *options, r *result) (string, error) {
	each := func(n int64) string { return fmt.Sprintf("%.2f", float64(n)/float64(o.requests)) }
	rows := "switches," + each(r.switches) + ",switches\n"
	if r.reads == 0 {
		return rows + "total,-,calls\n", nil
	}
	rows += "read," + each(r.reads) + ",calls\nwrite," + each(r.writes) + ",calls\n"
	if !canTrace() {
		return rows + "total,-,calls\n", nil
	}
	summary, err := trace(ctx, o)
	if err != nil {
		return "", err
	}
	total := r.reads + r.writes
	for _, c := range mostFrequent(parseSummary(summary), o.requests) {
		unit := "calls"
		if c.name == "futex" {
			unit = "calls at most"
		} else {
			total += c.count
		}
		rows += c.name + "," + each(c.count) + "," + unit + "\n"
	}
	return rows + "total," + each(total) + ",calls\n", nil
}

// trace measures a server under strace, and returns strace's summary. With -D strace is no
// parent of the server, which can so be ended as always.
func trace(ctx context.Context, o *options) (string, error) {
	f, err := os.CreateTemp("", "strace")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := measure(ctx, o, append(slices.Clone(strace), "-o", f.Name())...); err != nil {
		return "", err
	}
	text, err := os.ReadFile(f.Name())
	return string(text), err
}

// canTrace tells whether strace is there, and may trace.
func canTrace() bool {
	args := append(slices.Clone(strace), "-o", os.DevNull, "true")
	return exec.Command(args[0], args[1:]...).Run() == nil
}

var strace = []string{"strace", "-D", "-f", "--seccomp-bpf", "-c", "-e", "trace=!read,write"}

// A call is how often a server has made a system call.
type call struct {
	name  string
	count int64
}

// parseSummary reads what strace -c prints: percent, seconds, microseconds for a call,
// calls, errors if there are any, name.
func parseSummary(text string) (calls []call) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 || f[len(f)-1] == "total" {
			continue
		}
		if n, err := strconv.ParseInt(f[3], 10, 64); err == nil {
			calls = append(calls, call{f[len(f)-1], n})
		}
	}
	return calls
}

// mostFrequent returns the six most frequent calls that come to 0.01 a request, and all
// others as one.
func mostFrequent(calls []call, requests int64) (most []call) {
	slices.SortFunc(calls, func(a, b call) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	others := call{name: "others"}
	for i, c := range calls {
		if i < 6 && c.count*100 >= requests {
			most = append(most, c)
		} else {
			others.count += c.count
		}
	}
	if others.count*100 >= requests {
		most = append(most, others)
	}
	return most
}

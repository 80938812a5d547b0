//go:build unix

package main

import (
	"context"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// A call is how often a server has made a system call.
type call struct {
	name  string
	count int64
}

// With -D, strace is no parent of the server, which can be ended as ever.
var strace = []string{"strace", "-D", "-f", "--seccomp-bpf", "-c", "-S", "calls", "-e", "trace=!read,write"}

// countCalls finds out which system calls the server makes. Linux counts reads and writes.
// Only the others are counted with strace, in a second measurement: strace delays each call
// that it sees, and a server whose reads and writes are slow behaves differently. Threads
// that wait for each other still wait longer under strace, and so more often: its count of
// futex is too high, and not part of the total.
func (r *result) countCalls(ctx context.Context, o *options) error {
	if r.reads == 0 {
		return nil
	}
	r.calls = []call{{"read", r.reads}, {"write", r.writes}}
	if exec.Command(strace[0], append(slices.Clone(strace[1:]), "true")...).Run() != nil {
		return nil // strace is not there, or must not trace
	}
	traced, err := measure(ctx, o, strace...)
	if err != nil {
		return err
	}
	r.calls = append(r.calls, parseSummary(traced.errors, o.requests)...)
	var total int64
	for _, c := range r.calls {
		if c.name != "futex" {
			total += c.count
		}
	}
	r.total = o.perRequest(total)
	return nil
}

// parseSummary reads what strace -c prints: percent, seconds, microseconds for a call,
// calls, errors if there are any, name. Those that come to less than 0.01 a request are one.
func parseSummary(text string, requests int64) (calls []call) {
	others := call{name: "others"}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 || f[len(f)-1] == "total" {
			continue
		}
		n, err := strconv.ParseInt(f[3], 10, 64)
		if err == nil && n*100 >= requests {
			calls = append(calls, call{f[len(f)-1], n})
		} else {
			others.count += n
		}
	}
	if others.count*100 >= requests {
		calls = append(calls, others)
	}
	return calls
}

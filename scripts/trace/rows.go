//go:build linux

package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A row is a line of a table. Rows of an event with the same fold belong together and
// happen times over.
type row struct {
	proto, flavor, event string
	kind                 string // call, runtime, wait, none, client, request, left
	thread, text         string
	fold, times          string
}

// An event is a step of the conversation.
type event struct {
	begin int // in strace's output, in bytes
	name  string
	got   string // what the clients got, in lines
	polls bool   // at its end, the server does not wait
}

// rows cuts the calls into events. The last event only ends the one before.
func rows(calls []call, events []event) (list []row, err error) {
	lines, goroutines, err := name(calls)
	if err != nil {
		return nil, err
	}
	var request, left []line
	cuts := cut(lines, events)
	for i, e := range events[:len(events)-1] {
		if e.name == "" {
			continue
		}
		part := lines[cuts[i]:cuts[i+1]]
		shown := filter(part, func(l line) bool { return l.kind != "" && l.ended() })
		if i > 0 {
			left = append(left, filter(part, func(l line) bool { return l.kind == "" && l.ended() })...)
		}
		if e.name == "A sends a GET" {
			request = shown
		}
		for _, r := range slices.Concat(orNone(fold(shown)), e.gains(), e.waits(lines, events[i+1].begin)) {
			r.event = e.name
			list = append(list, r)
		}
	}
	if goroutines || !together(list) {
		for i := range list {
			list[i].thread = ""
		}
	}
	made := counts(filter(request, func(l line) bool { return !l.again() }))
	if vain := counts(filter(request, line.again)); vain != "" {
		made += "; in vain: " + vain
	}
	return append(list, row{kind: "request", text: made}, row{kind: "left", text: counts(left)}), nil
}

func filter(lines []line, keep func(line) bool) (kept []line) {
	for _, l := range lines {
		if keep(l) {
			kept = append(kept, l)
		}
	}
	return kept
}

// counts tells how many calls there are of each name, the most frequent first.
func counts(lines []line) string {
	count := map[string]int{}
	for _, l := range lines {
		count[l.name]++
	}
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = name + " " + grouped(count[name])
	}
	return strings.Join(names, ", ")
}

// orNone says so if there are no rows.
func orNone(rows []row) []row {
	if len(rows) == 0 {
		return []row{{kind: "none", text: "no call"}}
	}
	return rows
}

// gains are rows for what the clients got.
func (e event) gains() (rows []row) {
	for gain := range strings.Lines(e.got) {
		rows = append(rows, row{kind: "client", text: strings.TrimSpace(gain)})
	}
	return rows
}

// together tells whether two threads wait at a time.
func together(rows []row) bool {
	for i := 1; i < len(rows); i++ {
		if rows[i-1].kind == "wait" && rows[i].kind == "wait" {
			return true
		}
	}
	return false
}

// cut returns where the lines of each event begin. Polls in vain before the first other
// call belong to the event before.
func cut(lines []line, events []event) []int {
	cuts := make([]int, len(events))
	for i, e := range events {
		at, _ := slices.BinarySearchFunc(lines, e.begin, func(l line, begin int) int {
			return cmp.Compare(l.exit, begin+1)
		})
		cuts[i] = at
		for at < len(lines) && (i+1 == len(events) || lines[at].exit <= events[i+1].begin) {
			if lines[at].kind != "" && !lines[at].again() {
				cuts[i] = at
				break
			}
			at++
		}
	}
	return cuts
}

// waits are rows for the calls in which threads are at its end, by thread.
func (e event) waits(lines []line, end int) (waits []row) {
	if e.polls {
		return []row{{kind: "wait", text: "does not wait"}}
	}
	for _, l := range lines {
		if l.kind != "" && l.enter < end && l.exit > end {
			waits = append(waits, row{kind: "wait", thread: l.role, text: "waits in " + l.text})
		}
	}
	slices.SortFunc(waits, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.thread, b.thread), cmp.Compare(a.text, b.text))
	})
	return waits
}

// fold puts lines into rows. Of those in a loop, each different one is a row, with its count.
func fold(lines []line) (rows []row) {
	for folds := 0; len(lines) > 0; {
		n := loop(lines)
		if n > 1 {
			folds++
		}
		for _, g := range gather(lines[:n]) {
			r := row{kind: g.kind, thread: g.role, text: g.String()}
			if n > 1 {
				r.fold, r.times = strconv.Itoa(folds), grouped(g.times)
			}
			rows = append(rows, r)
		}
		lines = lines[n:]
	}
	return rows
}

// loop returns how many lines of a loop there are at the start of lines, or 1. A loop has
// calls in vain, and those that send a long reply.
func loop(lines []line) int {
	n := 0
	for n < len(lines) && (lines[n].again() || lines[n].sends()) {
		n++
	}
	count := tally(lines[:n])
	if once := slices.IndexFunc(lines[:n], func(l line) bool { return !l.again() && count[l.key()] == 1 }); once >= 0 {
		n = once
	}
	for i := n - 1; i > 0; i-- {
		if !lines[i].again() {
			n = i + 1 // what is in vain after that is another loop
			break
		}
	}
	for _, times := range tally(lines[:n]) {
		if times > 1 {
			return n
		}
	}
	return 1
}

// tally counts lines by their keys.
func tally(lines []line) map[string]int {
	count := map[string]int{}
	for _, l := range lines {
		count[l.key()]++
	}
	return count
}

// A gathered line stands for all with its key, and has moved their bytes.
type gathered struct {
	line
	times int
}

// gather puts lines with the same key together: what was done, in the order of the first
// ones, then what was in vain, which has no order in a server that polls.
func gather(lines []line) (list []gathered) {
	at := map[string]int{}
	for _, l := range lines {
		i, ok := at[l.key()]
		if !ok {
			at[l.key()] = len(list)
			list = append(list, gathered{l, 1})
			continue
		}
		g := &list[i]
		g.times, g.n = g.times+1, g.n+l.n
		g.of = g.n
	}
	slices.SortStableFunc(list, func(a, b gathered) int { return cmp.Compare(a.rank(), b.rank()) })
	return list
}

// rank is "" for what was done.
func (g gathered) rank() string {
	if g.again() {
		return g.text
	}
	return ""
}

// key is the same for calls that differ in nothing but bytes.
func (l line) key() string { return l.text + " = " + l.result }

// sends tells whether a call sends, or finds room to.
func (l line) sends() bool {
	return l.name == "write" && l.n > 0 || strings.HasSuffix(l.result, " OUT")
}

func (l line) String() string {
	switch {
	case l.result != "":
		return l.text + " = " + l.result
	case l.n < 0:
		return l.text
	case l.n < l.of:
		return l.text + " = " + grouped(l.n) + " of " + grouped(l.of)
	}
	return l.text + " = " + grouped(l.n)
}

// grouped prints a number with commas between the thousands.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

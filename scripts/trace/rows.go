//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ioflavors/scripts/trace/recording"
)

// An event is a step of the conversation.
type event struct {
	begin int // in strace's output, in bytes
	name  string
	got   []recording.Row // by the clients
	polls bool            // at its end, the server does not wait
}

// rows cuts the calls into events. The last event only ends the one before, and one without
// a name is no part of the conversation.
func rows(calls []call, events []event) (list []recording.Event, err error) {
	n, lines, err := name(calls)
	if err != nil {
		return nil, err
	}
	cuts := cut(lines, events)
	for i, e := range events[:len(events)-1] {
		if e.name == "" {
			continue
		}
		made := e.made(lines[cuts[i]:cuts[i+1]])
		waits := e.waits(lines, events[i+1].begin)
		if n.goroutines {
			waits = append(waits, parked(lines[:cuts[i+1]])...)
		}
		one := recording.Event{Name: e.name, Rows: slices.Concat(made, e.got, waits)}
		for j := range one.Rows {
			if !n.threads {
				one.Rows[j].Thread = ""
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// made are rows for the calls of an event. Threads are born for other reasons, too; those
// that are born when a client connects are of interest.
func (e event) made(lines []line) []recording.Row {
	connects := slices.ContainsFunc(lines, func(l line) bool { return l.name == "accept" && l.ended() && !l.failed() })
	var shown []line
	for _, l := range lines {
		if l.kind != "" && l.ended() && (connects || l.name != "clone") {
			shown = append(shown, l)
		}
	}
	if len(shown) == 0 {
		return []recording.Row{{Kind: "none", Text: "no call"}}
	}
	return e.fold(shown)
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
func (e event) waits(lines []line, end int) (waits []recording.Row) {
	if e.polls {
		return []recording.Row{{Kind: "wait", Text: "does not wait"}}
	}
	for _, l := range lines {
		if l.kind != "" && l.enter < end && l.exit > end {
			waits = append(waits, recording.Row{Kind: "wait", Thread: l.role, Text: "waits in " + l.text, Lines: l.lines})
		}
	}
	slices.SortFunc(waits, func(a, b recording.Row) int {
		return cmp.Or(cmp.Compare(a.Thread, b.Thread), cmp.Compare(a.Text, b.Text))
	})
	return waits
}

// parked are rows for the goroutines that wait after lines. Package net tries a call, and
// parks the goroutine if that is in vain.
func parked(lines []line) (waits []recording.Row) {
	for _, on := range []string{"listener", "A", "B"} {
		for _, l := range slices.Backward(lines) {
			if l.on != on {
				continue
			}
			if l.again() {
				waits = append(waits, recording.Row{Kind: "wait", Text: "parked in " + l.text, Lines: l.lines})
			}
			break
		}
	}
	return waits
}

// fold puts lines into rows. Of those in a loop, each different one is a row, with its count.
func (e event) fold(lines []line) (rows []recording.Row) {
	for folds := 0; len(lines) > 0; {
		n := loop(lines)
		if n > 1 {
			folds++
		}
		for _, g := range gather(lines[:n]) {
			r := recording.Row{Kind: g.kind, Thread: g.role, Text: g.String(), Lines: g.lines}
			if n > 1 {
				r.Fold, r.Times = strconv.Itoa(folds), grouped(g.times)
			}
			if n > 1 && e.polls && g.again() {
				r.Times = recording.Vain
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
	times := map[string]int{}
	for _, l := range lines[:n] {
		times[l.key()]++
	}
	end := 0 // behind the last call that was not in vain
	for i, l := range lines[:n] {
		if l.again() {
			continue
		}
		if times[l.key()] == 1 {
			n = i // it is of no loop
			break
		}
		end = i + 1
	}
	if end > 0 {
		n = end // what is in vain after that is another loop
	}
	if len(gather(lines[:n])) < n {
		return n
	}
	return 1
}

// gathered is a line that stands for all with its key, and has moved their bytes.
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
	return l.name == "write" && l.n > 0 || strings.Contains(l.result, "OUT")
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
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

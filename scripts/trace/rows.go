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
func rows(calls []call, events []event) (list []recording.Event) {
	n, lines := name(calls)
	from := 0
	for i, e := range events[:len(events)-1] {
		end := events[i+1].begin
		to, _ := slices.BinarySearchFunc(lines, end+1, func(l line, end int) int { return cmp.Compare(l.exit, end) })
		if e.name != "" {
			made := slices.Concat(e.made(lines[from:to]), e.got, e.waits(lines, end, n.goroutines))
			list = append(list, recording.Event{Name: e.name, Rows: made})
		}
		from = to
	}
	return list
}

// made are rows for the calls of an event. Of a server that polls, what is in vain has no
// order and no number: its rows are the last. Of threads, those that are born at the start
// and when a client connects are of interest.
func (e event) made(lines []line) []recording.Row {
	births := slices.ContainsFunc(lines, func(l line) bool { return l.name == "listen" || l.name == "accept" && l.done() && !l.failed() })
	var done, vain []line
	for _, l := range lines {
		switch {
		case l.kind == "" || !l.done() || l.name == "clone" && !births:
		case e.polls && l.again():
			vain = append(vain, l)
		default:
			done, vain = append(done, l), nil
		}
	}
	vain = gather(vain)
	slices.SortFunc(vain, func(a, b line) int { return cmp.Compare(a.text, b.text) })
	if len(done)+len(vain) == 0 {
		return []recording.Row{{Kind: "none", Text: "no call"}}
	}
	rows := fold(done)
	for _, l := range vain {
		rows = append(rows, l.row("0", recording.Vain))
	}
	return rows
}

// waits are rows for the calls in which threads are at its end, by thread; and for those for
// which goroutines wait. Package net tries a call, and parks the goroutine if it is in vain.
func (e event) waits(lines []line, end int, goroutines bool) (waits []recording.Row) {
	if e.polls {
		return []recording.Row{{Kind: "wait", Text: "does not wait"}}
	}
	last := map[string]line{} // by what it was made on
	add := func(how string, l line) {
		waits = append(waits, recording.Row{Kind: "wait", Thread: l.role, Text: how + l.text, Lines: l.lines})
	}
	for _, l := range lines {
		if l.kind != "" && l.enter < end && l.exit > end {
			add("waits in ", l)
		}
		if l.exit <= end {
			last[l.on] = l
		}
	}
	slices.SortFunc(waits, func(a, b recording.Row) int {
		return cmp.Or(cmp.Compare(a.Thread, b.Thread), cmp.Compare(a.Text, b.Text))
	})
	for _, on := range []string{"listener", "A", "B"} {
		if goroutines && last[on].again() {
			add("parked in ", last[on])
		}
	}
	return waits
}

// fold puts lines into rows. Of those in a loop, each different one is a row, with its count.
// A loop is what sends a long reply.
func fold(lines []line) (rows []recording.Row) {
	for folds := 1; len(lines) > 0; {
		n := 0
		for n < len(lines) && (lines[n].again() || lines[n].sends()) {
			n++
		}
		list := gather(lines[:n])
		if len(list) == n { // no loop
			rows = append(rows, lines[0].row("", ""))
			lines = lines[1:]
			continue
		}
		for _, l := range list {
			rows = append(rows, l.row(strconv.Itoa(folds), grouped(l.times)))
		}
		folds++
		lines = lines[n:]
	}
	return rows
}

func (l line) row(fold, times string) recording.Row {
	return recording.Row{Kind: l.kind, Thread: l.role, Text: l.String(), Fold: fold, Times: times, Lines: l.lines}
}

// sends tells whether a call sends, or finds room to.
func (l line) sends() bool {
	return l.name == "write" && l.n > 0 || strings.Contains(l.result, "OUT") || l.kind == "runtime"
}

// gather puts lines together that differ in nothing but bytes.
func gather(lines []line) (list []line) {
	for _, l := range lines {
		i := slices.IndexFunc(list, func(g line) bool { return g.text == l.text && g.result == l.result })
		if i < 0 {
			list = append(list, l)
			continue
		}
		list[i].times++
		list[i].n += l.n
		list[i].of = 0
	}
	return list
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

// Package recording reads and writes trace.csv, which has what scripts/trace.sh has recorded
// of the flavors, and sets the traces of two flavors side by side.
//
// A line of trace.csv is a [Row], after the protocol, the flavor and the event. All flavors
// have the same events, in the same order. The column lines has the lines of the flavor's
// source that a call came from, separated by spaces: first the line that made the call, then
// the line that called the function around it, and so on, as in
// "main.go:141 main.go:122 main.go:94 main.go:34". Only lines in the flavor's own package
// are there. The last one is in main, in a package variable's initialization, or, of a
// goroutine, the go statement that started it.
//
// Lines is empty where no line of the flavor made the call. The runtime of Go waits for
// goroutinesrv's clients in epoll_wait, and no line of the flavor waits there; the rows
// "parked in" have the lines whose call to package net has to wait.
package recording

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"ioflavors/scripts/align"
)

// A Trace is what one flavor did in a conversation.
type Trace struct {
	Proto  string // resp or kv
	Flavor string
	Events []Event
}

// An Event is a step of the conversation, and what came of it.
type Event struct {
	Name string `json:"name"`
	Rows []Row  `json:"rows"`
}

// A Row is a call, where a thread waits, or what a client got. The kinds are:
//
//	call     a system call that the flavor makes
//	library  one that golang.org/x/sys adds to the flavor's own
//	runtime  one that the runtime of Go makes for the flavor
//	none     "no call", in place of these
//	client   what a client got
//	wait     where a thread or a goroutine is when all is done, or that there is no wait
type Row struct {
	Kind   string   `json:"kind"`
	Thread string   `json:"thread"` // 1 accepts, 2 is A's, 3 is B's; empty if the flavor has one
	Text   string   `json:"text"`   // read(A) = 38
	Fold   string   `json:"fold"`   // the same in all rows of a loop; empty outside of loops
	Times  string   `json:"times"`  // in a loop, how often: a number, as in 1,234, or Vain
	Lines  []string `json:"lines"`  // main.go:141, innermost first
}

// Vain stands for a number that means nothing: how often a flavor that does not wait asked in
// vain until the next event.
const Vain = "n"

// Header is the first line of trace.csv.
const Header = "proto,flavor,event,kind,thread,text,fold,times,lines"

// Read reads all of trace.csv.
func Read(r io.Reader) (traces []Trace, err error) {
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || strings.Join(records[0], ",") != Header {
		return nil, fmt.Errorf("the first line is not %s", Header)
	}
	for _, f := range records[1:] {
		if n := len(traces); n == 0 || traces[n-1].Proto != f[0] || traces[n-1].Flavor != f[1] {
			traces = append(traces, Trace{Proto: f[0], Flavor: f[1]})
		}
		t := &traces[len(traces)-1]
		if n := len(t.Events); n == 0 || t.Events[n-1].Name != f[2] {
			t.Events = append(t.Events, Event{Name: f[2]})
		}
		e := &t.Events[len(t.Events)-1]
		e.Rows = append(e.Rows, Row{f[3], f[4], f[5], f[6], f[7], strings.Fields(f[8])})
	}
	return traces, nil
}

// Write writes the lines of a trace, without the header.
func (t Trace) Write(w io.Writer) error {
	out := csv.NewWriter(w)
	for _, e := range t.Events {
		for _, r := range e.Rows {
			out.Write([]string{t.Proto, t.Flavor, e.Name, r.Kind, r.Thread, r.Text, r.Fold, r.Times, strings.Join(r.Lines, " ")})
		}
	}
	out.Flush()
	return out.Error()
}

// A Pair is two rows side by side, by their indexes; -1 is none.
type Pair struct {
	Left, Right int
	Same        bool // the rows differ in nothing but threads, amounts and lines
}

// Align sets two traces side by side. It returns the pairs of each event: first the calls,
// then what clients get, then the waits.
func Align(left, right Trace) (events [][]Pair, err error) {
	if !slices.EqualFunc(left.Events, right.Events, func(l, r Event) bool { return l.Name == r.Name }) {
		return nil, fmt.Errorf("the traces of %s and %s differ in their events", left.Flavor, right.Flavor)
	}
	for i := range left.Events {
		events = append(events, alignRows(left.Events[i].Rows, right.Events[i].Rows))
	}
	return events, nil
}

func alignRows(left, right []Row) (pairs []Pair) {
	for _, part := range []string{"call library runtime none", "client", "wait"} {
		of := func(rows []Row) (indexes []int) {
			for i, r := range rows {
				if strings.Contains(part, r.Kind) {
					indexes = append(indexes, i)
				}
			}
			return indexes
		}
		pairs = append(pairs, merge(of(left), of(right), func(l, r int) bool { return alike(left[l], right[r]) })...)
	}
	return pairs
}

// merge pairs indexes so that as many as can be are beside one that is alike. Those between
// them stand side by side as they come.
func merge(left, right []int, alike func(l, r int) bool) (pairs []Pair) {
	weight := func(i, j int) int {
		if alike(left[i], right[j]) {
			return 1
		}
		return 0
	}
	at := func(list []int, i int) int {
		if i < len(list) {
			return list[i]
		}
		return -1
	}
	between := func(left, right []int) {
		for i := range max(len(left), len(right)) {
			pairs = append(pairs, Pair{at(left, i), at(right, i), false})
		}
	}
	l, r := 0, 0 // behind the last pair
	for _, p := range align.Pairs(len(left), len(right), weight) {
		between(left[l:p[0]], right[r:p[1]])
		pairs = append(pairs, Pair{left[p[0]], right[p[1]], true})
		l, r = p[0]+1, p[1]+1
	}
	between(left[l:], right[r:])
	return pairs
}

var amount = regexp.MustCompile(`[1-9][0-9,]*`) // 0 bytes are the end

// alike tells whether two rows differ in nothing but threads, amounts and lines.
func alike(a, b Row) bool {
	return a.Kind == b.Kind && amount.ReplaceAllString(a.Text, "n") == amount.ReplaceAllString(b.Text, "n")
}

package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// What trace.sh has recorded of a flavor: the events of its conversation, and what the
// server did in each.
type (
	traceEvent struct {
		Name string     `json:"name"`
		Rows []traceRow `json:"rows"`
	}
	traceRow struct {
		Kind   string `json:"kind"` // call, runtime, wait, none, client, request, left
		Thread string `json:"thread"`
		Text   string `json:"text"`
		Times  string `json:"times"`
	}
)

// readTraces returns the traces of all flavors that have one.
func readTraces(dir string) (map[string][]traceEvent, error) {
	name := filepath.Join(dir, "scripts", "results", "trace.csv")
	traces := map[string][]traceEvent{}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return traces, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in := csv.NewReader(file)
	in.FieldsPerRecord = 8 // proto, flavor, event, kind, thread, text, fold, times
	records, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	titles := map[string]string{"request": "Calls in a request", "left": "Left out"}
	for _, record := range records {
		if record[0] != "resp" {
			continue // kv, or the header
		}
		flavor, event := record[1], record[2]
		r := traceRow{record[3], record[4], record[5], record[7]}
		if event == "" {
			event = titles[r.Kind]
		}
		events := traces[flavor]
		if len(events) == 0 || events[len(events)-1].Name != event {
			events = append(events, traceEvent{Name: event})
		}
		last := &events[len(events)-1]
		last.Rows = append(last.Rows, r)
		traces[flavor] = events
	}
	return traces, nil
}

var amount = regexp.MustCompile(`\d[\d,]*`)

// same reports whether two rows differ in nothing but amounts.
func (r traceRow) same(other traceRow) bool {
	return r.Kind == other.Kind && amount.ReplaceAllString(r.Text, "n") == amount.ReplaceAllString(other.Text, "n")
}

// A tracePair is two rows side by side, by number from 0; -1 is none.
type tracePair struct {
	Left  int  `json:"left"`
	Right int  `json:"right"`
	Same  bool `json:"same"`
}

// sideBySide pairs the rows of two traces, event by event.
func sideBySide(left, right []traceEvent) ([][]tracePair, error) {
	var events [][]tracePair
	for i, e := range left {
		if i >= len(right) || right[i].Name != e.Name || len(left) != len(right) {
			return nil, fmt.Errorf("the traces differ in their events: %q", e.Name)
		}
		events = append(events, pairRows(e.Rows, right[i].Rows))
	}
	return events, nil
}

func pairRows(left, right []traceRow) (rows []tracePair) {
	pairs := align(len(left), len(right), func(l, r int) int {
		if left[l].same(right[r]) {
			return 1
		}
		return 0
	})
	l, r := 0, 0
	for _, pair := range append(pairs, [2]int{len(left), len(right)}) {
		for l < pair[0] || r < pair[1] {
			one := tracePair{-1, -1, false}
			if l < pair[0] {
				one.Left = l
				l++
			}
			if r < pair[1] {
				one.Right = r
				r++
			}
			rows = append(rows, one)
		}
		if l < len(left) && r < len(right) {
			rows = append(rows, tracePair{l, r, true})
		}
		l++
		r++
	}
	return rows
}

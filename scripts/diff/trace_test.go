package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traceFile makes a folder with a trace.csv.
func traceFile(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	results := filepath.Join(dir, "scripts", "results")
	if err := os.MkdirAll(results, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(results, "trace.csv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const traceHeader = "proto,flavor,event,kind,thread,text,fold,times\n"

func TestReadTraces(t *testing.T) {
	got, err := readTraces(traceFile(t, traceHeader+`resp,stblock,A connects,call,,accept(listener) = A,,
resp,stblock,A connects,wait,,waits in read(A),,
resp,stblock,B connects,none,,no call,,
resp,stblock,,request,,"read 1, write 1",,
resp,stblock,,left,,futex 2,,
resp,busywait,A connects,call,1,read(A) = EAGAIN,1,"41,222"
kv,stblock,A connects,call,,never seen,,
`))
	want := map[string][]traceEvent{
		"stblock": {
			{"A connects", []traceRow{{"call", "", "accept(listener) = A", ""}, {"wait", "", "waits in read(A)", ""}}},
			{"B connects", []traceRow{{"none", "", "no call", ""}}},
			{"Calls in a request", []traceRow{{"request", "", "read 1, write 1", ""}}},
			{"Left out", []traceRow{{"left", "", "futex 2", ""}}},
		},
		"busywait": {{"A connects", []traceRow{{"call", "1", "read(A) = EAGAIN", "41,222"}}}},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, d)
	}
	if got, err := readTraces(t.TempDir()); err != nil || len(got) > 0 {
		t.Errorf("without a file: %v, %v", got, err)
	}
	if _, err := readTraces(traceFile(t, "what,is,this\n")); err == nil {
		t.Error("a file with other columns: no error")
	}
}

func TestSideBySide(t *testing.T) {
	rows := func(texts ...string) (rows []traceRow) {
		for _, text := range texts {
			rows = append(rows, traceRow{Kind: "call", Text: text})
		}
		return rows
	}
	left := []traceEvent{
		{"one", rows("read(A) = 38", "write(A) = 5", "close(A)")},
		{"two", rows("accept(listener) = B")},
		{"three", []traceRow{{Kind: "wait", Text: "x"}}},
	}
	right := []traceEvent{
		{"one", rows("epoll_wait(epoll) = A IN", "read(A) = 1,234", "close(A)")},
		{"two", rows("accept(listener) = B")},
		{"three", rows("x")},
	}
	got, err := sideBySide(left, right)
	want := [][]tracePair{
		{{-1, 0, false}, {0, 1, true}, {1, -1, false}, {2, 2, true}},
		{{0, 0, true}},
		{{0, 0, false}},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, d)
	}
	for _, other := range [][]traceEvent{left[:2], {left[0], left[2], left[1]}, append(left[:3:3], left[0])} {
		if _, err := sideBySide(left, other); err == nil {
			t.Errorf("%v and %v: no error", left, other)
		}
	}
}

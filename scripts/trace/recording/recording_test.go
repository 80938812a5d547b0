package recording

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const text = Header + `
resp,stblock,A connects,call,,accept(listener) = A,,,main.go:51 main.go:44 main.go:38
resp,stblock,A connects,wait,,waits in read(A),,,main.go:99
resp,stblock,B half-closes,none,,no call,,,
resp,stblock,B half-closes,client,,B gets nothing,,,
kv,stblock,A connects,call,1,"setsockopt(A, TCP_NODELAY)",1,"1,234",
kv,busywait,A connects,call,,read(A) = EAGAIN,1,n,main.go:9
`

// TestRead reads what Write has written.
func TestRead(t *testing.T) {
	traces, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Trace{
		{"resp", "stblock", []Event{
			{"A connects", []Row{
				{"call", "", "accept(listener) = A", "", "", []string{"main.go:51", "main.go:44", "main.go:38"}},
				{"wait", "", "waits in read(A)", "", "", []string{"main.go:99"}},
			}},
			{"B half-closes", []Row{{"none", "", "no call", "", "", []string{}}, {"client", "", "B gets nothing", "", "", []string{}}}},
		}},
		{"kv", "stblock", []Event{{"A connects", []Row{{"call", "1", "setsockopt(A, TCP_NODELAY)", "1", "1,234", []string{}}}}}},
		{"kv", "busywait", []Event{{"A connects", []Row{{"call", "", "read(A) = EAGAIN", "1", Vain, []string{"main.go:9"}}}}}},
	}
	if d := cmp.Diff(want, traces); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var out strings.Builder
	out.WriteString(Header + "\n")
	for _, trace := range traces {
		if err := trace.Write(&out); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff(text, out.String()); d != "" {
		t.Errorf("written (-want +got):\n%s", d)
	}
}

func TestReadOther(t *testing.T) {
	for _, text := range []string{"", "proto,flavor\n", Header + "\nresp,stblock\n"} {
		if traces, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q: %v", text, traces)
		}
	}
}

func TestAlign(t *testing.T) {
	for name, c := range map[string]struct{ left, right, want string }{
		"nothing":                 {"", "", ""},
		"the same, but for bytes": {"read(A) = 38; write(A) = 5", "read(A) = 1,234; write(A) = 5", "0-0+ 1-1+"},
		"the end is no amount":    {"read(A) = 38", "read(A) = 0", "0-0"},
		"more on the right":       {"read(A) = 38; write(A) = 5", "epoll_wait(epoll); read(A) = 38; write(A) = 5", "_-0 0-1+ 1-2+"},
		"more on the left":        {"a; b; c", "c", "0-_ 1-_ 2-0+"},
		"others side by side":     {"a; b; c", "a; x; y; c", "0-0+ 1-1 _-2 2-3+"},
		"in any order":            {"a; b; c; d", "b; a; c", "0-_ 1-0+ _-1 2-2+ 3-_"},
		"calls, clients, waits":   {"wait: read; client: 5", "client: 5; read; wait: read", "_-1 1-0+ 0-2+"},
	} {
		events, err := Align(trace(c.left), trace(c.right))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var pairs []string
		for _, p := range events[0] {
			pair := strings.ReplaceAll(fmt.Sprint(p.Left, " ", p.Right), "-1", "_")
			if p.Same {
				pair += "+"
			}
			pairs = append(pairs, strings.Replace(pair, " ", "-", 1))
		}
		if got := strings.Join(pairs, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if _, err := Align(trace("a"), Trace{Flavor: "other"}); err == nil || err.Error() != "the traces of one and other differ in their events" {
		t.Errorf("of different events: %v", err)
	}
}

// trace makes a trace of one event, of rows as in "read(A) = 38; wait: read".
func trace(text string) Trace {
	e := Event{Name: "A connects"}
	for row := range strings.SplitSeq(text, "; ") {
		if kind, rest, ok := strings.Cut(row, ": "); ok {
			e.Rows = append(e.Rows, Row{Kind: kind, Text: rest})
		} else if row != "" {
			e.Rows = append(e.Rows, Row{Kind: "call", Text: row})
		}
	}
	return Trace{Flavor: "one", Events: []Event{e}}
}

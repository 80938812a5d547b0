package history

import (
	"fmt"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, h := range []struct {
		name string
		ops  []Op
		want bool
	}{
		{"nothing", nil, true},
		{"one after the other", []Op{
			{1, 0, 1, "GET", "", ""}, {1, 2, 3, "SET", "a", "OK"}, {2, 4, 5, "GET", "", "a"},
			{1, 6, 7, "DEL", "", "1"}, {2, 8, 9, "DEL", "", "0"}, {2, 10, 11, "INCR", "", "1"},
			{1, 12, 13, "INCR", "", "2"}, {1, 14, 15, "GET", "", "2"}}, true},
		{"INCR of a word", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 3, "INCR", "", "ERR"}, {1, 4, 5, "GET", "", "a"}}, true},
		{"INCR of a word counts", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 3, "INCR", "", "1"}}, false},
		{"a reply of nobody's", []Op{{1, 0, 1, "SET", "a", "OK"}, {2, 2, 3, "GET", "", "b"}}, false},
		{"an old value", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 3, "SET", "b", "OK"}, {2, 4, 5, "GET", "", "a"}}, false},
		{"old during the change", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 6, "SET", "b", "OK"}, {2, 4, 5, "GET", "", "a"}}, true},
		{"new during the change", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 6, "SET", "b", "OK"}, {2, 4, 5, "GET", "", "b"}}, true},
		{"new, then old", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 9, "SET", "b", "OK"},
			{2, 3, 4, "GET", "", "b"}, {3, 5, 6, "GET", "", "a"}}, false},
		{"old, then new", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 9, "SET", "b", "OK"},
			{2, 3, 4, "GET", "", "a"}, {3, 5, 6, "GET", "", "b"}}, true},
		{"two at once see the same", []Op{{1, 0, 2, "INCR", "", "1"}, {2, 1, 3, "INCR", "", "1"}}, false},
		{"two at once", []Op{{1, 0, 2, "INCR", "", "2"}, {2, 1, 3, "INCR", "", "1"}}, true},
		{"a lost INCR", []Op{{1, 0, 2, "INCR", "", "1"}, {2, 1, 3, "INCR", "", "2"}, {2, 4, 5, "GET", "", "1"}}, false},
		{"two DEL one", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 5, "DEL", "", "1"}, {2, 3, 4, "DEL", "", "1"}}, false},
		{"two DEL two", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 2, 7, "DEL", "", "1"}, {2, 3, 8, "DEL", "", "1"}, {3, 4, 9, "SET", "b", "OK"}}, true},
		{"a client's requests at once, in order", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 0, 2, "SET", "b", "OK"}, {2, 3, 4, "GET", "", "b"}}, true},
		{"a client's requests at once, not in order", []Op{{1, 0, 1, "SET", "a", "OK"}, {1, 0, 2, "SET", "b", "OK"}, {2, 3, 4, "GET", "", "a"}}, false},
		{"the same of two clients", []Op{{1, 0, 1, "SET", "a", "OK"}, {2, 0, 2, "SET", "b", "OK"}, {2, 3, 4, "GET", "", "a"}}, true},
		{"a choice that is wrong far later", []Op{{1, 0, 9, "SET", "a", "OK"}, {2, 0, 9, "SET", "b", "OK"}, {3, 0, 9, "SET", "c", "OK"},
			{4, 10, 11, "GET", "", "b"}}, true},
	} {
		if got := Explain(h.ops); got != h.want {
			t.Errorf("%s: explained: %v; want %v", h.name, got, h.want)
		}
	}
}

// TestExplainMany has orders that are hard to find, and that there are none.
func TestExplainMany(t *testing.T) {
	var incrs, sets []Op
	for i := range 12 {
		incrs = append(incrs, Op{Client: i, Sent: int64(i), Done: 100, Name: "INCR", Reply: fmt.Sprint(12 - i)})
		sets = append(sets, Op{Client: i, Done: 100, Name: "SET", Value: fmt.Sprint(i), Reply: "OK"})
	}
	if !Explain(incrs) {
		t.Error("not explained: the other way round")
	}
	incrs[7].Reply = "11"
	if Explain(incrs) {
		t.Error("explained: 11 twice")
	}
	if !Explain(append(sets, Op{Sent: 101, Done: 102, Name: "GET", Reply: "5"})) {
		t.Error("not explained: one of the values")
	}
	if Explain(append(sets, Op{Sent: 101, Done: 102, Name: "GET", Reply: "12"})) {
		t.Error("explained: a value of nobody's")
	}
}

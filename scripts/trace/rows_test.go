//go:build linux

package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lineOf makes a line of its text, as in "write(A) = 7 of 9".
func lineOf(text string) line {
	l := line{kind: "call", n: -1}
	l.text, l.result, _ = strings.Cut(text, " = ")
	l.name, _, _ = strings.Cut(l.text, "(")
	if l.result == "EAGAIN" {
		l.call.result = "-1 EAGAIN (Resource temporarily unavailable)"
	}
	moved, of, _ := strings.Cut(l.result, " of ")
	if n, err := strconv.Atoi(moved); err == nil {
		l.n, l.of, l.result = n, n, ""
		if of != "" {
			l.of, _ = strconv.Atoi(of)
		}
	}
	return l
}

func TestFold(t *testing.T) {
	many := func(n int, calls ...string) (list []string) {
		for range n {
			list = append(list, calls...)
		}
		return list
	}
	join := func(lists ...[]string) (list []string) {
		for _, l := range lists {
			list = append(list, l...)
		}
		return list
	}
	for name, c := range map[string]struct{ calls, want []string }{
		"nothing": {nil, nil},
		"what is done once": {
			[]string{"read(A) = 38", "write(A) = 5", "close(A)", "read(B) = 0"},
			[]string{"read(A) = 38", "write(A) = 5", "close(A)", "read(B) = 0"},
		},
		"tries that are not repeated": {
			[]string{"accept(listener) = A", "accept(listener) = EAGAIN", "read(A) = EAGAIN"},
			[]string{"accept(listener) = A", "accept(listener) = EAGAIN", "read(A) = EAGAIN"},
		},
		"polls, in whatever order": {
			join([]string{"read(A) = 38", "write(A) = 5"}, many(1000, "read(B) = EAGAIN", "accept(listener) = EAGAIN"),
				many(234, "accept(listener) = EAGAIN", "read(B) = EAGAIN"), many(1, "accept(listener) = EAGAIN")),
			[]string{"read(A) = 38", "write(A) = 5", "1 × 1,235 accept(listener) = EAGAIN", "1 × 1,234 read(B) = EAGAIN"},
		},
		"a part of a reply, then polls": {
			join([]string{"write(A) = 7 of 9"}, many(3, "write(A) = EAGAIN")),
			[]string{"write(A) = 7 of 9", "1 × 3 write(A) = EAGAIN"},
		},
		"a reply in parts": {
			join(many(3, "epoll_wait(epoll) = A OUT", "write(A) = 4000"), []string{"epoll_ctl(epoll, MOD A, IN)"}),
			[]string{"1 × 3 epoll_wait(epoll) = A OUT", "1 × 3 write(A) = 12,000", "epoll_ctl(epoll, MOD A, IN)"},
		},
		"a reply in parts, then polls": {
			join(many(2, "write(A) = 4 of 8", "write(A) = EAGAIN"), many(2, "read(B) = EAGAIN", "read(A) = EAGAIN")),
			[]string{"1 × 2 write(A) = 8", "1 × 1 write(A) = EAGAIN",
				"2 × 2 read(A) = EAGAIN", "2 × 2 read(B) = EAGAIN", "2 × 1 write(A) = EAGAIN"},
		},
	} {
		var lines []line
		for _, text := range c.calls {
			lines = append(lines, lineOf(text))
		}
		var got []string
		for _, r := range fold(lines) {
			if r.fold != "" {
				r.text = fmt.Sprintf("%s × %s %s", r.fold, r.times, r.text)
			}
			got = append(got, r.text)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 41222: "41,222", 123456: "123,456", 4000012: "4,000,012"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	var lines []line
	for name, n := range map[string]int{"read": 2, "accept": 2, "write": 1234, "close": 1} {
		for range n {
			lines = append(lines, lineOf(name+"(A)"))
		}
	}
	if got, want := counts(lines), "write 1,234, accept 2, read 2, close 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := counts(nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// TestCut has polls go to the event before, until the first call that is something else.
func TestCut(t *testing.T) {
	var lines []line
	for i, text := range []string{"read(A) = EAGAIN", "read(A) = EAGAIN", "futex", "read(A) = EAGAIN", "read(A) = 3", "read(A) = EAGAIN"} {
		l := lineOf(text)
		l.enter, l.exit = 10*i, 10*i+5
		if text == "futex" {
			l.kind = ""
		}
		lines = append(lines, l)
	}
	for name, c := range map[string]struct {
		begins []int
		want   []int
	}{
		"at a call":           {[]int{0, 40, 90}, []int{0, 4, 6}},
		"before it":           {[]int{0, 10, 90}, []int{0, 4, 6}},
		"in the next event":   {[]int{0, 10, 30}, []int{0, 1, 4}},
		"as a call returns":   {[]int{0, 45, 46}, []int{4, 5, 5}},
		"with nothing behind": {[]int{50, 60, 70}, []int{5, 6, 6}},
	} {
		var events []event
		for _, begin := range c.begins {
			events = append(events, event{begin: begin})
		}
		if d := cmp.Diff(c.want, cut(lines, events)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

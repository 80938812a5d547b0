// Package history checks what concurrent clients saw of a server: there must be one
// order of all their requests, in which each takes effect between the time it was sent
// and the time its reply was there, that explains every reply. See "Linearizability: A
// Correctness Condition for Concurrent Objects" by Herlihy and Wing; the search is that
// of Wing and Gong, with the memory that Lowe added.
package history

import (
	"cmp"
	"slices"
	"strconv"
)

// An Op is a request about one key, and its reply.
type Op struct {
	Client     int
	Sent, Done int64  // times, of any unit
	Name       string // SET, GET, INCR or DEL
	Value      string // that SET stores; not empty
	Reply      string // OK to SET; a value, or nothing, to GET; a number; or ERR
}

// after returns the reply to o where value is stored, or nothing, and what is stored then.
func (o *Op) after(value string) (reply, next string) {
	switch o.Name {
	case "SET":
		return "OK", o.Value
	case "GET":
		return value, value
	case "DEL":
		if value == "" {
			return "0", ""
		}
		return "1", ""
	}
	if value == "" {
		value = "0"
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return "ERR", value
	}
	value = strconv.Itoa(n + 1)
	return value, value
}

// Explain reports whether there is an order of ops, which are about the same key, that
// explains their replies, beginning with nothing stored. The ops of a client are in the
// order in which it sent them.
func Explain(ops []Op) bool {
	s := search{ops: slices.Clone(ops), done: make([]bool, len(ops)), seen: map[string]bool{}}
	slices.SortStableFunc(s.ops, func(a, b Op) int { return cmp.Compare(a.Sent, b.Sent) })
	return s.explain(0, "")
}

// A search has put some ops in an order.
type search struct {
	ops  []Op            // by time sent
	done []bool          // which have a place
	seen map[string]bool // what led nowhere: which had a place, and what was stored then
}

// explain reports whether the ops that have no place yet, from the first, can follow
// where value is stored.
func (s *search) explain(first int, value string) bool {
	for first < len(s.ops) && s.done[first] {
		first++
	}
	if first == len(s.ops) {
		return true
	}
	next := s.candidates(first)
	for _, i := range next {
		reply, after := s.ops[i].after(value)
		if reply == s.ops[i].Reply && after == value && s.ops[i].Name != "SET" {
			next = []int{i} // with this reply it never changes anything: if there is an order, it may be next
			break
		}
	}
	key := s.key(first, value)
	if s.seen[key] {
		return false
	}
	s.seen[key] = true
	for _, i := range next {
		reply, after := s.ops[i].after(value)
		if reply != s.ops[i].Reply {
			continue
		}
		s.done[i] = true
		if s.explain(first, after) {
			return true
		}
		s.done[i] = false
	}
	return false
}

// key tells which ops have a place, and what is stored.
func (s *search) key(first int, value string) string {
	key := strconv.AppendInt(nil, int64(first), 10)
	for i := first; i < len(s.ops) && s.ops[i].Sent <= s.ops[first].Done; i++ {
		if s.done[i] {
			key = strconv.AppendInt(append(key, ' '), int64(i), 10)
		}
	}
	return string(key) + "\n" + value
}

// candidates returns the ops that may be next: no other was done before they were sent,
// and none of the same client is before them.
func (s *search) candidates(first int) (next []int) {
	waits := map[int]bool{} // clients
	end := s.ops[first].Done
	for i := first; i < len(s.ops) && s.ops[i].Sent <= end; i++ {
		if o := s.ops[i]; !s.done[i] {
			if end = min(end, o.Done); !waits[o.Client] {
				next = append(next, i)
			}
			waits[o.Client] = true
		}
	}
	return next
}

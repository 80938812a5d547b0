package respproto

import (
	"bytes"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		args string // separated by spaces
		want Command
	}{
		{"GET k", Get}, {"get k", Get}, {"gEt k", Get}, {"GET", Other}, {"GET k x", Other},
		{"SET k v", Set}, {"set k v", Set}, {"SET k", Other}, {"SET", Other}, {"SET k v NX", Other},
		{"DEL k", Del}, {"del a b c", Del}, {"DEL", Other}, {"UNLINK a b", Del}, {"unlink", Other},
		{"EXISTS k", Exists}, {"exists a a", Exists}, {"EXISTS", Other},
		{"INCR k", Incr}, {"incr k", Incr}, {"INCR", Other}, {"INCR k 1", Other},
		{"INCRBY k 1", Incr}, {"incrby k 1", Incr}, {"INCRBY k", Other}, {"INCRBY k 1 2", Other},
		{"DBSIZE", DBSize}, {"dbsize", DBSize}, {"DBSIZE x", Other},
		{"FLUSHALL", FlushAll}, {"flushdb", FlushAll}, {"FLUSHALL ASYNC", FlushAll}, {"FLUSHDB sync", FlushAll},
		{"FLUSHALL x", Other}, {"FLUSHALL SYNC x", Other}, {"FLUSHALL sync async", Other}, {"FLUSHALL " + long, Other},
		{"INFO", Other}, {"QUIT", Other}, {"POST / HTTP/1.1", Other}, {"Host: localhost", Other},
		{"PING", Other}, {"HELLO 3", Other}, {"nosuch", Other}, {"", Other}, {" k", Other},
		{"GETS k", Other}, {"GE k", Other}, {"GET\x00 k", Other}, {"flushall ", Other}, {long, Other},
		{"\u0130NCR k", Other}, {"\u017fET k v", Other}, // letters that Unicode folds to ASCII
	} {
		if got := Lookup(split(tt.args)); got != tt.want {
			t.Errorf("Lookup(%.40q) = %d, want %d", tt.args, got, tt.want)
		}
	}
	if got := Lookup(nil); got != Other {
		t.Errorf("Lookup of an empty request = %d, want Other", got)
	}
}

// A long name costs nothing.
func TestLookupAllocatesNothing(t *testing.T) {
	args := [][]byte{bytes.Repeat([]byte("x"), 1<<20), []byte("k")}
	if n := testing.AllocsPerRun(10, func() { Lookup(args) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// split returns the arguments that are separated by single spaces.
func split(args string) [][]byte {
	var list [][]byte
	for a := range strings.SplitSeq(args, " ") {
		list = append(list, []byte(a))
	}
	return list
}

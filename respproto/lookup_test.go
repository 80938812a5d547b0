package respproto

import (
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
		{"DEL k", Del}, {"del a b c", Del}, {"DEL", Other},
		{"EXISTS k", Exists}, {"exists a a", Exists}, {"EXISTS", Other},
		{"INCR k", Incr}, {"incr k", Incr}, {"INCR", Other}, {"INCR k 1", Other},
		{"DBSIZE", DBSize}, {"dbsize", DBSize}, {"DBSIZE x", Other},
		{"FLUSHALL", FlushAll}, {"flushdb", FlushAll}, {"FLUSHALL ASYNC", FlushAll}, {"FLUSHDB sync", FlushAll},
		{"FLUSHALL x", Other}, {"FLUSHALL SYNC x", Other}, {"FLUSHALL sync async", Other}, {"FLUSHALL " + long, Other},
		{"INFO", Info}, {"info server clients", Info},
		{"QUIT", Quit}, {"quit now please", Quit},
		{"POST / HTTP/1.1", HTTP}, {"post", HTTP}, {"Host: localhost", HTTP}, {"HOST:", HTTP}, {"host", Other},
		{"PING", Other}, {"HELLO 3", Other}, {"nosuch", Other}, {"", Other}, {" k", Other},
		{"GETS k", Other}, {"GE k", Other}, {"GET\x00 k", Other}, {"flushall ", Other}, {long, Other},
		{"\u0130NCR k", Other}, {"INFO\u0130", Other}, {"po\u017ft", Other}, // letters that Unicode folds to ASCII
	} {
		if got := Lookup(split(tt.args)); got != tt.want {
			t.Errorf("Lookup(%.40q) = %d, want %d", tt.args, got, tt.want)
		}
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

package respproto

// A Command is an operation on the dictionary.
type Command int

// The commands that read or change the dictionary. Everything else is Other.
const (
	Other    Command = iota
	Get              // GET key
	Set              // SET key value
	Del              // DEL key [key ...], or UNLINK, which is the same here
	Exists           // EXISTS key [key ...]
	Incr             // INCR key, or INCRBY key amount
	DBSize           // DBSIZE
	FlushAll         // FLUSHALL or FLUSHDB, with ASYNC or SYNC or neither
)

// Lookup returns the command of a request with the given arguments. Names are
// case-insensitive. A request whose arguments do not fit is Other.
func Lookup(args [][]byte) Command {
	if len(args) == 0 {
		return Other
	}
	var buf [nameLen]byte
	n := len(args)
	if len(args[0]) > nameLen {
		return Other
	}
	switch string(appendLower(buf[:0], args[0])) {
	case "get":
		return onlyIf(n == 2, Get)
	case "set":
		return onlyIf(n == 3, Set)
	case "del", "unlink":
		return onlyIf(n >= 2, Del)
	case "exists":
		return onlyIf(n >= 2, Exists)
	case "incr":
		return onlyIf(n == 2, Incr)
	case "incrby":
		return onlyIf(n == 3, Incr)
	case "dbsize":
		return onlyIf(n == 1, DBSize)
	case "flushall", "flushdb":
		return onlyIf(n == 1 || n == 2 && (is(args[1], "async") || is(args[1], "sync")), FlushAll)
	}
	return Other
}

func onlyIf(fits bool, c Command) Command {
	if fits {
		return c
	}
	return Other
}

// nameLen is the length of the longest name of a command that we know.
const nameLen = len("flushall")

// appendLower appends a name in lower case. It folds only ASCII letters: Unicode
// folding would turn some other letters into ASCII ones.
func appendLower(buf, name []byte) []byte {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

// is reports whether arg equals word, ignoring case. word must be in lower case.
func is(arg []byte, word string) bool {
	return len(arg) == len(word) && string(appendLower(make([]byte, 0, nameLen), arg)) == word
}

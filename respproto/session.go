package respproto

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"time"
)

// Version is the version of redis-server that the replies imitate. Clients read it
// in HELLO and INFO, and some use fewer features with an older server.
const Version = "7.0.15"

// A Session is one connection's state: how far its input has been parsed, its
// protocol version, and what CLIENT and HELLO have set. A Session is used by one
// goroutine at a time.
type Session struct {
	parser parser
	resp3  bool
	id     int64
	name   string
}

// Counters for INFO, over all sessions of the process.
var opened, closed, commands atomic.Int64

var started = time.Now()

// NewSession begins a connection's session, in RESP2.
func NewSession() *Session { return &Session{id: opened.Add(1)} }

// Close ends the session, so that INFO no longer counts its client.
func (s *Session) Close() { closed.Add(1) }

// arity is how many arguments a command takes, its own name included.
type arity struct{ min, max int }

const many = math.MaxInt

var arities = map[string]arity{
	"get": {2, 2}, "set": {3, many}, "del": {2, many}, "unlink": {2, many}, "exists": {2, many}, "incr": {2, 2},
	"incrby": {3, 3}, "dbsize": {1, 1}, "flushall": {1, many}, "flushdb": {1, many},
	"ping": {1, 2}, "echo": {2, 2}, "hello": {1, many}, "auth": {2, many}, "select": {2, 2},
	"reset": {1, 1}, "command": {1, many}, "client": {2, many}, "config": {2, many},
	"client|setinfo": {4, 4}, "client|setname": {3, 3}, "client|getname": {2, 2},
	"client|id": {2, 2}, "client|no-evict": {3, 3}, "client|no-touch": {3, 3},
	"client|help": {2, 2}, "config|get": {3, many}, "config|help": {2, 2},
	"command|count": {2, 2}, "command|help": {2, 2},
}

// Errors of [Session.AppendOther].
var (
	errSyntax     = errors.New("syntax error")
	errDBIndex    = errors.New("DB index is out of range")
	errClientName = errors.New("Client names cannot contain spaces, newlines or special characters.")
	errInt32      = errors.New("value is out of range, value must between -2147483648 and 2147483647")
	errVersion    = errors.New("Protocol version is not an integer or out of range")
	errNoPassword = errors.New("AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
)

// AppendOther answers what [Lookup] calls Other: PING, ECHO, HELLO, AUTH, SELECT,
// CLIENT, COMMAND, CONFIG GET, INFO, QUIT and RESET. To anything else it replies
// with the error that redis-server has for it: an unknown command, a wrong number
// of arguments, or wrong arguments. An empty request has no reply. keys is the
// number of keys, which INFO reports.
//
// It reports whether to close the connection once out has been sent: after QUIT,
// and after HTTP (POST, Host:), as a web page could make a browser attack us.
func (s *Session) AppendOther(out []byte, args [][]byte, keys int) (_ []byte, quit bool) {
	if len(args) == 0 {
		return out, false
	}
	switch name := lower(atMost(128, args[0])); name {
	case "quit":
		return AppendOK(out), true
	case "post", "host:":
		return out, true
	case "info":
		return s.appendInfo(out, args[1:], keys), false
	default:
		return s.appendOther(out, name, args), false
	}
}

// appendOther answers the commands that have a number of arguments to check.
func (s *Session) appendOther(out []byte, name string, args [][]byte) []byte {
	want, known := arities[name]
	if !known || strings.Contains(name, "|") {
		return AppendError(out, unknownCommand(args))
	}
	if len(args) < want.min || len(args) > want.max {
		return AppendError(out, wrongNumber(name))
	}
	switch name {
	case "ping":
		if len(args) == 1 {
			return append(out, "+PONG\r\n"...)
		}
		return AppendBulk(out, args[1])
	case "echo":
		return AppendBulk(out, args[1])
	case "hello":
		return s.appendHello(out, args)
	case "auth":
		return appendAuth(out, args[1:])
	case "select":
		return appendSelect(out, args[1])
	case "reset":
		s.resp3, s.name = false, ""
		return append(out, "+RESET\r\n"...)
	case "command", "client", "config":
		if len(args) == 1 { // COMMAND: the list of all, which is empty
			return append(out, "*0\r\n"...)
		}
		return s.appendSub(out, name, args)
	}
	return AppendError(out, errSyntax) // SET, FLUSHALL and FLUSHDB with options
}

// appendHello answers HELLO [2|3] [AUTH username password] [SETNAME name].
func (s *Session) appendHello(out []byte, args [][]byte) []byte {
	version := int64(2)
	if s.resp3 {
		version = 3
	}
	if len(args) > 1 {
		var ok bool
		if version, ok = parseInt(args[1]); !ok {
			return AppendError(out, errVersion)
		}
		if version != 2 && version != 3 {
			return appendError(out, "NOPROTO unsupported protocol version")
		}
	}
	for i := 2; i < len(args); {
		switch more := len(args) - i - 1; {
		case is(args[i], "auth") && more >= 2:
			if !authorized(args[i+1]) {
				return appendError(out, wrongPass)
			}
			i += 3
		case is(args[i], "setname") && more >= 1:
			if !validName(args[i+1]) {
				return AppendError(out, errClientName)
			}
			s.name = string(args[i+1]) // even if a later option is wrong
			i += 2
		default:
			return AppendError(out, fmt.Errorf("Syntax error in HELLO option '%s'", atMost(128, args[i])))
		}
	}
	s.resp3 = version == 3
	out = s.appendMap(out, 7)
	out = AppendBulk(AppendBulk(out, "server"), "redis")
	out = AppendBulk(AppendBulk(out, "version"), Version)
	out = AppendInt(AppendBulk(out, "proto"), version)
	out = AppendInt(AppendBulk(out, "id"), s.id)
	out = AppendBulk(AppendBulk(out, "mode"), "standalone")
	out = AppendBulk(AppendBulk(out, "role"), "master")
	return append(AppendBulk(out, "modules"), "*0\r\n"...)
}

const wrongPass = "WRONGPASS invalid username-password pair or user is disabled."

// authorized reports whether user is the only one, default; any password will do.
func authorized(user []byte) bool { return string(user) == "default" }

func appendAuth(out []byte, args [][]byte) []byte {
	switch {
	case len(args) == 1:
		return AppendError(out, errNoPassword)
	case len(args) > 2:
		return AppendError(out, errSyntax)
	case !authorized(args[0]):
		return appendError(out, wrongPass)
	}
	return AppendOK(out)
}

func appendSelect(out, index []byte) []byte {
	n, ok := parseInt(index)
	switch {
	case !ok:
		return AppendError(out, errNotInteger)
	case n != int64(int32(n)):
		return AppendError(out, errInt32)
	case n != 0:
		return AppendError(out, errDBIndex)
	}
	return AppendOK(out)
}

// appendSub answers the subcommands of COMMAND, CLIENT and CONFIG.
func (s *Session) appendSub(out []byte, name string, args [][]byte) []byte {
	sub := name + "|" + lower(atMost(128, args[1]))
	want, known := arities[sub]
	if !known {
		return AppendError(out, fmt.Errorf("unknown subcommand '%s'. Try %s HELP.", atMost(128, args[1]), strings.ToUpper(name)))
	}
	if len(args) < want.min || len(args) > want.max {
		return AppendError(out, wrongNumber(sub))
	}
	switch sub {
	case "client|id":
		return AppendInt(out, s.id)
	case "client|getname":
		if s.name == "" {
			return s.AppendNull(out)
		}
		return AppendBulk(out, s.name)
	case "client|setname":
		if !validName(args[2]) {
			return AppendError(out, errClientName)
		}
		s.name = string(args[2])
	case "client|no-evict", "client|no-touch":
		if !is(args[2], "on") && !is(args[2], "off") {
			return AppendError(out, errSyntax)
		}
	case "client|help":
		return appendLines(out, "CLIENT <subcommand>:", "GETNAME", "ID", "NO-EVICT ON|OFF", "NO-TOUCH ON|OFF", "SETINFO <option> <value>", "SETNAME <name>")
	case "command|count":
		return AppendInt(out, 0)
	case "command|help":
		return appendLines(out, "COMMAND <subcommand>:", "(no subcommand)", "COUNT")
	case "config|help":
		return appendLines(out, "CONFIG <subcommand>:", "GET <pattern> [<pattern> ...]")
	case "config|get":
		return s.appendConfig(out, args[2:])
	}
	return AppendOK(out) // also for SETINFO, which is ignored
}

// appendConfig answers CONFIG GET with the two settings that redis-benchmark asks
// for: nothing is ever saved.
func (s *Session) appendConfig(out []byte, patterns [][]byte) []byte {
	var pairs []string
	for _, setting := range [][2]string{{"save", ""}, {"appendonly", "no"}} {
		for _, p := range patterns {
			if name, ok := matchSetting(p, setting[0]); ok {
				pairs = append(pairs, name, setting[1])
				break
			}
		}
	}
	out = s.appendMap(out, int64(len(pairs)/2))
	for _, text := range pairs {
		out = AppendBulk(out, text)
	}
	return out
}

// matchSetting reports whether pattern matches name, and returns the name to reply with: as
// the client spelled it, unless it has wildcards. Patterns over maxPattern match nothing.
func matchSetting(pattern []byte, name string) (_ string, ok bool) {
	if is(pattern, name) {
		return string(pattern), true
	}
	ok, _ = path.Match(lower(atMost(maxPattern, pattern)), name)
	return name, ok && len(pattern) <= maxPattern
}

const maxPattern = 128 // bytes in a pattern of CONFIG GET

// appendInfo answers INFO, or the sections of it that are named.
func (s *Session) appendInfo(out []byte, names [][]byte, keys int) []byte {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	var keyspace string
	if keys > 0 {
		keyspace = fmt.Sprintf("db0:keys=%d,expires=0,avg_ttl=0\r\n", keys)
	}
	sections := []struct{ name, text string }{
		{"Server", fmt.Sprintf("redis_version:%s\r\nserver_name:ioflavors\r\nredis_mode:standalone\r\nprocess_id:%d\r\nuptime_in_seconds:%d\r\n",
			Version, os.Getpid(), int(time.Since(started).Seconds()))},
		{"Clients", fmt.Sprintf("connected_clients:%d\r\nblocked_clients:0\r\n", opened.Load()-closed.Load())},
		{"Memory", fmt.Sprintf("used_memory:%d\r\n", heap[0].Value.Uint64())},
		{"Persistence", "loading:0\r\n"},
		{"Stats", fmt.Sprintf("total_connections_received:%d\r\ntotal_commands_processed:%d\r\n", opened.Load(), commands.Load())},
		{"Replication", "role:master\r\n"},
		{"Keyspace", keyspace},
	}
	var text []byte
	for _, section := range sections {
		if !wanted(names, section.name) {
			continue
		}
		if len(text) > 0 {
			text = append(text, "\r\n"...)
		}
		text = fmt.Appendf(text, "# %s\r\n%s", section.name, section.text)
	}
	return AppendBulk(out, text)
}

// wanted reports whether INFO's arguments ask for the section.
func wanted(args [][]byte, section string) bool {
	section = strings.ToLower(section)
	for _, a := range args {
		if is(a, "all") || is(a, "default") || is(a, "everything") || is(a, section) {
			return true
		}
	}
	return len(args) == 0
}

// validName: a client's name has only visible ASCII characters, at most MaxLine.
func validName(name []byte) bool {
	return len(name) <= MaxLine && bytes.IndexFunc(name, func(r rune) bool { return r < '!' || r > '~' }) < 0
}

func appendLines(out []byte, lines ...string) []byte {
	out = appendHeader(out, '*', int64(len(lines)))
	for _, l := range lines {
		out = append(append(append(out, '+'), l...), "\r\n"...)
	}
	return out
}

func wrongNumber(name string) error {
	return fmt.Errorf("wrong number of arguments for '%s' command", name)
}

// unknownCommand quotes at most 128 bytes of the name, and about 128 of the rest.
func unknownCommand(args [][]byte) error {
	var rest []byte
	for _, a := range args[1:] {
		if len(rest) >= 128 {
			break
		}
		rest = fmt.Appendf(rest, "'%s' ", atMost(128-len(rest), a))
	}
	return fmt.Errorf("unknown command '%s', with args beginning with: %s", atMost(128, args[0]), rest)
}

func lower(name []byte) string { return string(appendLower(make([]byte, 0, 32), name)) }

func atMost(n int, b []byte) []byte { return b[:min(n, len(b))] }

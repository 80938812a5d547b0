package respproto

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	hello2 = "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:7\r\n" +
		"$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
	hello3 = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:7\r\n" +
		"$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
	wrongPassword = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
	wrongName     = "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"
	notInteger    = "-ERR value is not an integer or out of range\r\n"
	notInt32      = "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n"
	notVersion    = "-ERR Protocol version is not an integer or out of range\r\n"
	noPassword    = "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n"
)

func wrong(command string) string {
	return "-ERR wrong number of arguments for '" + command + "' command\r\n"
}

// Each test is one connection: requests, whose arguments are separated by spaces,
// and their replies. There are three keys.
var otherTests = []struct {
	name  string
	turns []string
}{
	{"ping", []string{
		"PING", "+PONG\r\n",
		"ping", "+PONG\r\n",
		"PING hello", "$5\r\nhello\r\n",
		"PING \r\n+x", "$4\r\n\r\n+x\r\n",
		"PING a b", wrong("ping"),
	}},
	{"echo", []string{
		"ECHO \x00\xff\r\n", "$4\r\n\x00\xff\r\n\r\n",
		"ECHO ", "$0\r\n\r\n",
		"Echo", wrong("echo"),
		"ECHO a b", wrong("echo"),
	}},
	{"hello", []string{
		"HELLO", hello2,
		"HELLO 2", hello2,
		"HELLO 3", hello3,
		"HELLO", hello3,
		"HELLO 2", hello2,
		"hello 3 auth default any", hello3,
		"HELLO 2 SETNAME joe", hello2,
		"CLIENT GETNAME", "$3\r\njoe\r\n",
		"HELLO 3 SETNAME a AUTH default x SETNAME b", hello3,
		"CLIENT GETNAME", "$1\r\nb\r\n",
		"HELLO 2 SETNAME ", hello2,
		"CLIENT GETNAME", "$-1\r\n",
	}},
	{"hello, wrong", []string{
		"HELLO 4", "-NOPROTO unsupported protocol version\r\n",
		"HELLO 1", "-NOPROTO unsupported protocol version\r\n",
		"HELLO 0", "-NOPROTO unsupported protocol version\r\n",
		"HELLO -3", "-NOPROTO unsupported protocol version\r\n",
		"HELLO x", notVersion,
		"HELLO 03", notVersion,
		"HELLO 99999999999999999999", notVersion,
		"HELLO ", notVersion,
		"HELLO AUTH default x", notVersion,
		"HELLO 3 AUTH joe x", wrongPassword,
		"HELLO 3 AUTH DEFAULT x", wrongPassword,
		"HELLO 3 AUTH default", "-ERR Syntax error in HELLO option 'AUTH'\r\n",
		"HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'\r\n",
		"HELLO 3 \u017fetname a", "-ERR Syntax error in HELLO option '\u017fetname'\r\n",
		"HELLO 3 a\r\nb", "-ERR Syntax error in HELLO option 'a  b'\r\n",
		"HELLO 3 SETNAME a\x7f", wrongName,
		"CLIENT GETNAME", "$-1\r\n", // still RESP2, and no name
		"HELLO 3 SETNAME joe oops", "-ERR Syntax error in HELLO option 'oops'\r\n",
		"CLIENT GETNAME", "$3\r\njoe\r\n", // the name stays, as in redis-server
		"HELLO", hello2,
	}},
	{"auth", []string{
		"AUTH secret", noPassword,
		"AUTH default secret", "+OK\r\n",
		"AUTH joe secret", wrongPassword,
		"AUTH a b c", "-ERR syntax error\r\n",
		"AUTH", wrong("auth"),
	}},
	{"select", []string{
		"SELECT 0", "+OK\r\n",
		"SELECT 1", "-ERR DB index is out of range\r\n",
		"SELECT -1", "-ERR DB index is out of range\r\n",
		"SELECT 2147483647", "-ERR DB index is out of range\r\n",
		"SELECT -2147483648", "-ERR DB index is out of range\r\n",
		"SELECT 2147483648", notInt32,
		"SELECT -2147483649", notInt32,
		"SELECT 9223372036854775807", notInt32,
		"SELECT 9223372036854775808", notInteger,
		"SELECT x", notInteger,
		"SELECT 00", notInteger,
		"SELECT ", notInteger,
		"SELECT", wrong("select"),
		"SELECT 0 0", wrong("select"),
	}},
	{"client", []string{
		"CLIENT ID", ":7\r\n",
		"CLIENT GETNAME", "$-1\r\n",
		"CLIENT SETNAME joe", "+OK\r\n",
		"client getname", "$3\r\njoe\r\n",
		"CLIENT SETNAME a\x00b", wrongName,
		"CLIENT SETNAME \u00e9", wrongName,
		"CLIENT SETNAME a\nb", wrongName,
		"CLIENT GETNAME", "$3\r\njoe\r\n",
		"CLIENT SETNAME ", "+OK\r\n",
		"CLIENT GETNAME", "$-1\r\n",
		"CLIENT SETINFO LIB-NAME lib", "+OK\r\n",
		"CLIENT SETINFO lib-ver 1.2.3", "+OK\r\n",
		"CLIENT NO-EVICT on", "+OK\r\n",
		"CLIENT NO-EVICT OFF", "+OK\r\n",
		"CLIENT NO-EVICT maybe", "-ERR syntax error\r\n",
		"CLIENT NO-TOUCH on", "+OK\r\n",
		"CLIENT NO-TOUCH maybe", "-ERR syntax error\r\n",
	}},
	{"client, wrong", []string{
		"CLIENT", wrong("client"),
		"CLIENT ID x", wrong("client|id"),
		"CLIENT getName x", wrong("client|getname"),
		"CLIENT SETNAME", wrong("client|setname"),
		"CLIENT SETINFO a", wrong("client|setinfo"),
		"CLIENT SETINFO a b c", wrong("client|setinfo"),
		"CLIENT NO-EVICT", wrong("client|no-evict"),
		"CLIENT NO-TOUCH", wrong("client|no-touch"),
		"CLIENT HELP x", wrong("client|help"),
		"CLIENT X", "-ERR unknown subcommand 'X'. Try CLIENT HELP.\r\n",
		"client x", "-ERR unknown subcommand 'x'. Try CLIENT HELP.\r\n",
		"CLIENT ", "-ERR unknown subcommand ''. Try CLIENT HELP.\r\n",
		"CLIENT a\r\n", "-ERR unknown subcommand 'a  '. Try CLIENT HELP.\r\n",
		"CLIENT \u0130D", "-ERR unknown subcommand '\u0130D'. Try CLIENT HELP.\r\n",
		"CLIENT TRACKING ON OPTIN", "-ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.\r\n",
		"CLIENT MAINT_NOTIFICATIONS ON", "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n",
		"CLIENT " + strings.Repeat("x", 129), "-ERR unknown subcommand '" + strings.Repeat("x", 128) + "'. Try CLIENT HELP.\r\n",
	}},
	{"help", []string{
		"CLIENT HELP", "*7\r\n+CLIENT <subcommand>:\r\n+GETNAME\r\n+ID\r\n+NO-EVICT ON|OFF\r\n+NO-TOUCH ON|OFF\r\n+SETINFO <option> <value>\r\n+SETNAME <name>\r\n",
		"CONFIG HELP", "*2\r\n+CONFIG <subcommand>:\r\n+GET <pattern> [<pattern> ...]\r\n",
	}},
	{"command", []string{
		"COMMAND", "*0\r\n",
		"COMMAND DOCS", "-ERR unknown subcommand 'DOCS'. Try COMMAND HELP.\r\n",
		"COMMAND COUNT", ":0\r\n",
		"command count", ":0\r\n",
		"COMMAND COUNT x", wrong("command|count"),
		"COMMAND NOSUCH a b", "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.\r\n",
		"COMMAND HELP", "*3\r\n+COMMAND <subcommand>:\r\n+(no subcommand)\r\n+COUNT\r\n",
		"HELLO 3", hello3,
		"COMMAND", "*0\r\n",
	}},
	{"config", []string{
		"CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n",
		"config get APPENDONLY", "*2\r\n$10\r\nAPPENDONLY\r\n$2\r\nno\r\n",
		"CONFIG GET Save save", "*2\r\n$4\r\nSave\r\n$0\r\n\r\n",
		"CONFIG GET SAV? save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n",
		"CONFIG GET *", "*4\r\n$4\r\nsave\r\n$0\r\n\r\n$10\r\nappendonly\r\n$2\r\nno\r\n",
		"CONFIG GET s?ve", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n",
		"CONFIG GET appendonly save appendonly", "*4\r\n$4\r\nsave\r\n$0\r\n\r\n$10\r\nappendonly\r\n$2\r\nno\r\n",
		"CONFIG GET maxmemory", "*0\r\n",
		"CONFIG GET [", "*0\r\n",
		"CONFIG GET \\", "*0\r\n",
		"CONFIG GET ", "*0\r\n",
		"CONFIG", wrong("config"),
		"CONFIG GET", wrong("config|get"),
		"CONFIG HELP x", wrong("config|help"),
		"CONFIG SET save x", "-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n",
		"HELLO 3", hello3,
		"CONFIG GET save", "%1\r\n$4\r\nsave\r\n$0\r\n\r\n",
		"CONFIG GET *", "%2\r\n$4\r\nsave\r\n$0\r\n\r\n$10\r\nappendonly\r\n$2\r\nno\r\n",
		"CONFIG GET maxmemory", "%0\r\n",
	}},
	{"reset", []string{
		"HELLO 3 SETNAME joe", hello3,
		"RESET", "+RESET\r\n",
		"HELLO", hello2,
		"CLIENT GETNAME", "$-1\r\n",
		"RESET x", wrong("reset"),
	}},
	{"dictionary commands that do not fit", []string{
		"GET", wrong("get"),
		"gEt a b", wrong("get"),
		"SET", wrong("set"),
		"SET k", wrong("set"),
		"SET k v NX", "-ERR syntax error\r\n",
		"SET k v EX 10", "-ERR syntax error\r\n",
		"DEL", wrong("del"),
		"unlink", wrong("unlink"),
		"EXISTS", wrong("exists"),
		"INCR", wrong("incr"),
		"INCR k 1", wrong("incr"),
		"INCRBY k", wrong("incrby"),
		"INCRBY k 1 2", wrong("incrby"),
		"DBSIZE x", wrong("dbsize"),
		"FLUSHALL x", "-ERR syntax error\r\n",
		"FLUSHALL SYNC x", "-ERR syntax error\r\n",
		"FLUSHDB x", "-ERR syntax error\r\n",
	}},
	{"unknown", []string{
		"foo", "-ERR unknown command 'foo', with args beginning with: \r\n",
		"foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n",
		"Foo ", "-ERR unknown command 'Foo', with args beginning with: '' \r\n",
		"", "-ERR unknown command '', with args beginning with: \r\n",
		"a\r\nb c\nd", "-ERR unknown command 'a  b', with args beginning with: 'c d' \r\n",
		"\x00\xff \x80", "-ERR unknown command '\x00\xff', with args beginning with: '\x80' \r\n",
		"client|id", "-ERR unknown command 'client|id', with args beginning with: \r\n",
		"config|get x", "-ERR unknown command 'config|get', with args beginning with: 'x' \r\n",
		"P\u0130NG", "-ERR unknown command 'P\u0130NG', with args beginning with: \r\n",
		"\u212aEYS", "-ERR unknown command '\u212aEYS', with args beginning with: \r\n",
		strings.Repeat("n", 128), "-ERR unknown command '" + strings.Repeat("n", 128) + "', with args beginning with: \r\n",
		strings.Repeat("n", 129), "-ERR unknown command '" + strings.Repeat("n", 128) + "', with args beginning with: \r\n",
		"foo " + strings.Repeat("a", 128), "-ERR unknown command 'foo', with args beginning with: '" + strings.Repeat("a", 128) + "' \r\n",
		"foo " + strings.Repeat("a", 129) + " b", "-ERR unknown command 'foo', with args beginning with: '" + strings.Repeat("a", 128) + "' \r\n",
		"foo " + strings.Repeat("a", 124) + " bcd e", "-ERR unknown command 'foo', with args beginning with: '" + strings.Repeat("a", 124) + "' 'b' \r\n",
		"foo " + strings.Repeat("a", 125) + " b", "-ERR unknown command 'foo', with args beginning with: '" + strings.Repeat("a", 125) + "' \r\n",
		"foo" + strings.Repeat(" ", 100), "-ERR unknown command 'foo', with args beginning with: " + strings.Repeat("'' ", 43) + "\r\n",
	}},
}

func TestAppendOther(t *testing.T) {
	for _, tt := range otherTests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSession()
			defer s.Close()
			s.id = 7
			for i := 0; i < len(tt.turns); i += 2 {
				args, want := split(tt.turns[i]), tt.turns[i+1]
				if c := Lookup(args); c != Other {
					t.Errorf("Lookup(%q) = %d, want Other", args, c)
				}
				got, quit := s.AppendOther([]byte("before"), args, 3)
				if quit {
					t.Errorf("%.80q closes the connection", args)
				}
				if diff := cmp.Diff("before"+want, string(got)); diff != "" {
					t.Errorf("%.80q (-want +got):\n%s", args, diff)
				}
			}
		})
	}
}

// QUIT and what browsers send close the connection; nothing else does.
func TestAppendOtherQuit(t *testing.T) {
	for _, tt := range []struct {
		args, want string
		quit       bool
	}{
		{"QUIT", "+OK\r\n", true},
		{"quit now please", "+OK\r\n", true},
		{"POST / HTTP/1.1", "", true},
		{"post", "", true},
		{"Host: localhost", "", true},
		{"HOST:", "", true},
		{"QUITS", "-ERR unknown command 'QUITS', with args beginning with: \r\n", false},
		{"Host", "-ERR unknown command 'Host', with args beginning with: \r\n", false},
		{"qu\u0130t", "-ERR unknown command 'qu\u0130t', with args beginning with: \r\n", false},
		{"ho\u017ft:", "-ERR unknown command 'ho\u017ft:', with args beginning with: \r\n", false},
		{strings.Repeat("quit", 1000), "-ERR unknown command '" + strings.Repeat("quit", 32) + "', with args beginning with: \r\n", false},
	} {
		out, quit := NewSession().AppendOther([]byte("x"), split(tt.args), 0)
		if string(out) != "x"+tt.want || quit != tt.quit {
			t.Errorf("%.40q = %q, %t; want %q, %t", tt.args, out, quit, "x"+tt.want, tt.quit)
		}
	}
	if out, quit := NewSession().AppendOther([]byte("x"), nil, 0); string(out) != "x" || quit {
		t.Errorf("empty request = %q, %t; want no reply", out, quit)
	}
}

// What a command does not need of an argument, it neither copies nor keeps.
func TestHugeArgument(t *testing.T) {
	huge := bytes.Repeat([]byte("*"), 64<<20)
	for _, words := range []string{"INFO", "CONFIG", "CONFIG GET", "HELLO", "HELLO 3", "HELLO 3 SETNAME", "HELLO 3 AUTH", "AUTH", "SELECT", "CLIENT",
		"CLIENT SETNAME", "CLIENT NO-EVICT", "CLIENT SETINFO LIB-NAME", "COMMAND", "COMMAND COUNT", "RESET", "QUIT", "FLUSHALL", "SET k v", "nosuch", "INCRBY k", ""} {
		args := append(split(words), huge)
		if words == "" {
			args = args[1:]
		}
		if n := allocated(func() { NewSession().AppendOther(nil, args, 0) }); n > 64<<10 {
			t.Errorf("%s with an argument of 64 MiB allocates %d bytes", words, n)
		}
	}
}

// A session's id is its own, and larger than those before it.
func TestSessionID(t *testing.T) {
	a, b := NewSession(), NewSession()
	a.Close()
	b.Close()
	c := NewSession()
	c.Close()
	if a.id <= 0 || b.id <= a.id || c.id <= b.id {
		t.Errorf("ids %d, %d, %d; want them to grow", a.id, b.id, c.id)
	}
}

const infoAll = "# Server\r\nredis_version:7.0.15\r\nserver_name:ioflavors\r\nredis_mode:standalone\r\nprocess_id:N\r\nuptime_in_seconds:N\r\n\r\n" +
	"# Clients\r\nconnected_clients:N\r\nblocked_clients:0\r\n\r\n" +
	"# Memory\r\nused_memory:N\r\n\r\n" +
	"# Persistence\r\nloading:0\r\n\r\n" +
	"# Stats\r\ntotal_connections_received:N\r\ntotal_commands_processed:N\r\n\r\n" +
	"# Replication\r\nrole:master\r\n\r\n" +
	"# Keyspace\r\n"

func TestInfo(t *testing.T) {
	for _, tt := range []struct {
		args string
		keys int
		want string
	}{
		{"INFO", 0, infoAll},
		{"INFO", 3, infoAll + "db0:keys=3,expires=0,avg_ttl=0\r\n"},
		{"info default", 0, infoAll},
		{"INFO ALL", 0, infoAll},
		{"INFO everything", 0, infoAll},
		{"INFO nosuch all", 0, infoAll},
		{"INFO persistence", 0, "# Persistence\r\nloading:0\r\n"},
		{"INFO KEYSPACE", 12, "# Keyspace\r\ndb0:keys=12,expires=0,avg_ttl=0\r\n"},
		{"INFO keyspace Clients", 0, "# Clients\r\nconnected_clients:N\r\nblocked_clients:0\r\n\r\n# Keyspace\r\n"},
		{"INFO nosuch", 0, ""},
		{"INFO ", 0, ""},
	} {
		for _, s := range []*Session{{}, {resp3: true}} { // a bulk string in both versions
			text := info(t, s, tt.args, tt.keys)
			text = regexp.MustCompile(`(process_id|uptime_in_seconds|connected_clients|used_memory|total_\w+):\d+`).ReplaceAllString(text, "$1:N")
			if diff := cmp.Diff(tt.want, text); diff != "" {
				t.Errorf("%q with %d keys (-want +got):\n%s", tt.args, tt.keys, diff)
			}
		}
	}
}

// info returns the text in AppendInfo's bulk string.
func info(t *testing.T, s *Session, args string, keys int) string {
	t.Helper()
	reply, quit := s.AppendOther([]byte("x"), split(args), keys)
	head, text, _ := strings.Cut(string(reply), "\r\n")
	text, ended := strings.CutSuffix(text, "\r\n")
	if head != fmt.Sprintf("x$%d", len(text)) || !ended || quit {
		t.Fatalf("%q = %q, want one bulk string", args, reply)
	}
	return text
}

// INFO counts the connections, those that are open, and the requests.
func TestInfoCounts(t *testing.T) {
	count := func() (n [3]int) {
		text := info(t, &Session{}, "INFO", 0)
		for i, field := range []string{"total_connections_received", "connected_clients", "total_commands_processed"} {
			n[i], _ = strconv.Atoi(regexp.MustCompile(field + `:(\d+)`).FindStringSubmatch(text)[1])
		}
		return n
	}
	before := count()
	a, b := NewSession(), NewSession()
	b.Close()
	for in := []byte("PING\r\n\r\n*0\r\n*1\r\n$4\r\nPING\r\n*1\r\n"); ; {
		_, n, err := a.Parse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		in = in[n:]
	}
	after := count()
	a.Close()
	for i := range after {
		after[i] -= before[i]
	}
	if diff := cmp.Diff([3]int{2, 1, 2}, after); diff != "" {
		t.Errorf("connections, open, commands (-want +got):\n%s", diff)
	}
}

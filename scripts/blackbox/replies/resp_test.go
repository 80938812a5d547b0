package replies

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/respproto"
	"ioflavors/scripts/blackbox/driver"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "6") // most of these tests wait
	driver.Main(m)
}

var command, bulk = driver.Command, driver.Bulk

// An exchange is all that a client sends, and all that it gets.
type exchange struct{ name, in, want string }

// run has a client send in, half-close unless the server is to close first, and read to
// the end, which must be want.
func (e exchange) run(t *testing.T, s *driver.Server, serverCloses bool) {
	t.Helper()
	c := s.Dial(t)
	c.Send(e.in)
	if !serverCloses {
		c.CloseWrite()
	}
	got := c.Rest()
	if c.Dead {
		t.Fatalf("%s: %.200q", e.name, e.in)
	}
	if d := cmp.Diff(e.want, got); d != "" {
		t.Errorf("%s: %.200q (-want +got):\n%.3000s", e.name, e.in, d)
	}
	c.Leave()
}

var respReplies = []exchange{
	// The dictionary.
	{"SET and GET", "SET k v\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n"},
	{"SET again", "SET k v\r\nSET k w2\r\nGET k\r\n", "+OK\r\n+OK\r\n$2\r\nw2\r\n"},
	{"GET of nothing", "GET nosuch\r\n", "$-1\r\n"},
	{"an empty value is a value", "SET k ''\r\nGET k\r\nEXISTS k\r\n", "+OK\r\n$0\r\n\r\n:1\r\n"},
	{"an empty key is a key", "SET '' v\r\nGET ''\r\nDEL ''\r\n", "+OK\r\n$1\r\nv\r\n:1\r\n"},
	{"binary", command("SET", "\x00\r\n\xff", "$-1\r\n\x00") + command("GET", "\x00\r\n\xff"), "+OK\r\n$6\r\n$-1\r\n\x00\r\n"},
	{"DEL", "SET a 1\r\nSET b 2\r\nDEL a b c a\r\nGET a\r\n", "+OK\r\n+OK\r\n:2\r\n$-1\r\n"},
	{"UNLINK is DEL", "SET a 1\r\nUNLINK a b\r\nGET a\r\nUNLINK\r\n", "+OK\r\n:1\r\n$-1\r\n" + wrongNumber("unlink")},
	{"EXISTS counts each mention", "SET a 1\r\nEXISTS a b a\r\n", "+OK\r\n:2\r\n"},
	{"INCR", "INCR n\r\nINCR n\r\nGET n\r\n", ":1\r\n:2\r\n$1\r\n2\r\n"},
	{"INCR of a negative number", "SET n -2\r\nINCR n\r\nINCR n\r\nINCR n\r\n", "+OK\r\n:-1\r\n:0\r\n:1\r\n"},
	{"INCRBY, which redis-py's incr sends", "INCRBY n 1\r\nINCRBY n -5\r\nGET n\r\nINCRBY n x\r\nINCRBY n\r\nGET n\r\n", ":1\r\n:-4\r\n$2\r\n-4\r\n-ERR value is not an integer or out of range\r\n" + wrongNumber("incrby") + "$2\r\n-4\r\n"},
	{"INCR of a word leaves the word", "SET k v\r\nINCR k\r\nGET k\r\nINCR new\r\n", "+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nv\r\n:1\r\n"},
	{"DBSIZE", "DBSIZE\r\nSET a 1\r\nSET b 1\r\nSET a 2\r\nDBSIZE\r\n", ":0\r\n+OK\r\n+OK\r\n+OK\r\n:2\r\n"},
	{"FLUSHALL", "SET a 1\r\nFLUSHALL\r\nDBSIZE\r\n", "+OK\r\n+OK\r\n:0\r\n"},
	{"FLUSHDB", "SET a 1\r\nFLUSHDB ASYNC\r\nGET a\r\n", "+OK\r\n+OK\r\n$-1\r\n"},
	{"names in any case", "sEt k v\r\ngEt k\r\npInG\r\ncLiEnT gEtNaMe\r\n", "+OK\r\n$1\r\nv\r\n+PONG\r\n$-1\r\n"},

	// The connection.
	{"PING", "PING\r\nPING hi\r\n", "+PONG\r\n$2\r\nhi\r\n"},
	{"ECHO", command("ECHO", "a\r\n\x00b"), "$5\r\na\r\n\x00b\r\n"},
	{"SELECT 0", "SELECT 0\r\n", "+OK\r\n"},
	{"CLIENT", "CLIENT SETINFO LIB-NAME x\r\nCLIENT SETNAME me\r\nCLIENT GETNAME\r\nCLIENT NO-EVICT on\r\n", "+OK\r\n+OK\r\n$2\r\nme\r\n+OK\r\n"},
	{"COMMAND", "COMMAND\r\nCOMMAND DOCS\r\nCOMMAND COUNT\r\n", "*0\r\n-ERR unknown subcommand 'DOCS'. Try COMMAND HELP.\r\n:0\r\n"},
	{"CONFIG GET", "CONFIG GET save\r\nCONFIG GET appendonly\r\nCONFIG GET nosuch\r\n", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n*0\r\n"},

	// Requests on a line.
	{"empty requests", "\r\n\n   \r\n*0\r\n*-1\r\n*-10\r\nPING\r\n", "+PONG\r\n"},
	{"LF alone", "PING\n  PING  \n", "+PONG\r\n+PONG\r\n"},
	{"double quotes", `ECHO "\x41\n\"\\ 'b"` + "\r\n", "$7\r\nA\n\"\\ 'b\r\n"},
	{"single quotes", `ECHO 'a\'b\n"'` + "\r\n", "$6\r\na'b\\n\"\r\n"},
	{"a long line", "ECHO " + strings.Repeat("x", 60_000) + "\r\n", bulk(strings.Repeat("x", 60_000))},
	{"payload without CR LF behind it", "*2\r\n$4\r\nECHO..$2\r\nhi..PING\r\n", "$2\r\nhi\r\n+PONG\r\n"},

	// Errors that leave the connection open.
	{"unknown command", "foo a b\r\n", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n"},
	{"unknown command, alone", "foo\r\n", "-ERR unknown command 'foo', with args beginning with: \r\n"},
	{"unknown command, long", command(strings.Repeat("n", 300), strings.Repeat("a", 300)), "-ERR unknown command '" + strings.Repeat("n", 128) + "', with args beginning with: '" + strings.Repeat("a", 128) + "' \r\n"},
	{"unknown command with line ends", command("f\r\no", "a\nb"), "-ERR unknown command 'f  o', with args beginning with: 'a b' \r\n"},
	{"unknown command with no name", "''\r\n", "-ERR unknown command '', with args beginning with: \r\n"},
	{"arity of get", "GET\r\nGeT a b\r\n", strings.Repeat("-ERR wrong number of arguments for 'get' command\r\n", 2)},
	{"arity of set", "SET a\r\n", "-ERR wrong number of arguments for 'set' command\r\n"},
	{"arity of del, exists, incr", "DEL\r\nEXISTS\r\nINCR\r\nINCR a b\r\n", wrongNumber("del", "exists", "incr", "incr")},
	{"arity of dbsize, ping, echo", "DBSIZE x\r\nPING a b\r\nECHO\r\n", wrongNumber("dbsize", "ping", "echo")},
	{"arity of select, client, config", "SELECT\r\nCLIENT\r\nCONFIG GET\r\n", wrongNumber("select", "client", "config|get")},
	{"options of SET", "SET k v EX 10\r\nGET k\r\n", "-ERR syntax error\r\n$-1\r\n"},
	{"options of FLUSHALL", "FLUSHALL now\r\n", "-ERR syntax error\r\n"},
	{"INCR of a word", "SET k v\r\nINCR k\r\nGET k\r\n", "+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nv\r\n"},
	{"INCR of nothing there", "SET k ''\r\nINCR k\r\n", "+OK\r\n-ERR value is not an integer or out of range\r\n"},
	{"INCR over the end", "SET k 9223372036854775807\r\nINCR k\r\n", "+OK\r\n-ERR increment or decrement would overflow\r\n"},
	{"INCR beyond the end", "SET k 9223372036854775808\r\nINCR k\r\n", "+OK\r\n-ERR value is not an integer or out of range\r\n"},
	{"SELECT", "SELECT 1\r\nSELECT -1\r\nSELECT x\r\n", "-ERR DB index is out of range\r\n-ERR DB index is out of range\r\n-ERR value is not an integer or out of range\r\n"},
	{"CLIENT TRACKING", "CLIENT TRACKING ON OPTIN\r\n", "-ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.\r\n"},
	{"CONFIG SET", "CONFIG SET save x\r\n", "-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n"},
	{"HELLO", "HELLO 4\r\nHELLO 1\r\nHELLO x\r\n", "-NOPROTO unsupported protocol version\r\n-NOPROTO unsupported protocol version\r\n-ERR Protocol version is not an integer or out of range\r\n"},
	{"AUTH", "AUTH secret\r\n", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n"},

	// Requests that never become whole.
	{"half a line", "PING\r\nPIN", "+PONG\r\n"},
	{"half a request", "PING\r\n*2\r\n$3\r\nGET\r\n$5\r\nab", "+PONG\r\n"},
	{"half a header", "PING\r\n*1\r", "+PONG\r\n"},
	{"nothing", "", ""},
}

func wrongNumber(names ...string) string {
	var text string
	for _, name := range names {
		text += "-ERR wrong number of arguments for '" + name + "' command\r\n"
	}
	return text
}

// respEnds are exchanges that the server ends. Each begins and ends with requests:
// the first are answered, the last are not.
var respEnds = []exchange{
	{"QUIT", "QUIT\r\n", "+OK\r\n"},
	{"POST", "POST / HTTP/1.1\r\n", ""},
	{"Host:", "host: localhost\r\n", ""},
	{"*", "*\r\n", protocolError("invalid multibulk length")},
	{"*abc", "*abc\r\n", protocolError("invalid multibulk length")},
	{"*01", "*01\r\n", protocolError("invalid multibulk length")},
	{"*+1", "*+1\r\n", protocolError("invalid multibulk length")},
	{"* 1", "* 1\r\n", protocolError("invalid multibulk length")},
	{"too many arguments", fmt.Sprintf("*%d\r\n", respproto.MaxArgs+1), protocolError("invalid multibulk length")},
	{"more arguments than an integer has room for", "*99999999999999999999\r\n", protocolError("invalid multibulk length")},
	{"$-1", "*1\r\n$-1\r\n", protocolError("invalid bulk length")},
	{"$", "*1\r\n$\r\n", protocolError("invalid bulk length")},
	{"$04", "*1\r\n$04\r\n", protocolError("invalid bulk length")},
	{"$blabla", "*1\r\n$blabla\r\n", protocolError("invalid bulk length")},
	{"too long an argument", fmt.Sprintf("*1\r\n$%d\r\n", respproto.MaxBulk+1), protocolError("invalid bulk length")},
	{"an argument longer than an integer has room for", "*1\r\n$99999999999999999999\r\n", protocolError("invalid bulk length")},
	{"no $", "*1\r\nfoo\r\n", protocolError("expected '$', got 'f'")},
	{"LF where $ should be", "*1\r\n\n\r\n", "-ERR Protocol error: expected '$', got ' '\r\n"},
	{"a long line", strings.Repeat("x", respproto.MaxLine+2), protocolError("too big inline request")},
	{"a long header", "*" + strings.Repeat("1", respproto.MaxLine+2), protocolError("too big mbulk count string")},
	{"a long header of an argument", "*1\r\n$" + strings.Repeat("1", respproto.MaxLine+2), protocolError("too big bulk count string")},
	{"open double quote", "ECHO \"a b\r\n", protocolError("unbalanced quotes in request")},
	{"open single quote", "ECHO 'a b\r\n", protocolError("unbalanced quotes in request")},
	{"quotes within a word", "ECHO \"a\"b\r\n", protocolError("unbalanced quotes in request")},
}

func protocolError(text string) string { return "-ERR Protocol error: " + text + "\r\n" }

// TestReplies tells the commands and their replies.
func TestReplies(t *testing.T) {
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		for _, e := range respReplies {
			exchange{"before " + e.name, "FLUSHALL\r\n", "+OK\r\n"}.run(t, s, false)
			e.run(t, s, false)
		}
	})
}

// TestHello checks the whole reply to HELLO, in RESP2 and RESP3, and what null and a map are then.
func TestHello(t *testing.T) {
	pairs := []string{
		"$6\r\nserver\r\n$5\r\nredis\r\n",
		"$7\r\nversion\r\n" + bulk(respproto.Version),
		"$5\r\nproto\r\n:%d\r\n",
		"$2\r\nid\r\n:1\r\n",
		"$4\r\nmode\r\n$10\r\nstandalone\r\n",
		"$4\r\nrole\r\n$6\r\nmaster\r\n",
		"$7\r\nmodules\r\n*0\r\n",
	}
	reply := func(header string, proto int) string {
		return header + fmt.Sprintf(strings.Join(pairs, ""), proto)
	}
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		c := s.Dial(t)
		c.Ask("HELLO\r\n", reply("*14\r\n", 2))
		c.Ask("HELLO 3 AUTH default x SETNAME me\r\n", reply("%7\r\n", 3))
		c.Ask("CLIENT GETNAME\r\n", "$2\r\nme\r\n")
		c.Ask("CLIENT ID\r\n", ":1\r\n")
		c.Ask("HELLO 4\r\n", "-NOPROTO unsupported protocol version\r\n")
		c.Ask("HELLO\r\nGET nosuch\r\n", reply("%7\r\n", 3)+"_\r\n")
		c.Ask("CONFIG GET appendonly\r\n", "%1\r\n$10\r\nappendonly\r\n$2\r\nno\r\n")
		c.Ask("HELLO 2\r\nGET nosuch\r\n", reply("*14\r\n", 2)+"$-1\r\n")
		c.Ask("HELLO 3\r\nRESET\r\nGET nosuch\r\nCLIENT GETNAME\r\n", reply("%7\r\n", 3)+"+RESET\r\n$-1\r\n$-1\r\n")
	})
}

// TestInfo checks what clients look for in INFO.
func TestInfo(t *testing.T) {
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		c := s.Dial(t)
		c.Ask("SET k v\r\n", "+OK\r\n")
		c.Send("INFO\r\n")
		c.CloseWrite()
		got := c.Rest()
		if n, err := respproto.ReplyLen([]byte(got)); n != len(got) || err != nil || !strings.HasPrefix(got, "$") {
			t.Errorf("INFO: not one bulk string: %q", got)
		}
		for _, want := range []string{"redis_version:", "\r\nconnected_clients:1\r\n", "\r\nloading:0\r\n", "\r\nused_memory:", "\r\ntotal_commands_processed:2\r\n", "\r\ndb0:keys=1,"} {
			if !strings.Contains(got, want) {
				t.Errorf("INFO lacks %q:\n%s", want, got)
			}
		}
	})
}

// TestEnds has the server end the connection: after a protocol error, QUIT, or a
// request that looks like a browser's. What came before is answered, what comes
// behind is not, and the client sees the end without closing first.
func TestEnds(t *testing.T) {
	driver.EachServer(t, driver.Both, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		for _, e := range map[string][]exchange{"resp": respEnds, "kv": kvEnds}[d.Name] {
			e.run(t, s, true)
			many := exchange{e.name + " amid requests",
				d.Put("k", "v") + strings.Repeat(d.Get("k"), 100) + e.in + strings.Repeat(d.Put("k2", "v"), 100),
				d.OK + strings.Repeat(d.Value("k", "v"), 100) + e.want}
			many.run(t, s, true)
		}
		exchange{"nothing behind was done", d.Get("k2"), d.Missing("k2")}.run(t, s, false)
	})
}

// TestIncr has 50 clients increment one number at once: not one may get lost.
func TestIncr(t *testing.T) {
	const clients, times = 50, 200
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		driver.Together(clients, func(int) {
			c := s.Dial(t)
			defer c.Leave()
			for range times {
				c.Send("INCR n\r\n")
				if reply := c.Reply(); !c.Dead && reply[0] != ':' {
					c.Failf("INCR: %q", reply)
				}
			}
		})
		c := s.Dial(t)
		c.Ask("GET n\r\n", bulk(fmt.Sprint(clients*times)))
	})
}

// TestManyArguments sends commands with as many arguments as there may be.
func TestManyArguments(t *testing.T) {
	many := "DEL" + strings.Repeat(" k", 20_000)
	del := command(strings.Fields(many)...)
	most := fmt.Sprintf("*%d\r\n$6\r\nEXISTS\r\n", respproto.MaxArgs) + strings.Repeat("$1\r\nk\r\n", respproto.MaxArgs-1)
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		c := s.Dial(t)
		c.Ask("SET k v\r\n", "+OK\r\n")
		c.Ask(most, fmt.Sprintf(":%d\r\n", respproto.MaxArgs-1))
		c.Ask("*1\r\n$4\r\nPING\r\n", "+PONG\r\n")
		c.Ask(strings.Repeat(del, 20), ":1\r\n"+strings.Repeat(":0\r\n", 19))
	})
}

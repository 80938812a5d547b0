package respproto

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRedis sends raw bytes to redis-server and to the loop of the package
// comment, and compares all that comes back. Each stream is a connection of its
// own, to an empty dictionary.
func TestRedis(t *testing.T) {
	redis := startRedis(t)
	t.Run("same", func(t *testing.T) {
		for _, in := range slices.Concat(sameAsRedis(), helloCases(), randomCases()) {
			if diff := cmp.Diff(redis.ask(t, in), answer(t, in)); diff != "" {
				t.Errorf("%.200q (-redis +ours):\n%.2000s", in, diff)
			}
		}
	})
	t.Run("differs", func(t *testing.T) {
		for _, tt := range differsFromRedis {
			ours := answer(t, tt.in)
			if diff := cmp.Diff(tt.want, ours); diff != "" {
				t.Errorf("%.200q (-want +got):\n%s", tt.in, diff)
			}
			if redis.ask(t, tt.in) == ours {
				t.Errorf("%.200q: redis-server replies the same, %.200q; it should differ: %s", tt.in, ours, tt.why)
			}
		}
	})
}

// Where this package means to differ from redis-server.
var differsFromRedis = []struct{ why, in, want string }{
	{"one database, not 16", "SELECT 1\r\n", "-ERR DB index is out of range\r\n"},
	{"at most 1,048,576 arguments", "*1048577\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
	{"NUL has no meaning in a line", "PI\x00NG\r\nPING\r\n", "-ERR unknown command 'PI\x00NG', with args beginning with: \r\n+PONG\r\n"},
	{"NUL has no meaning in a header", "*1\x00\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
	{"NUL has no meaning in a quoted argument", "*2\r\n$3\r\na\x00b\r\n$3\r\nc\x00d\r\n", "-ERR unknown command 'a\x00b', with args beginning with: 'c\x00d' \r\n"},
	{"what came before POST is answered", "PING\r\nPOST / HTTP/1.1\r\nPING\r\n", "+PONG\r\n"},
	{"what came before Host: is answered", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", wrong("get")},
	{"no options of SET", "SET k v EX 10\r\n", "-ERR syntax error\r\n"},
	{"no command table", "COMMAND COUNT\r\n", ":0\r\n"},
	{"no command table", "COMMAND\r\n", "*0\r\n"},
	{"no command table: then redis-cli has its own help", "COMMAND DOCS\r\n", "-ERR unknown subcommand 'DOCS'. Try COMMAND HELP.\r\n"},
	{"help for fewer subcommands", "COMMAND HELP\r\n", "*3\r\n+COMMAND <subcommand>:\r\n+(no subcommand)\r\n+COUNT\r\n"},
	{"an error quotes no more than 128 bytes", "HELLO 3 " + strings.Repeat("x", 129) + "\r\n", "-ERR Syntax error in HELLO option '" + strings.Repeat("x", 128) + "'\r\n"},
	{"CLIENT SETINFO, which came with 7.2", "CLIENT SETINFO LIB-NAME x\r\n", "+OK\r\n"},
	{"CLIENT NO-TOUCH, which came with 7.2", "CLIENT NO-TOUCH on\r\n", "+OK\r\n"},
	{"no tracking", "CLIENT TRACKING ON\r\n", "-ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.\r\n"},
	{"fewer subcommands", "CLIENT LIST\r\n", "-ERR unknown subcommand 'LIST'. Try CLIENT HELP.\r\n"},
	{"fewer subcommands", "CONFIG SET save x\r\n", "-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n"},
	{"help for fewer subcommands", "CONFIG HELP\r\n", "*2\r\n+CONFIG <subcommand>:\r\n+GET <pattern> [<pattern> ...]\r\n"},
	{"fewer settings", "CONFIG GET maxmemory\r\n", "*0\r\n"},
	{"fewer commands", "APPEND k v\r\n", "-ERR unknown command 'APPEND', with args beginning with: 'k' 'v' \r\n"},
	{"fewer sections in INFO", "INFO errorstats commandstats cpu\r\n", "$0\r\n\r\n"},
	{"less in INFO", "INFO replication\r\n", "$28\r\n# Replication\r\nrole:master\r\n\r\n"},
	{"INFO is a bulk string in RESP3 too, where redis-server has a verbatim string", "HELLO 3\r\nINFO nosuch\r\n", normal(strings.Replace(hello3, ":7", ":1", 1)) + "$0\r\n\r\n"},
}

// sameAsRedis returns streams to which redis-server and this package reply the same.
func sameAsRedis() []string {
	list := []string{
		// Empty requests, and lines.
		"", "\r\n", "\n", "   \r\n\t\nPING\r\n", "*0\r\nPING\r\n", "*-1\r\nPING\r\n", "*-10\r\nPING\r\n", "*-9223372036854775808\r\nPING\r\n",
		"PING\n", "  PING\r\n", "PING  \r\n", "\v\fPING\r\n", "PING\r\n\r\n\r\nPING\r\n", "PING\rabc\r\n", "PING", "PING\r", "*1\r\n$4\r\nPING\r", "*1\r\n$4\r\nPING\r\n",
		"a\vb c\v\fd\r\n", "PING \"a\"\vb\r\n", "foo \xff\xc3\xa9\r\n", "+PING\r\n", "$4\r\nPING\r\n", ":1\r\n",
		"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPINGyy", "*1\rX$4\rXPING\r\n",

		// Headers.
		"*\r\n", "*abc\r\n", "*01\r\n", "*+1\r\n", "* 1\r\n", "*1 \r\n", "*-\r\n", "*-0\r\n", "*00\r\n", "*1.0\r\n", "*2147483648\r\n", "*9223372036854775808\r\n", "*18446744073709551617\r\n",
		"*1\r\n$\r\n", "*1\r\n$-1\r\n", "*1\r\n$04\r\n", "*1\r\n$+4\r\n", "*1\r\n$-0\r\n", "*1\r\n$blabla\r\n", "*1\r\n$536870912\r\n", "*1\r\n$536870913\r\n", "*1\r\n$9223372036854775807\r\n", "*1\r\n$18446744073709551620\r\n",
		"*1\r\nfoo\r\n", "*1\r\n*1\r\n", "*1\r\n\r\n", "*1\r\n\r\r\n", "*1\r\n\xff\r\n", "*2\r\n$4\r\nPING\r\nx\r\n", "PING\r\n*1\r\n$4\r\nPING\r\n*x\r\nPING\r\n",
		"*1\n$4\nPING\n", "*1\r\n$4\nPING\n",
		strings.Repeat("a", MaxLine), strings.Repeat("a", MaxLine+1), "PING\r\n" + strings.Repeat("a", MaxLine+1),
		"*" + strings.Repeat("1", MaxLine-1), "*" + strings.Repeat("1", MaxLine), "*1\r\n$" + strings.Repeat("1", MaxLine-1), "*1\r\n$" + strings.Repeat("1", MaxLine),
		"*1\r\n" + strings.Repeat("x", MaxLine+1),

		// Quotes.
		`"a b` + "\r\n", `'a b` + "\r\n", `"a"b` + "\r\n", `'a'b` + "\r\n", `"a""b"` + "\r\n", "PING \"\r\n", "\"a\\\n", "'a\\'\n", "\"\\x4\n", "\"\\x\n",
		`PING "\x41\n\r\t\b\a\\\"\q\x4\xzz\xfF\x00"` + "\r\n", `PING 'a\'b\n\x41\\ '` + "\r\n", `PING a\nb` + "\r\n", `PI"NG" x` + "\r\n", `PI'NG' x` + "\r\n",
		`foo "\xz1\x1z\x" "\x1" "\x"` + "\r\n", `PING ""` + "\r\n", `PING ''` + "\r\n", `"" a` + "\r\n", "\"PING\"\n", "PING \"a\rb\"\r\n", "PING \"a\"\r\n",

		// The connection.
		"PING a\r\nPING a b\r\nping\r\n", "ECHO\r\nECHO a\r\nECHO a b\r\n", "QUIT\r\nPING\r\n", "quit a b\r\nPING\r\n", "POST / HTTP/1.1\r\n", "post\r\nPING\r\n", "Host: localhost\r\nPING\r\n", "HOST:\r\n", "HOST\r\n",
		"SELECT 0\r\nSELECT -1\r\nSELECT 16\r\nSELECT 2147483647\r\nSELECT 2147483648\r\nSELECT -2147483649\r\nSELECT 9223372036854775807\r\nSELECT 9223372036854775808\r\nSELECT x\r\nSELECT ''\r\nSELECT 00\r\nSELECT -0\r\nSELECT\r\nSELECT 0 0\r\n",
		"AUTH\r\nAUTH secret\r\nAUTH default x\r\nAUTH joe x\r\nAUTH DEFAULT x\r\nAUTH a b c\r\nAUTH a b c d\r\n",
		"RESET\r\nRESET x\r\n", "HELLO 3 SETNAME joe\r\nGET nosuch\r\nRESET\r\nGET nosuch\r\nCLIENT GETNAME\r\nHELLO\r\n",
		"CLIENT\r\nCLIENT ID x\r\nCLIENT GETNAME x\r\nCLIENT SETNAME\r\nCLIENT NO-EVICT\r\nCLIENT HELP x\r\n", "CLIENT NO-EVICT on\r\nCLIENT NO-EVICT OFF\r\nCLIENT NO-EVICT maybe\r\n",
		"CLIENT GETNAME\r\nCLIENT SETNAME joe\r\nclient getname\r\nCLIENT SETNAME 'a b'\r\nCLIENT SETNAME \xc3\xa9\r\nCLIENT SETNAME \"a\\x7f\"\r\nCLIENT GETNAME\r\nCLIENT SETNAME ''\r\nCLIENT GETNAME\r\nHELLO 3\r\nCLIENT GETNAME\r\n",
		"CLIENT X\r\nclient x\r\nCLIENT ''\r\nCLIENT \"a\\r\\nb\"\r\nCLIENT \u0130D\r\nCLIENT " + strings.Repeat("x", 200) + "\r\n", "CLIENT MAINT_NOTIFICATIONS ON\r\n",
		"CONFIG\r\nCONFIG GET\r\nCONFIG HELP x\r\nCONFIG X\r\n",
		"CONFIG GET save\r\nconfig get save\r\nCONFIG GET appendonly\r\nCONFIG GET sav?\r\nCONFIG GET [s]av[^x]\r\nCONFIG GET nosuch\r\nHELLO 3\r\nCONFIG GET save\r\nCONFIG GET nosuch\r\n",
		"INFO nosuch\r\nINFO a b c\r\nINFO ''\r\n",
		"CONFIG GET SAVE\r\nCONFIG GET Save sAVE save\r\nCONFIG GET S*VE\r\nCONFIG GET s*ve SAVE\r\nHELLO 3\r\nCONFIG GET AppendOnly\r\n",
		"COMMAND COUNT x\r\nCOMMAND NOSUCH\r\nCOMMAND FOO a b\r\ncommand ''\r\nCOMMAND HELP x\r\n",
		"CONFIG GET " + strings.Repeat("x", 1000) + "\r\n", "CONFIG GET save" + strings.Repeat("*", 100) + "\r\n",

		// The dictionary.
		"GET k\r\nSET k v\r\nGET k\r\nget k\r\nHELLO 3\r\nGET k\r\nGET nosuch\r\n", "SET k ''\r\nGET k\r\nEXISTS k\r\nINCR k\r\nGET k\r\n", "SET '' v\r\nGET ''\r\nDEL ''\r\n", "SET \"\\r\\n\\x00\\xff\" \"\\x00\"\r\nGET \"\\r\\n\\x00\\xff\"\r\n",
		"SET a 1\r\nSET b 2\r\nDBSIZE\r\nEXISTS a\r\nEXISTS a a b c\r\nDEL a a c\r\nUNLINK b a\r\nDEL a\r\nDBSIZE\r\nFLUSHALL\r\nDBSIZE\r\n",
		"SET a 1\r\nFLUSHALL x\r\nFLUSHALL sync async\r\nDBSIZE\r\nFLUSHALL async\r\nDBSIZE\r\nSET a 1\r\nFLUSHDB SYNC\r\nDBSIZE\r\nFLUSHDB x\r\nFLUSHDB\r\n",
		"GET\r\nGET a b\r\nSET\r\nSET a\r\nSET a b c\r\nDEL\r\nUNLINK\r\nEXISTS\r\nINCR\r\nINCR a b\r\nDBSIZE a\r\nDBSIZE\r\n",
		"INCR n\r\nINCR n\r\nGET n\r\n",
		"INCRBY\r\nINCRBY n\r\nINCRBY n 1 2\r\nINCRBY n 5\r\nincrby n -7\r\nGET n\r\nINCRBY n 0\r\nINCRBY n x\r\nINCRBY new x\r\nEXISTS new\r\nGET n\r\n",
		"SET k x\r\nINCRBY k 1\r\nGET k\r\nINCRBY k x\r\n",

		// Unknown commands.
		"foo\r\n", "foo a b\r\n", "''\r\n", "'' ''\r\n", "foo \"a\\r\\nb\" \"\\n\"\r\n", "\"a\\r\\nb\"\r\n", "client|id\r\n", "config|get x\r\n", "P\u0130NG\r\n", "EX\u0130STS a\r\n", "\u212aEYS a\r\n", "getx\r\n", "ge\r\n", "\xff\xfe \x80\r\n",
		"foo" + strings.Repeat(" ''", 100) + "\r\n", string(manyArgs(1000)),
		"foo " + strings.Repeat("a", 100_000/2) + "\r\n",
	}
	for _, v := range []string{"0", "1", "-1", "-10", "01", "+1", "-0", " 1", "1 ", "", "-", "1.0", "1e3", "0x1", "abc", "1\n", "9223372036854775806", "9223372036854775807", "9223372036854775808",
		"9999999999999999999", "10000000000000000000", "18446744073709551615", "18446744073709551616", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809", strings.Repeat("1", 100)} {
		list = append(list, encode("SET k", v)+"*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
		for _, by := range []string{"1", "-1", "9223372036854775807", "-9223372036854775808"} {
			list = append(list, encode("SET k", v)+encode("INCRBY k", by)+encode("GET k"), encode("SET k", by)+encode("INCRBY k", v)+encode("GET k"))
		}
	}
	for _, n := range []int{0, 1, 122, 123, 124, 125, 126, 127, 128, 129, 300} {
		x := strings.Repeat("x", n)
		list = append(list, encode("foo", x), encode("foo", x, "y", "zz"), encode(x), encode(x, x, x), encode("foo", "a", x, "b"), encode("HELLO 3", x[:min(n, 128)]))
	}
	for _, n := range []int{1000, 1 << 14, 1<<15 - 1, 1 << 15, 1<<15 + 1, 100_000} {
		list = append(list, encode("ECHO", strings.Repeat("v\r\n", n/3))+"PING\r\n")
	}
	for i := range len("*2\r\n$4\r\nECHO\r\n$2\r\nab\r\n") {
		list = append(list, "PING\r\n"+"*2\r\n$4\r\nECHO\r\n$2\r\nab\r\n"[:i])
	}
	return list
}

// encode returns a request: the words of the first argument, and the others.
func encode(start string, rest ...string) string {
	return string(AppendCommand(nil, append(strings.Split(start, " "), rest...)...))
}

// helloCases returns HELLO with every two options in every order, and what shows
// the state in which it left the connection.
func helloCases() []string {
	options := []string{"", "AUTH default x", "AUTH joe x", "AUTH default", "SETNAME a", "SETNAME b", "SETNAME 'a b'", "SETNAME ''", "SETNAME", "setname SETNAME", "auth default SETNAME", "WAT"}
	var list []string
	for _, version := range []string{"", "2", "3", "1", "4", "-3", "03", "x", "99999999999999999999"} {
		for _, a := range options {
			for _, b := range options {
				list = append(list, fmt.Sprintf("HELLO %s %s %s\r\nCLIENT GETNAME\r\nGET nosuch\r\nHELLO\r\n", version, a, b))
			}
		}
	}
	return list
}

// randomCases returns streams of bytes that mean something to the parser, always
// the same ones.
func randomCases() []string {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(alphabet []string, n int) string {
		var s strings.Builder
		for range r.IntN(n) {
			s.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		return s.String()
	}
	line := []string{" ", "\t", "\v", "\r", `"`, `"`, `'`, `'`, `\`, `\x4`, `\xfg`, `\n`, "a", "b1", "\xff"}
	header := []string{"*", "$", "-", "+", "0", "1", "1", "2", " ", "\r\n", "\r\n", "\r\n", "\r", "\n", "a", "PING", "*1\r\n$4\r\nPING\r\n"}
	var list []string
	for range 1000 {
		list = append(list, "foo "+random(line, 12)+"\r\nPING\r\n", random(header, 12)+"\r\nPING\r\n", "*1\r\n"+random(header, 6)+"\r\nPING\r\n")
	}
	return list
}

// answer is a server with one client, which sends a stream and then shuts down its
// writing side. It is the loop of the package comment, with a dictionary.
func answer(t *testing.T, stream string) string {
	s := NewSession()
	defer s.Close()
	db := map[string][]byte{}
	var out []byte
	in := []byte(stream)
	for quit := false; !quit; {
		args, n, err := s.Parse(in, nil)
		checkParse(t, in, args, n, err)
		if n <= 0 {
			out = AppendError(out, err)
			break
		}
		in = in[n:]
		switch command := Lookup(args); command {
		case Get:
			out = s.AppendValue(out, db[string(args[1])])
		case Set:
			db[string(args[1])] = bytes.Clone(args[2])
			out = AppendOK(out)
		case Del, Exists:
			found := 0
			for _, key := range args[1:] {
				if _, ok := db[string(key)]; ok {
					found++
				}
				if command == Del {
					delete(db, string(key))
				}
			}
			out = AppendInt(out, found)
		case Incr:
			sum, err := Sum(db[string(args[1])], args)
			if err != nil {
				out = AppendError(out, err)
				break
			}
			db[string(args[1])] = strconv.AppendInt(nil, sum, 10)
			out = AppendInt(out, sum)
		case DBSize:
			out = AppendInt(out, len(db))
		case FlushAll:
			clear(db)
			out = AppendOK(out)
		default:
			out, quit = s.AppendOther(out, args, len(db))
		}
	}
	return normal(string(out))
}

var helloFields = regexp.MustCompile(`(\$7\r\nversion\r\n\$\d+\r\n)[^\r]*(\r\n\$5\r\nproto\r\n:\d\r\n\$2\r\nid\r\n):\d+`)

// normal replaces what differs from connection to connection in HELLO's reply.
func normal(out string) string { return helloFields.ReplaceAllString(out, "${1}VERSION$2:ID") }

// redisServer is the address of a redis-server of our own.
type redisServer string

// startRedis starts a redis-server on a Unix socket in a directory of its own. It
// is killed at the end of the test.
func startRedis(t *testing.T) redisServer {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed: nothing to compare with")
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(version, []byte(" v=7.0.")) {
		t.Skipf("this package replies as redis-server 7.0, and here is %s", bytes.TrimSpace(version))
	}
	dir, err := os.MkdirTemp("", "redis") // a short name: the path of a socket has 103 bytes at the most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var log bytes.Buffer
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("redis-server's log:\n%.2000s", log.String())
		}
	})
	for range 500 {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return redisServer(socket)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("redis-server does not accept connections after 10 seconds")
	return ""
}

// ask empties the dictionary, sends in on a new connection, shuts down the writing
// side, and returns all that comes back.
func (r redisServer) ask(t *testing.T, in string) string {
	t.Helper()
	if got := r.exchange(t, "FLUSHALL\r\n"); got != "+OK\r\n" {
		t.Fatalf("FLUSHALL: redis-server replies %q", got)
	}
	return normal(r.exchange(t, in))
}

func (r redisServer) exchange(t *testing.T, in string) string {
	t.Helper()
	c, err := net.Dial("unix", string(r))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, in); err == nil { // it may have closed already
		c.(*net.UnixConn).CloseWrite()
	}
	out, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("%.100q: %v", in, err)
	}
	return string(out)
}

package replies

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/respproto"
	"ioflavors/scripts/blackbox/driver"
)

// tool runs a program of redis-tools against s, and returns all that it says.
func tool(t *testing.T, s *driver.Server, name, stdin string, args ...string) (output string, code int) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is missing: it is in the package redis-tools, or redis", name)
	}
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), driver.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, append([]string{"-p", port}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	all, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %q did not end:\n%s", name, args, all)
	}
	return string(all), cmd.ProcessState.ExitCode()
}

// TestRedisCLI uses redis-cli in all its ways.
func TestRedisCLI(t *testing.T) {
	binary := "\x00\x01\r\n\xff"
	var pipe strings.Builder
	for i := range 10_000 {
		pipe.WriteString(command("SET", fmt.Sprint("key", i), fmt.Sprint(i)))
	}
	runs := []struct {
		name  string
		stdin string
		args  []string
		want  string // in the output
		code  int
	}{
		{"set", "", []string{"SET", "k", "v"}, "OK\n", 0},
		{"get", "", []string{"GET", "k"}, "v\n", 0},
		{"get nothing", "", []string{"--no-raw", "GET", "nosuch"}, "(nil)\n", 0},
		{"integer", "", []string{"--no-raw", "DEL", "k", "nosuch"}, "(integer) 1\n", 0},
		{"value from standard input", binary, []string{"-x", "SET", "bin"}, "OK\n", 0},
		{"binary value", "", []string{"GET", "bin"}, binary + "\n", 0},
		{"RESP3", "", []string{"-3", "--no-raw", "CONFIG", "GET", "appendonly"}, "1# \"appendonly\" => \"no\"\n", 0},
		{"RESP3 null", "", []string{"-3", "--no-raw", "GET", "nosuch"}, "(nil)\n", 0},
		{"database 0", "", []string{"-n", "0", "PING"}, "PONG\n", 0},
		{"database 1", "", []string{"-n", "1", "PING"}, "SELECT 1 failed: ERR DB index is out of range\n", 0},
		{"error", "", []string{"-e", "NOSUCH", "a"}, "ERR unknown command 'NOSUCH', with args beginning with: 'a' \n", 1},
		{"session", "SET n 41\nINCR n\nGET \"n\"\n", nil, "OK\n42\n42\n", 0},
		{"repeat", "", []string{"-r", "3", "INCR", "n"}, "43\n44\n45\n", 0},
		{"pipe", pipe.String(), []string{"--pipe"}, "errors: 0, replies: 10000\n", 0},
		{"after pipe", "", []string{"GET", "key9999"}, "9999\n", 0},
		{"pipe with an error", "SET k v\r\nNOSUCH\r\n", []string{"--pipe"}, "errors: 1, replies: 2\n", 1},
	}
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		for _, r := range runs {
			got, code := tool(t, s, "redis-cli", r.stdin, r.args...)
			if code != r.code || !strings.HasSuffix(got, r.want) && !strings.HasPrefix(got, r.want) {
				t.Errorf("%s: exit status %d, want %d (-want +got):\n%s", r.name, code, r.code, cmp.Diff(r.want, got))
			}
		}
	})
}

// keepaliveOff is what redis-benchmark -k 0 warns of, whatever the server.
var keepaliveOff = regexp.MustCompile(`^WARNING: Keepalive disabled.*\n`)

// TestRedisBenchmark runs redis-benchmark, which has to be content: any error and
// any warning is one too many. Flavors that serve one client at a time get one, or
// clients that come anew with each request.
func TestRedisBenchmark(t *testing.T) {
	names := strings.Fields("PING_INLINE PING_MBULK SET GET INCR")
	loads := []struct{ clients, more string }{
		{"50", "-n 5000"},
		{"50", "-n 4800 -P 16 -r 1000"}, // redis-benchmark gives up, at times, if P is no divisor of n
		{"2", "-n 192 -P 16 -d 100000"},
		{"50", "-n 5000 -3 -d 1000"},
		{"50", "-n 2000 -k 0"},
	}
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		for _, l := range loads {
			if s.Serial && !strings.HasSuffix(l.more, "-k 0") {
				l.clients = "1"
			}
			args := append(strings.Fields(l.more), "-c", l.clients, "--csv", "-t", "ping,set,get,incr")
			got, code := tool(t, s, "redis-benchmark", "", args...)
			got = strings.TrimPrefix(got, keepaliveOff.FindString(got))
			if code != 0 || regexp.MustCompile(`(?i)warn|err|fail`).MatchString(got) {
				t.Errorf("%q: exit status %d\n%s", args, code, got)
			}
			for _, name := range names {
				if !strings.Contains(got, `"`+name+`",`) {
					t.Errorf("%q: no row for %s\n%s", args, name, got)
				}
			}
		}
	})
}

// TestLibraries replays what client libraries send when they connect. Each
// request gets one reply, and clients go on if it begins as they expect.
func TestLibraries(t *testing.T) {
	name, version := "CLIENT SETINFO LIB-NAME x", "CLIENT SETINFO LIB-VER 1"
	libraries := []struct {
		name     string
		requests []string
		replies  []string // how they begin
	}{
		{"redis-cli on a terminal", []string{"COMMAND DOCS", "COMMAND"}, []string{"-ERR unknown subcommand", "*0\r\n"}},
		{"redis-cli --stat", []string{"INFO", "INFO"}, []string{"$", "$"}},
		{"redis-benchmark", []string{"CONFIG GET save", "CONFIG GET appendonly"}, []string{"*2\r\n", "*2\r\n"}},
		{"node-redis 6", []string{"HELLO 3", name, version, "CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type internal-ip"},
			[]string{"%7\r\n", "+OK", "+OK", "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'"}},
		{"node-redis 4 and 5", []string{name, version, "GET nosuch"}, []string{"+OK", "+OK", "$-1"}},
		{"ioredis 5", []string{name, version, "INFO"}, []string{"+OK", "+OK", "$"}},
		{"ioredis 6", []string{"HELLO 3", name, version, "INFO"}, []string{"%7\r\n", "+OK", "+OK", "$"}},
		{"go-redis 9", []string{"HELLO 3", "CLIENT MAINT_NOTIFICATIONS ON", name, version, "GET nosuch"},
			[]string{"%7\r\n", "-ERR unknown subcommand", "+OK", "+OK", "_\r\n"}},
		{"rueidis", []string{"HELLO 3", "CLIENT TRACKING ON OPTIN", name, version, "CLUSTER SLOTS", "PING"},
			[]string{"%7\r\n", "-ERR unknown subcommand 'TRACKING'", "+OK", "+OK", "-ERR unknown command 'CLUSTER', with args beginning with: 'SLOTS' ", "+PONG"}},
		{"redis-py 8", []string{"HELLO 3", name, version, "CLIENT NO-EVICT on", "SELECT 0", "GET nosuch"},
			[]string{"%7\r\n", "+OK", "+OK", "+OK", "+OK", "_\r\n"}},
		{"jedis and lettuce", []string{"HELLO 3 SETNAME app", name, version, "PING", "CLIENT GETNAME"},
			[]string{"%7\r\n", "+OK", "+OK", "+PONG", "$3\r\napp"}},
		{"StackExchange.Redis", []string{"HELLO 3 AUTH default x SETNAME app", "CLIENT SETNAME app", "CONFIG GET slave-read-only", "CONFIG GET databases", "INFO replication", "INFO server", "SENTINEL MASTERS", "CLUSTER NODES", "GET __Booksleeve_TieBreak", "ECHO 0123456789abcdef"},
			[]string{"%7\r\n", "+OK", "%0", "%0", "$", "$", "-ERR unknown command", "-ERR unknown command", "_", "$16"}},
	}
	driver.EachServer(t, []driver.Dialect{driver.RESP}, func(t *testing.T, s *driver.Server, _ driver.Dialect) {
		for _, lib := range libraries {
			var batch string
			for _, r := range lib.requests {
				batch += command(strings.Fields(r)...)
			}
			c := s.Dial(t)
			c.Send(batch)
			c.CloseWrite()
			got := c.Rest()
			for i, want := range lib.replies {
				n, err := respproto.ReplyLen([]byte(got))
				if n == 0 || err != nil || !strings.HasPrefix(got, want) {
					t.Fatalf("%s: %s: replies %q, %v; want %q", lib.name, lib.requests[i], got, err, want)
				}
				got = got[n:]
			}
			if got != "" {
				t.Errorf("%s: more replies than requests: %q", lib.name, got)
			}
			c.Leave()
		}
	})
}

//go:build unix

package scripts

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// needStrace skips a test that cannot run here.
func needStrace(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("strace is on Linux only")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("trace.sh needs strace: %v", err)
	}
}

// TestTrace holds the conversation with all flavors anew. They make the calls on sockets
// that have been recorded, in the same order, whatever the machine.
func TestTrace(t *testing.T) {
	t.Parallel()
	needStrace(t)
	r := newScript(t, "trace.sh")
	r.start(t)
	r.finish(t, 0)
	if d := cmp.Diff(socketCalls(t, "results"), socketCalls(t, r.out)); d != "" {
		t.Errorf("calls by event (-recorded +fresh):\n%s\nIf the change is wanted: scripts/trace.sh -o scripts/results", d)
	}
	table := readFile(t, filepath.Join(r.out, "trace.txt"))
	if !strings.HasSuffix(r.stdout.String(), table) || strings.Count(table, "\nA connects ") != 10 {
		t.Errorf("trace.txt is not what was printed, or not of 5 flavors in 2 protocols; printed:\n%s", &r.stdout)
	}
	for line := range strings.Lines(table) {
		if n := len([]rune(line)); n > 101 {
			t.Errorf("a line of %d columns: %q", n-1, line)
		}
	}
}

var amounts = regexp.MustCompile(`[1-9][0-9,]*( of [0-9,]+)?`)

// socketCalls returns what trace.csv in dir has of calls on sockets and epoll, by protocol,
// flavor and event, but for what depends on the machine's speed or its kernel's
// buffers: amounts, how often, which calls are in vain while a server polls, sends or takes
// leave, and the order of calls of different threads. A call is there once in an event.
func socketCalls(t *testing.T, dir string) map[string][]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(readFile(t, filepath.Join(dir, "trace.csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header := "proto flavor event kind thread text fold times"
	if d := cmp.Diff(strings.Fields(header), records[0]); d != "" {
		t.Fatalf("header of trace.csv (-want +got):\n%s", d)
	}
	calls := map[string][]string{}
	for _, f := range records[1:] {
		flavor, event, text := f[1], strings.Replace(f[2], "A reads", "A asks for 4 MB, reads nothing", 1), f[5]
		last := strings.Contains(event, "QUIT") || strings.Contains(event, "bad frame")
		inVain := strings.HasSuffix(text, "= EAGAIN") && (flavor == "busywait" || last || strings.HasPrefix(text, "write"))
		if f[3] != "call" || inVain || last && strings.HasPrefix(text, "epoll_wait") {
			continue
		}
		key := f[0] + ", " + flavor + ", " + event
		if flavor == "mtblock" || flavor == "goroutinesrv" {
			on, _, _ := strings.Cut(text[strings.Index(text, "(")+1:], ")")
			on, _, _ = strings.Cut(on, ",")
			key += ", " + on
		}
		if text = amounts.ReplaceAllString(text, "n"); !slices.Contains(calls[key], text) {
			calls[key] = append(calls[key], text)
		}
	}
	return calls
}

// newTrace prepares a run of trace.sh that keeps nothing.
func newTrace(t *testing.T, args ...string) *benchRun {
	t.Helper()
	r := newScript(t, "trace.sh")
	r.cmd.Args = append(r.cmd.Args[:2], args...)
	return r
}

func TestTraceUsage(t *testing.T) {
	r := newTrace(t, "-h")
	r.start(t)
	r.finish(t, 0)
	for word := range strings.FieldsSeq("usage: trace.sh -proto -o -h strace stblock kqueuesrv") {
		if !strings.Contains(r.stdout.String(), word) {
			t.Errorf("no %q in:\n%s", word, &r.stdout)
		}
	}
}

func TestTraceFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-x":                        "unknown option -x",
		"nosuchsrv":                 `unknown flavor "nosuchsrv"`,
		"-proto":                    "-proto needs a value",
		"-proto http":               `invalid value "http" for -proto: want resp or kv`,
		"-o":                        "-o needs a value",
		"-o x stblock":              "-o keeps what all flavors do: name none",
		"stblock mtblock epollsrv/": "want two flavors at the most, not 3",
	} {
		t.Run(args, func(t *testing.T) {
			r := newTrace(t, strings.Fields(args)...)
			r.start(t)
			r.finish(t, 2)
			r.expectError(t, want)
		})
	}
}

// TestTraceSides sets two flavors side by side, in the order in which they are named.
func TestTraceSides(t *testing.T) {
	t.Parallel()
	needStrace(t)
	r := newTrace(t, "-proto", "kv", "./epollsrv", "stblock/")
	r.start(t)
	r.finish(t, 0)
	for _, want := range []string{
		"                       epollsrv, kv                           stblock, kv\n",
		"B sends half a GET     epoll_wait(epoll) = B IN             | no call\n",
		"                       read(B) = 10                         <\n",
		"                       waits in epoll_wait(epoll)           | waits in read(A)\n",
		"                       → B gets 28 bytes                    | → B gets nothing\n",
	} {
		if !strings.Contains(r.stdout.String(), want) {
			t.Errorf("no %q in:\n%s", want, &r.stdout)
		}
	}
}

// TestTraceElsewhere wants what this system has not.
func TestTraceElsewhere(t *testing.T) {
	if runtime.GOOS != "linux" {
		r := newTrace(t)
		r.start(t)
		r.finish(t, 1)
		r.expectError(t, "strace is on Linux only")
		return
	}
	r := newTrace(t, "kqueuesrv")
	if _, err := exec.LookPath("strace"); err == nil {
		r.start(t)
		r.finish(t, 1)
		r.expectError(t, "cannot run kqueuesrv: kqueue is on macOS and the BSDs only")
	}
	r = newTrace(t)
	bin := t.TempDir()
	for _, name := range []string{"dirname", "uname", "getconf", "readlink"} {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.cmd.Env = append(r.cmd.Env, "PATH="+bin)
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "strace is not in PATH: install it (Debian: strace)")
}

// TestTraceFails has a strace that must not trace, one that writes nothing, and a server
// that is not there.
func TestTraceFails(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("strace is on Linux only")
	}
	const own = `for last; do [ "$file" = next ] && out=$last; file=; [ "$last" = -o ] && file=next; done
while [ "$1" != "$out" ]; do shift; done
shift
`
	for fake, want := range map[string]string{
		"echo 'strace: Operation not permitted' >&2; exit 1":                             "strace: Operation not permitted",
		own + `: >"$out"; exec "$@"`:                                                     "epollsrv: strace has printed no call",
		own + `echo "$$ getpid() = $$" >"$out"; exec "$@"`:                               "epollsrv: strace saw nobody accept C",
		own + "echo $$ >\"$out\"; echo epollsrv: resp on 127.0.0.1:1 >&2; exec sleep 60": "connection refused",
	} {
		r := newBench(t, map[string]string{"strace": fake}, "epollsrv")
		script, err := filepath.Abs("trace.sh")
		if err != nil {
			t.Fatal(err)
		}
		r.cmd.Args = []string{r.cmd.Args[0], script, "epollsrv"}
		r.start(t)
		r.finish(t, 1)
		r.expectError(t, want)
	}
}

// TestTraceInterrupted ends the script in the middle of a conversation.
func TestTraceInterrupted(t *testing.T) {
	needStrace(t)
	if _, err := exec.LookPath("ps"); err != nil {
		t.Skipf("ps finds the conversation: %v", err)
	}
	r := newTrace(t, "busywait")
	r.start(t)
	await(t, "busywait under strace", func() bool { return len(r.processes(t, "/bin/busywait -addr")) > 1 })
	syscall.Kill(r.cmd.Process.Pid, syscall.SIGTERM)
	r.finish(t, 143)
}

// TestTraceResults reads in the recorded results what they are there to show.
func TestTraceResults(t *testing.T) {
	records, err := csv.NewReader(strings.NewReader(readFile(t, "results/trace.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	has := func(want ...string) bool {
		return slices.ContainsFunc(records, func(f []string) bool { return slices.Equal(f[:6], want) })
	}
	for _, proto := range []string{"resp", "kv"} {
		for _, event := range []string{"B connects", "B sends half a GET", "B sends the other half", "B half-closes"} {
			if !has(proto, "stblock", event, "none", "", "no call") {
				t.Errorf("%s: stblock does something when %s, though A has not left", proto, event)
			}
			if !has(proto, "busywait", event, "wait", "", "does not wait") {
				t.Errorf("%s: busywait waits when %s", proto, event)
			}
			if event != "B half-closes" && !(has(proto, "mtblock", event, "wait", "2", "waits in read(A)") && has(proto, "mtblock", event, "wait", "3", "waits in read(B)")) {
				t.Errorf("%s: mtblock has no two threads that read when %s", proto, event)
			}
		}
		for flavor, calls := range map[string]string{
			"stblock":      "read 1, write 1",
			"mtblock":      "read 1, write 1",
			"goroutinesrv": "epoll_wait 1, read 1, write 1; in vain: read 1",
			"epollsrv":     "epoll_wait 1, read 1, write 1",
		} {
			if !has(proto, flavor, "", "request", "", calls) {
				t.Errorf("%s: %s does not answer a GET with %s", proto, flavor, calls)
			}
		}
	}
}

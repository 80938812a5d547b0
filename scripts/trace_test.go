//go:build unix

package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/scripts/trace/recording"
)

func needStrace(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil || runtime.GOOS != "linux" {
		t.Skip("trace.sh needs Linux and strace")
	}
}

// runTrace runs trace.sh to its end, however long that takes.
func runTrace(t *testing.T, code int, r *benchRun) *benchRun {
	t.Helper()
	if code != 2 {
		needStrace(t)
	}
	r.start(t)
	r.cmd.Wait()
	r.finish(t, code)
	return r
}

// TestTrace holds the conversation with all flavors anew. They make the calls that have been
// recorded, whatever the machine.
func TestTrace(t *testing.T) {
	t.Parallel()
	r := runTrace(t, 0, newScript(t, "trace.sh", "-o", "out"))
	_, recorded := traced(t, "results")
	_, fresh := traced(t, r.out)
	if d := cmp.Diff(recorded, fresh); d != "" {
		t.Errorf("calls by event (-recorded +fresh):\n%s\nIf the change is wanted: scripts/trace.sh -o scripts/results", d)
	}
	text := readFile(t, filepath.Join(r.out, "trace.txt"))
	if r.stdout.String() != text || strings.Count(text, "\nA connects\n") != 10 || regexp.MustCompile(`.{80}`).MatchString(text) {
		t.Errorf("trace.txt is not what was printed, or not of 5 flavors in 2 protocols, or too wide:\n%s", text)
	}
}

var amounts = regexp.MustCompile(`[1-9][0-9,]*( of [0-9,]+)?`)

// What depends on the machine: which calls are in vain, how often A must be waited for, and
// what is reported while a connection ends.
var varies = regexp.MustCompile(`(EAGAIN|OUT|HUP); |^epoll_ctl.*listener, IN`)

// traced returns what trace.csv in dir has, by protocol, flavor and event, without amounts:
// all rows of each event, and the calls that do not vary.
func traced(t *testing.T, dir string) (rows map[string]string, calls map[string]bool) {
	traces, err := recording.Read(strings.NewReader(readFile(t, filepath.Join(dir, "trace.csv"))))
	if err != nil {
		t.Fatal(err)
	}
	rows, calls = map[string]string{}, map[string]bool{}
	for _, trace := range traces {
		for _, e := range trace.Events {
			event := trace.Proto + ", " + trace.Flavor + ", " + e.Name + ": "
			for _, r := range e.Rows {
				text := amounts.ReplaceAllString(r.Text, "n") + "; "
				rows[event] += text
				if r.Kind == "call" && !varies.MatchString(text) {
					calls[strings.Replace(event, "A asks for 16 MB, reads nothing", "A reads", 1)+text] = true
				}
			}
		}
	}
	return rows, calls
}

// TestTraceResults reads in the recorded results what they are there to show.
func TestTraceResults(t *testing.T) {
	rows, _ := traced(t, "results")
	for _, want := range []string{
		"stblock, B sends a GET: no call; B gets nothing; waits in write(A); ",
		"mtblock, B sends a GET: read(B) = n; write(B) = n; B gets n bytes; waits in accept(listener); waits in write(A); waits in read(B); ",
		"mtblock, B half-closes: read(B) = 0; close(B); exit(); B gets the end; waits in accept(listener); waits in read(A); ",
		"goroutinesrv, B sends half a GET: epoll_wait(netpoll) = B IN|OUT; read(B) = n; read(B) = EAGAIN; waits in epoll_wait(netpoll); parked in accept(listener); parked in read(A); parked in read(B); ",
		"busywait, A sends a GET, still reads nothing: accept(listener) = EAGAIN; read(B) = EAGAIN; write(A) = EAGAIN; does not wait; ",
		"epollsrv, A and B send a GET at the same time: epoll_wait(epoll) = A IN, B IN; read(A) = n; write(A) = n; read(B) = n; write(B) = n; A gets n bytes; B gets n bytes; waits in epoll_wait(epoll); ",
	} {
		event, _, _ := strings.Cut(want, ": ")
		for _, proto := range []string{"resp, ", "kv, "} {
			if d := cmp.Diff(proto+want, proto+event+": "+rows[proto+event+": "]); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
	}
}

// TestTraceFlags has flags that are refused, a strace that must not trace, a server that is
// not there, and no room for two flavors side by side.
func TestTraceFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-x":                        "unknown option -x",
		"-proto http":               `invalid value "http" for -proto: want resp or kv`,
		"-o x stblock":              "-o keeps what all flavors do: name none",
		"stblock mtblock epollsrv/": "want two flavors at the most, not 3",
	} {
		runTrace(t, 2, newScript(t, "trace.sh", strings.Fields(args)...)).expectError(t, want)
	}
	for fake, want := range map[string]string{
		"echo 'strace: Operation not permitted' >&2; exit 1":  "strace: Operation not permitted",
		`echo "$*" >&2; exit 1`:                               "-proto kv",
		"echo epollsrv: kv on 127.0.0.1:1 >&2; exec sleep 60": "epollsrv: the server has ended",
	} {
		runTrace(t, 1, prepare(t, "trace.sh", map[string]string{"strace": fake}, "-proto", "kv", "epollsrv")).expectError(t, want)
	}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		r := newScript(t, "trace.sh", "-proto", "kv", "-lines", "./epollsrv", "stblock/")
		r.cmd.Stdout = full
		runTrace(t, 1, r).expectError(t, "no space left")
	}
}

// TestTraceInterrupted ends the script in the middle of a conversation.
func TestTraceInterrupted(t *testing.T) {
	needStrace(t)
	r := newScript(t, "trace.sh", "stblock")
	r.start(t)
	await(t, "stblock under strace", func() bool { return len(r.processes(t, "/bin/stblock -addr")) > 1 })
	syscall.Kill(r.cmd.Process.Pid, syscall.SIGTERM)
	r.finish(t, 143)
}

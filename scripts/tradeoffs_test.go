package scripts

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newScript prepares a run of another script as newBench does.
func newScript(t *testing.T, name string, args ...string) *benchRun {
	t.Helper()
	r := newBench(t, nil, args...)
	script, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Args[1] = script
	return r
}

func TestTradeoffsUsage(t *testing.T) {
	for name, words := range map[string]string{
		"tradeoffs.sh": "-c -n -m -s -t -R -o kqueuesrv silent heavy slow idle memory hold churn cores calls lost clients",
	} {
		r := newScript(t, name, "-h")
		r.start(t)
		r.finish(t, 0)
		for _, word := range append(strings.Fields(words), "usage: "+name) {
			if !strings.Contains(r.stdout.String(), word) {
				t.Errorf("no %q in:\n%s", word, &r.stdout)
			}
		}
		if r.stderr.Len() > 0 {
			t.Errorf("standard error: %s", &r.stderr)
		}
	}
}

func TestTradeoffsFlags(t *testing.T) {
	for _, c := range []struct{ script, args, want string }{
		{"tradeoffs.sh", "-x", "unknown option -x"},
		{"tradeoffs.sh", "nosuchsrv", `unknown flavor "nosuchsrv"`},
		{"tradeoffs.sh", "-c", "-c needs a value"},
		{"tradeoffs.sh", "-c idle,loud", `unknown claim "loud": want some of silent,heavy,`},
		{"tradeoffs.sh", "-c ,", "-c needs a claim"},
		{"tradeoffs.sh", "-n 10", `invalid value "10" for -n: want more than 10`},
		{"tradeoffs.sh", "-n 50001", `invalid value "50001" for -n: want a whole number from 1 to 50000`},
		{"tradeoffs.sh", "-m 65", `invalid value "65" for -m`},
		{"tradeoffs.sh", "-s 2001", `invalid value "2001" for -s`},
		{"tradeoffs.sh", "-t 0.05", `invalid value "0.05" for -t: want seconds from 0.1 to 60`},
		{"tradeoffs.sh", "-t 1s", `invalid value "1s" for -t`},
		{"tradeoffs.sh", "-R 0", `invalid value "0" for -R`},
	} {
		t.Run(c.script+" "+c.args, func(t *testing.T) {
			r := newScript(t, c.script, strings.Fields(c.args)...)
			r.start(t)
			r.finish(t, 2)
			r.expectError(t, c.want)
			if _, err := os.Stat(r.out); err == nil || r.stdout.Len() > 0 {
				t.Errorf("it began to work; standard output: %s", &r.stdout)
			}
		})
	}
}

// TestTradeoffs measures two flavors in little time.
func TestTradeoffs(t *testing.T) {
	loop, skipped := native()
	servers := []string{"mtblock", loop}
	if _, err := exec.LookPath("redis-server"); err == nil {
		servers = append(servers, "redis-server")
	} else {
		t.Logf("without redis-server as reference: %v", err)
	}
	r := newScript(t, "tradeoffs.sh", "-n", "60", "-m", "2", "-s", "20", "-t", "0.1", "-R", "2", skipped, loop, "mtblock")
	r.start(t)
	r.finish(t, 0)
	r.expectError(t, "skipping "+skipped+": ")
	checkTradeoffs(t, readTradeoffs(t, r.out), servers)
	table := readFile(t, filepath.Join(r.out, "tradeoffs.txt"))
	if !strings.HasPrefix(r.stdout.String(), table) {
		t.Errorf("tradeoffs.txt is not what was printed, which is:\n%s", &r.stdout)
	}
	for _, server := range servers {
		if n := strings.Count(table, "\n"+server+" "); n != 4 {
			t.Errorf("%s has %d rows, want one in each of 4 tables:\n%s", server, n, table)
		}
	}
	for line := range strings.Lines(table) {
		if len(line) > 151 {
			t.Errorf("a line of %d columns: %q", len(line), line)
		}
	}
	for _, mention := range []string{"median of 2 rounds", "without its lock, mtblock lost ", "skipped     " + skipped + ": "} {
		if !strings.Contains(table, mention) {
			t.Errorf("no %q in:\n%s", mention, table)
		}
	}
}

// readTradeoffs returns the figures in tradeoffs.csv, by claim, flavor and metric.
func readTradeoffs(t *testing.T, dir string) map[[3]string][]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(readFile(t, filepath.Join(dir, "tradeoffs.csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"claim", "flavor", "metric", "value", "unit", "round"}, records[0]); diff != "" {
		t.Errorf("header of tradeoffs.csv (-want +got):\n%s", diff)
	}
	figures := map[[3]string][]string{}
	for _, r := range records[1:] {
		key := [3]string(r[:3])
		figures[key] = append(figures[key], r[3])
	}
	return figures
}

// tradeoffMetrics are what each claim says about a server that serves many. Those with
// a star are measured in each of the rounds.
var tradeoffMetrics = map[string]string{
	"alone":   "*p50 *p99",
	"silent":  "*p50 *p99",
	"heavy":   "*p50 *p99",
	"slow":    "*p50 *p99 *growth",
	"idle":    "CPU CPU_alone clients",
	"memory":  "RSS_10 RSS_60 each_10 each_60 threads_10 threads_60 served_10 served_60",
	"hold":    "*rps *p99 *rps_alone *p99_alone *clients",
	"churn":   "*connections",
	"cores":   "*cores *rps *clients",
	"calls":   "total switches clients",
	"lost":    "lost replies",
	"clients": "*1 *2 *5 *10 *20 *50",
}

// checkTradeoffs checks that each claim has its figures for each server, and those that
// do not depend on speed.
func checkTradeoffs(t *testing.T, figures map[[3]string][]string, servers []string) {
	t.Helper()
	for claim, metrics := range tradeoffMetrics {
		for _, server := range servers {
			for metric := range strings.FieldsSeq(metrics) {
				name, rounds := metric, 1
				if strings.HasPrefix(metric, "*") {
					name, rounds = metric[1:], 2
				}
				got := figures[[3]string{claim, server, strings.ReplaceAll(name, "_", " ")}]
				if len(got) != rounds {
					t.Errorf("%s of %s: %s has figures %q, want %d", claim, server, name, got, rounds)
				}
				for _, figure := range got {
					if _, err := strconv.ParseFloat(figure, 64); err != nil && !missing(claim, figure) {
						t.Errorf("%s of %s: %s is %q", claim, server, name, figure)
					}
				}
			}
		}
	}
	for key, want := range map[[3]string]string{
		{"lost", "mtblock", "lost"}:         "0",
		{"lost", servers[1], "lost"}:        "0",
		{"memory", "mtblock", "served 60"}:  "60",
		{"memory", servers[1], "served 10"}: "10",
		{"hold", servers[1], "clients"}:     "60 60",
		{"lost", servers[1], "replies"}:     "50000",
		{"idle", "mtblock", "clients"}:      "10",
	} {
		if got := strings.Join(figures[key], " "); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
	figure := func(claim, server, metric string) float64 {
		x, err := strconv.ParseFloat(figures[[3]string{claim, server, metric}][0], 64)
		if err != nil {
			t.Errorf("%s of %s: %s: %v", claim, server, metric, err)
		}
		return x
	}
	if x := figure("memory", "mtblock", "threads 60"); x < 60 {
		t.Errorf("mtblock has %v threads for 60 clients", x)
	}
	if x := figure("slow", servers[1], "growth"); x > 16 {
		t.Errorf("%s grows by %v MB", servers[1], x)
	}
	if end := figures[[3]string{"lost", "mtblock-unlocked", "end"}]; len(end) != 1 {
		t.Errorf("mtblock without its lock ends with %q", end)
	}
	if runtime.GOOS != "linux" {
		return
	}
	for _, call := range []string{"read", "write"} {
		if x := figure("calls", servers[1], call); x < 0.99 || x > 1.5 {
			t.Errorf("%s makes %v calls of %s in a request", servers[1], x, call)
		}
	}
}

// missing tells whether a figure may be missing: calls may need more than there is.
func missing(claim, figure string) bool {
	if claim != "calls" || figure != "-" {
		return false
	}
	_, err := exec.LookPath("strace")
	return runtime.GOOS != "linux" || err != nil
}

// TestTradeoffsServerDies kills the server in the middle of a measurement.
func TestTradeoffsServerDies(t *testing.T) {
	r := newScript(t, "tradeoffs.sh", "-c", "clients", "-t", "60", "mtblock")
	syscall.Kill(r.awaitServer(t, "mtblock"), syscall.SIGKILL)
	r.finish(t, 1)
	r.expectError(t, "mtblock died in clients: it ended with signal 9. Its last words:\n    mtblock: resp on 127.0.0.1:")
	if _, err := os.Stat(r.out); err == nil {
		t.Error("a folder for results that there are none of")
	}
}

// TestTradeoffsClientDies kills the client in the middle of a measurement.
func TestTradeoffsClientDies(t *testing.T) {
	r := newScript(t, "tradeoffs.sh", "-c", "clients", "-t", "60", "mtblock")
	r.awaitServer(t, "mtblock")
	for _, pid := range r.processes(t, "/bin/kv bench ") {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	r.finish(t, 1)
	r.expectError(t, "kv ended with signal 9 against mtblock in clients. It said:\n")
}

// TestTradeoffsSignal ends tradeoffs.sh, and nothing else, while each kind of process
// runs.
func TestTradeoffsSignal(t *testing.T) {
	for process, args := range map[string][]string{
		"/bin/kv bench ":  {"-c", "clients", "-t", "60", "mtblock"},
		"/bin/kv burden ": {"-c", "silent", "-t", "1", "mtblock"},
		"strace.out /":    {"-c", "calls", "-t", "0.5", "mtblock"},
	} {
		t.Run(process, func(t *testing.T) {
			if process == "strace.out /" {
				if _, err := exec.LookPath("strace"); err != nil || runtime.GOOS != "linux" {
					t.Skipf("system calls are counted with strace on Linux: %v", err)
				}
			}
			r := newScript(t, "tradeoffs.sh", args...)
			r.start(t)
			await(t, process, func() bool { return len(r.processes(t, process)) > 0 })
			if err := syscall.Kill(r.cmd.Process.Pid, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			r.finish(t, 143)
		})
	}
}

//go:build unix

package scripts

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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
	r := newScript(t, "tradeoffs.sh", "-h")
	r.start(t)
	r.finish(t, 0)
	words := "-c -n -m -s -t -R -o kqueuesrv silent heavy slow idle memory hold churn cores calls lost clients values"
	for _, word := range append(strings.Fields(words), "usage: tradeoffs.sh") {
		if !strings.Contains(r.stdout.String(), word) {
			t.Errorf("no %q in:\n%s", word, &r.stdout)
		}
	}
	if r.stderr.Len() > 0 {
		t.Errorf("standard error: %s", &r.stderr)
	}
}

func TestTradeoffsFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-x":           "unknown option -x",
		"nosuchsrv":    `unknown flavor "nosuchsrv"`,
		"-c":           "-c needs a value",
		"-c idle,loud": `unknown claim "loud": want some of silent,heavy,`,
		"-c ,":         "-c needs a claim",
		"-n 10":        `invalid value "10" for -n: want more than 10`,
		"-n 50001":     `invalid value "50001" for -n: want a whole number from 1 to 50000`,
		"-m 65":        `invalid value "65" for -m`,
		"-s 2001":      `invalid value "2001" for -s`,
		"-t 0.05":      `invalid value "0.05" for -t: want seconds from 0.1 to 60`,
		"-t 60.5":      `invalid value "60.5" for -t`,
		"-t 61":        `invalid value "61" for -t`,
		"-t 1s":        `invalid value "1s" for -t`,
		"-R 0":         `invalid value "0" for -R`,
	} {
		t.Run(args, func(t *testing.T) {
			r := newScript(t, "tradeoffs.sh", strings.Fields(args)...)
			r.start(t)
			r.finish(t, 2)
			r.expectError(t, want)
			if _, err := os.Stat(r.out); err == nil || r.stdout.Len() > 0 {
				t.Errorf("it began to work; standard output: %s", &r.stdout)
			}
		})
	}
}

// withReference adds redis-server to servers, if it is there.
func withReference(t *testing.T, servers ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Logf("without redis-server as reference: %v", err)
		return servers
	}
	return append(servers, "redis-server")
}

// TestTradeoffs measures two flavors in little time.
func TestTradeoffs(t *testing.T) {
	t.Parallel()
	loop, skipped := native()
	servers := withReference(t, "mtblock", loop)
	claims := "silent,heavy,slow,hold,churn,cores,clients,idle,memory,calls,lost"
	r := newScript(t, "tradeoffs.sh", "-c", claims, "-n", "60", "-m", "2", "-s", "20", "-t", "0.1", "-R", "1", skipped, loop, "mtblock")
	r.start(t)
	r.finish(t, 0)
	r.expectError(t, "skipping "+skipped+": ")
	figures := readTradeoffs(t, r.out)
	checkClaims(t, figures, servers, 1, strings.Split("alone,"+claims, ",")...)
	checkFigures(t, figures, loop)
	checkTradeoffsTable(t, r, servers, 4, "from one measurement", "without its lock, mtblock lost ", "skipped     "+skipped+": ")
}

// TestTradeoffsRounds measures what needs more than one round. What a client makes others
// feel brings what they feel alone.
func TestTradeoffsRounds(t *testing.T) {
	t.Parallel()
	loop, _ := native()
	servers := withReference(t, "goroutinesrv", loop)
	r := newScript(t, "tradeoffs.sh", "-c", "idle,silent", "-n", "60", "-t", "0.1", "-R", "2", loop, "goroutinesrv")
	r.start(t)
	r.finish(t, 0)
	checkClaims(t, readTradeoffs(t, r.out), servers, 2, "alone", "silent", "idle")
	checkTradeoffsTable(t, r, servers, 2, "median of 2 rounds")
}

// TestTradeoffsValues measures a server of each kind: one that serves one client at a time.
func TestTradeoffsValues(t *testing.T) {
	t.Parallel()
	servers := withReference(t, "stblock")
	r := newScript(t, "tradeoffs.sh", "-c", "values", "-R", "1", "stblock")
	r.start(t)
	r.finish(t, 0)
	figures := readTradeoffs(t, r.out)
	checkClaims(t, figures, servers, 1, "values")
	if got := strings.Join(figures[[3]string{"values", "stblock", "clients"}], " "); got != "1" {
		t.Errorf("stblock is measured with %s clients", got)
	}
	checkTradeoffsTable(t, r, servers, 2)
}

// checkTradeoffsTable checks what is printed: so many rows a server, and texts.
func checkTradeoffsTable(t *testing.T, r *benchRun, servers []string, rows int, texts ...string) {
	t.Helper()
	table := readFile(t, filepath.Join(r.out, "tradeoffs.txt"))
	if !strings.HasPrefix(r.stdout.String(), table) {
		t.Errorf("tradeoffs.txt is not what was printed, which is:\n%s", &r.stdout)
	}
	for _, server := range servers {
		if n := strings.Count(table, "\n"+server+" "); n != rows {
			t.Errorf("%s has %d rows, want %d:\n%s", server, n, rows, table)
		}
	}
	for line := range strings.Lines(table) {
		if len(line) > 151 && !strings.HasPrefix(line, "command ") {
			t.Errorf("a line of %d columns: %q", len(line), line)
		}
	}
	for _, text := range texts {
		if !strings.Contains(table, text) {
			t.Errorf("no %q in:\n%s", text, table)
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
	"values": "*clients *SET_rps_3 *SET_rps_100 *SET_rps_1000 *SET_rps_10000 *SET_rps_100000 *SET_rps_1000000" +
		" *GET_rps_3 *GET_rps_1000000 *SET_CPU_3 *SET_CPU_1000000 *GET_CPU_3 *GET_CPU_1000000",
}

// checkClaims checks that claims, and no others, have their figures for each server.
func checkClaims(t *testing.T, figures map[[3]string][]string, servers []string, rounds int, claims ...string) {
	t.Helper()
	for key := range figures {
		if !slices.Contains(claims, key[0]) {
			t.Errorf("a figure that is not wanted: %q", key)
		}
	}
	for _, claim := range claims {
		for _, server := range servers {
			for metric := range strings.FieldsSeq(tradeoffMetrics[claim]) {
				name, want := strings.TrimPrefix(metric, "*"), 1
				if name != metric {
					want = rounds
				}
				got := figures[[3]string{claim, server, strings.ReplaceAll(name, "_", " ")}]
				if len(got) != want {
					t.Errorf("%s of %s: %s has figures %q, want %d", claim, server, name, got, want)
				}
				for _, figure := range got {
					if _, err := strconv.ParseFloat(figure, 64); err != nil && !missing(claim, figure) {
						t.Errorf("%s of %s: %s is %q", claim, server, name, figure)
					}
				}
			}
		}
	}
}

// checkFigures checks those figures of mtblock and an event loop that do not depend on
// speed.
func checkFigures(t *testing.T, figures map[[3]string][]string, loop string) {
	t.Helper()
	for key, want := range map[[3]string]string{
		{"lost", "mtblock", "lost"}:        "0",
		{"lost", loop, "lost"}:             "0",
		{"memory", "mtblock", "served 60"}: "60",
		{"memory", loop, "served 10"}:      "10",
		{"hold", loop, "clients"}:          "60",
		{"lost", loop, "replies"}:          "50000",
		{"idle", "mtblock", "clients"}:     "10",
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
	if x := figure("slow", loop, "growth"); x > 16 {
		t.Errorf("%s grows by %v MB", loop, x)
	}
	if end := figures[[3]string{"lost", "mtblock-unlocked", "end"}]; len(end) != 1 {
		t.Errorf("mtblock without its lock ends with %q", end)
	}
	if runtime.GOOS != "linux" {
		return
	}
	for _, call := range []string{"read", "write"} {
		if x := figure("calls", loop, call); x < 0.99 || x > 1.5 {
			t.Errorf("%s makes %v calls of %s in a request", loop, x, call)
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
	t.Parallel()
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
	t.Parallel()
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
		"/bin/kv bench ":                   {"-c", "clients", "-t", "60", "mtblock"},
		"/bin/kv burden ":                  {"-c", "silent", "-t", "1", "mtblock"},
		"-bpf -c -e trace=!read,write -o ": {"-c", "calls", "mtblock"},
	} {
		t.Run(process, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(process, "-bpf") {
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

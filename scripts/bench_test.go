//go:build unix

package scripts

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A benchRun is a run of bench.sh. Whatever it makes has base in its name: the
// folders tmp and out, and so the command lines of its processes.
type benchRun struct {
	cmd            *exec.Cmd
	base, tmp, out string
	stdout, stderr bytes.Buffer
}

// newBench prepares a run in a process group of its own. It finds the programs in
// fakes, a map of names to shell scripts, before others of the same name.
func newBench(t *testing.T, fakes map[string]string, args ...string) *benchRun {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skipf("bench.sh needs bash: %v", err)
	}
	base := filepath.Join(t.TempDir(), "a b")
	r := &benchRun{base: base, tmp: filepath.Join(base, "tmp"), out: filepath.Join(base, "out")}
	bin := filepath.Join(base, "bin")
	for _, dir := range []string{r.tmp, bin} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	syscall.ForkLock.RLock() // what another process has open for writing cannot be run
	defer syscall.ForkLock.RUnlock()
	for name, script := range fakes {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("bench.sh")
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(base, "link to bench")
	if err := os.Symlink(script, link); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(bash, append([]string{link, "-o", r.out}, args...)...)
	r.cmd.Dir = base
	r.cmd.Env = append(os.Environ(), "TMPDIR="+r.tmp, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.cmd.WaitDelay = patience // for a process that is left with our pipes
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return r
}

func (r *benchRun) start(t *testing.T) {
	t.Helper()
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
}

// kill ends what is there of the process group, after a test that failed.
func (r *benchRun) kill() { syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) }

// finish waits for the end and checks the exit status, and that nothing is left.
func (r *benchRun) finish(t *testing.T, code int) {
	t.Helper()
	hangs := time.AfterFunc(4*patience, r.kill)
	r.cmd.Wait()
	hangs.Stop()
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%v, want exit status %d; standard error:\n%s", r.cmd.ProcessState, code, &r.stderr)
	}
	left, err := filepath.Glob(filepath.Join(r.tmp, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := exec.LookPath("ps"); err == nil {
		await(t, "the end of all processes", func() bool { return len(r.processes(t, "")) == 0 })
	}
}

// processes returns the ids of the run's processes whose command line has text in it. The
// program measure has the command lines of others in its own.
func (r *benchRun) processes(t *testing.T, text string) (pids []int) {
	t.Helper()
	lines, err := exec.Command("ps", "-A", "-ww", "-o", "pid=", "-o", "args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	for line := range strings.Lines(string(lines)) {
		if !strings.Contains(line, r.base) || !strings.Contains(line, text) {
			continue
		}
		if text != "" && strings.Contains(line, "/bin/measure ") {
			continue
		}
		pid, err := strconv.Atoi(strings.Fields(line)[0])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// awaitServer waits until a client loads a flavor, and returns the flavor's process id.
func (r *benchRun) awaitServer(t *testing.T, flavor string) (pid int) {
	t.Helper()
	if _, err := exec.LookPath("ps"); err != nil {
		t.Skipf("ps finds the server: %v", err)
	}
	r.start(t)
	await(t, flavor+" under load", func() bool {
		servers, clients := r.processes(t, "/bin/"+flavor+" "), r.processes(t, "/bin/kv bench ")
		if len(servers) == 0 || len(clients) == 0 {
			return false
		}
		pid = servers[0]
		return true
	})
	return pid
}

func (r *benchRun) expectError(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(r.stderr.String(), text) {
		t.Errorf("no %q in standard error:\n%s", text, &r.stderr)
	}
}

func TestBenchUsage(t *testing.T) {
	r := newBench(t, nil, "-h")
	r.start(t)
	r.finish(t, 0)
	for _, word := range []string{"usage: ", "-proto", "-c ", "-P ", "-n ", "-d ", "-r ", "-R ", "-o ", "kqueuesrv"} {
		if !strings.Contains(r.stdout.String(), word) {
			t.Errorf("no %q in:\n%s", word, &r.stdout)
		}
	}
	if r.stderr.Len() > 0 {
		t.Errorf("standard error: %s", &r.stderr)
	}
}

func TestBenchFlags(t *testing.T) {
	cases := []struct{ args, want string }{
		{"-x", "unknown option -x"},
		{"--csv", "unknown option --csv"},
		{"nosuchsrv", `unknown flavor "nosuchsrv"`},
		{"-c", "-c needs a value"},
		{"-c 0", `invalid value "0" for -c: want a whole number from 1 to 9000`},
		{"-c 9001", `invalid value "9001" for -c`},
		{"-n 1e6", `invalid value "1e6" for -n`},
		{"-n -5", `invalid value "-5" for -n`},
		{"-P 99999999999999999999", `invalid value "99999999999999999999" for -P`},
		{"-R 08", `invalid value "08" for -R`},
		{"-proto http", `invalid value "http" for -proto: want resp or kv`},
		{"epollsrv -r 1000000 -d 1074", "-r 1000000 keys of -d 1074 bytes are more than 1 GiB"},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			r := newBench(t, nil, strings.Fields(c.args)...)
			r.start(t)
			r.finish(t, 2)
			r.expectError(t, c.want)
			if _, err := os.Stat(r.out); err == nil || r.stdout.Len() > 0 {
				t.Errorf("it began to work; standard output: %s", &r.stdout)
			}
		})
	}
}

// native returns the event-loop flavor of this system, and the one of another.
func native() (runs, skipped string) {
	if runtime.GOOS == "linux" {
		return "epollsrv", "kqueuesrv"
	}
	return "kqueuesrv", "epollsrv"
}

// TestBenchRun makes all workloads tiny, but not so that redis-benchmark, which counts
// milliseconds, finds the rate infinite. The flavors come in reading order, however
// they are given.
func TestBenchRun(t *testing.T) {
	t.Parallel()
	loop, skipped := native()
	r := newBench(t, nil, "-n", "6000", skipped, loop, "-R", "2", "stblock")
	r.start(t)
	r.finish(t, 0)
	r.expectError(t, "skipping "+skipped+": ")

	servers := map[string][]string{"resp": {"stblock", loop}, "kv": {"stblock", loop}}
	if _, err := exec.LookPath("redis-server"); err == nil {
		servers["resp"] = append(servers["resp"], "redis-server")
	} else {
		t.Logf("without redis-server as reference: %v", err)
	}
	if diff := cmp.Diff(wantRaw(servers), readRaw(t, filepath.Join(r.out, "raw.csv"))); diff != "" {
		t.Errorf("raw.csv (-want +got):\n%s", diff)
	}
	table := readFile(t, filepath.Join(r.out, "table.txt"))
	if diff := cmp.Diff(wantTables(servers), tableRows(t, table)); diff != "" {
		t.Errorf("tables (-want +got):\n%s\n%s", diff, table)
	}
	if !strings.HasPrefix(r.stdout.String(), table) {
		t.Errorf("table.txt is not what was printed, which is:\n%s", &r.stdout)
	}
	for _, mention := range []string{"median of 2 rounds", "skipped     " + skipped + ": "} {
		if !strings.Contains(table, mention) {
			t.Errorf("no %q under the tables:\n%s", mention, table)
		}
	}
	checkSummary(t, table, servers)
	checkGoBench(t, r.out)
	machine := readFile(t, filepath.Join(r.out, "machine.txt"))
	for _, line := range []string{"command", "date", "system", "processor", "cores", "go", "redis"} {
		if !regexp.MustCompile(`(?m)^` + line + ` +\S`).MatchString(machine) {
			t.Errorf("no %s in machine.txt:\n%s", line, machine)
		}
	}
}

var (
	benchWorkloads = []struct{ clients, pipeline string }{{"1", "1"}, {"50", "1"}, {"50", "16"}}
	benchTests     = map[string][]string{"resp": {"SET", "GET"}, "kv": {"PUT", "GET"}}
)

// wantRaw returns the beginnings of the rows of raw.csv: each measurement of a round,
// then each of the next.
func wantRaw(servers map[string][]string) (rows []string) {
	for round := 1; round <= 2; round++ {
		for _, proto := range []string{"resp", "kv"} {
			for _, w := range benchWorkloads {
				for _, test := range benchTests[proto] {
					for _, server := range servers[proto] {
						if server != "stblock" || w.clients == "1" {
							rows = append(rows, fmt.Sprint(round, " ", server, " ", proto, " ", w.clients, " ", w.pipeline, " ", test, " 6000"))
						}
					}
				}
			}
		}
	}
	return rows
}

// readRaw returns the beginnings of the rows of raw.csv, and checks the figures.
func readRaw(t *testing.T, file string) (rows []string) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(readFile(t, file))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header := "round,flavor,proto,clients,pipeline,test,n,rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads"
	if diff := cmp.Diff(header, strings.Join(records[0], ",")); diff != "" {
		t.Errorf("header of raw.csv (-want +got):\n%s", diff)
	}
	for _, record := range records[1:] {
		row := strings.Join(record[:7], " ")
		rows = append(rows, row)
		var f [10]float64
		for i, figure := range record[7:] {
			if f[i], err = strconv.ParseFloat(figure, 64); err != nil {
				t.Errorf("%s: %v", row, err)
			}
		}
		rps, min, p50, max, cpu, rss, threads := f[0], f[2], f[3], f[6], f[7], f[8], f[9]
		if rps <= 0 || min > p50 || p50 > max || max <= 0 || cpu <= 0 || rss < 1 || threads < 2 {
			t.Errorf("figures out of order: %s: %v", row, record[7:])
		}
	}
	return rows
}

// wantTables returns the title of each table and the first word of its rows.
func wantTables(servers map[string][]string) (rows []string) {
	for _, proto := range []string{"resp", "kv"} {
		for _, title := range []string{"1 client", "50 clients", "50 clients, 16 requests in a pipeline"} {
			rows = append(rows, proto+", "+title+" (6,000 requests)")
			for _, test := range benchTests[proto] {
				rows = append(rows, test)
				for _, server := range servers[proto] {
					if server == "stblock" && title != "1 client" {
						server += " serves one client at a time"
					}
					rows = append(rows, server)
				}
			}
		}
	}
	return rows
}

var (
	benchTitle = regexp.MustCompile(`^(resp|kv), .* requests\)$`)
	benchHead  = regexp.MustCompile(`^(SET|GET|PUT) +requests/s +avg ms +min +p50 +p95 +p99 +max +CPU µs +RSS MB +threads$`)
	benchRow   = regexp.MustCompile(`^([a-z-]+) +[0-9,]+( +[0-9]+\.[0-9]{3}){6} +[0-9]+\.[0-9]{2} +[0-9]+\.[0-9] +[0-9]+$`)
	benchWords = regexp.MustCompile(`^stblock +(serves one client at a time)`)
)

// tableRows returns what wantTables does, of tables that were printed.
func tableRows(t *testing.T, tables string) (rows []string) {
	t.Helper()
	tables, _, _ = strings.Cut(tables, "Each figure is")
	for line := range strings.Lines(tables) {
		line = strings.TrimSuffix(line, "\n")
		if m := benchHead.FindStringSubmatch(line); m != nil {
			rows = append(rows, m[1])
		} else if m := benchRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, m[1])
		} else if m := benchWords.FindStringSubmatch(line); m != nil {
			rows = append(rows, "stblock "+m[1])
		} else if benchTitle.MatchString(line) {
			rows = append(rows, line)
		} else if line != "" {
			t.Errorf("a line of no kind: %q", line)
		}
	}
	return rows
}

// checkSummary checks that the last lines fit a screen, with a row for each server.
func checkSummary(t *testing.T, table string, servers map[string][]string) {
	t.Helper()
	_, summary, _ := strings.Cut(table, "\n\nSET, resp ")
	resp, kv, _ := strings.Cut(summary, "\n\nPUT, kv ")
	for proto, text := range map[string]string{"resp": resp, "kv": kv} {
		for _, server := range servers[proto] {
			if !strings.Contains(text, "\n"+server+" ") {
				t.Errorf("no %s in the summary of %s:\n%s", server, proto, text)
			}
		}
	}
	lines := strings.Split(summary, "\n")
	if len(lines) > 23 || strings.Count(summary, "*") < 19 {
		t.Errorf("a summary of %d lines, and not all marks:\n%s", len(lines), summary)
	}
	for _, line := range lines[1:] {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("more than 80 columns: %q", line)
		}
	}
}

var goBenchLine = regexp.MustCompile(`^Benchmark(SET|GET|PUT)/flavor=[a-z-]+/proto=(resp|kv)/c=[0-9]+/P=[0-9]+ 6000 [0-9.]+ ns/op( [0-9.]+ (avg|min|p50|p95|p99|max)-ms){6} [0-9.]+ cpu-µs/op [0-9.]+ rss-MB [0-9]+ threads$`)

// checkGoBench checks that bench.txt has a line for each measurement.
func checkGoBench(t *testing.T, dir string) {
	t.Helper()
	head, lines, _ := strings.Cut(readFile(t, filepath.Join(dir, "bench.txt")), "Benchmark")
	if !regexp.MustCompile(`^goos: \w+\ngoarch: \w+\npkg: ioflavors\ncpu: \S.*\n$`).MatchString(head) {
		t.Errorf("bench.txt begins with %q", head)
	}
	lines = "Benchmark" + lines
	if got, want := strings.Count(lines, "\n"), strings.Count(readFile(t, filepath.Join(dir, "raw.csv")), "\n")-1; got != want {
		t.Errorf("bench.txt has %d measurements, want %d", got, want)
	}
	for line := range strings.Lines(lines) {
		if !goBenchLine.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("bench.txt: %q", line)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestBenchServerDies kills the server in the middle of a measurement.
func TestBenchServerDies(t *testing.T) {
	t.Parallel()
	r := newBench(t, nil, "-proto", "kv", "-n", "1000000000", "-c", "5", "mtblock")
	syscall.Kill(r.awaitServer(t, "mtblock"), syscall.SIGKILL)
	r.finish(t, 1)
	r.expectError(t, "mtblock died in kv, c=5, P=1, PUT: it ended with signal 9. Its last words:\n    mtblock: kv on 127.0.0.1:")
	if _, err := os.Stat(r.out); err == nil {
		t.Error("a folder for results that there are none of")
	}
}

// TestBenchNotReady has a redis-server that ends at once.
func TestBenchNotReady(t *testing.T) {
	t.Parallel()
	fakes := map[string]string{"redis-server": "echo no memory today >&2; exit 7"}
	r := newBench(t, fakes, "-proto", "resp", "-n", "2000", "-c", "1", "stblock")
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "redis-server was not ready: it ended with exit status 7. Its last words:\n    no memory today\n")
	file := filepath.Join(r.out, "unfinished.csv")
	r.expectError(t, "the figures so far are in "+file)
	if rows := readRaw(t, file); len(rows) != 1 {
		t.Errorf("unfinished.csv has %q, want the one measurement before", rows)
	}
	if left, err := filepath.Glob(filepath.Join(r.out, "*")); err != nil || len(left) != 1 {
		t.Errorf("results: %q, %v", left, err)
	}
}

// TestBenchKeepsResults fails, as so few requests take no time, where an earlier run has
// not: its results stay.
func TestBenchKeepsResults(t *testing.T) {
	t.Parallel()
	fakes := map[string]string{"redis-benchmark": `[ "$1" = --version ] && echo redis-benchmark 7.0.0 && exit
echo '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"'
echo '"SET","inf","0.052","0.048","0.055","0.055","0.055","0.055"'`}
	r := newBench(t, fakes, "-proto", "resp", "-n", "1", "-c", "1", "stblock")
	if err := os.Mkdir(r.out, 0o777); err != nil {
		t.Fatal(err)
	}
	names := []string{"bench.txt", "machine.txt", "raw.csv", "table.txt"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(r.out, name), []byte("earlier"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "redis-benchmark printed no figures (a larger -n may help) against stblock in resp, c=1, P=1, SET. It said:\n")
	for _, name := range names {
		if got := readFile(t, filepath.Join(r.out, name)); got != "earlier" {
			t.Errorf("%s is now %q", name, got)
		}
	}
	if left, err := filepath.Glob(filepath.Join(r.out, "*")); err != nil || len(left) != len(names) {
		t.Errorf("results: %q, %v", left, err)
	}
}

// TestBenchNothing wants what no server does.
func TestBenchNothing(t *testing.T) {
	r := newBench(t, nil, "-proto", "kv", "-c", "2", "stblock")
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "stblock serves one client at a time: there is nothing to measure")
}

// TestBenchOutput gives the tables to a reader that leaves, which is no failure, and to a
// disk that is full, which is one.
func TestBenchOutput(t *testing.T) {
	for name, code := range map[string]int{"pipe": 0, "/dev/full": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newBench(t, nil, "-proto", "kv", "-n", "1000", "-c", "1", "-R", "1", "stblock")
			out, err := os.OpenFile(name, os.O_WRONLY, 0)
			if name == "pipe" {
				var in *os.File
				if in, out, err = os.Pipe(); err == nil {
					in.Close()
				}
			}
			if err != nil {
				t.Skip(err)
			}
			defer out.Close()
			r.cmd.Stdout = out
			r.start(t)
			r.finish(t, code)
			readRaw(t, filepath.Join(r.out, "raw.csv"))
		})
	}
}

// TestBenchHarmless has an environment and names that are none of bench.sh's business. It
// finds no more than Go and what is everywhere, so that scripts/kv drives RESP.
func TestBenchHarmless(t *testing.T) {
	t.Parallel()
	r := newBench(t, nil, "-proto", "resp", "-n", "1000", "-c", "1", "-R", "1", "-o", "its 'results'", "./stblock", "mtblock/")
	bin, strange := filepath.Join(r.base, "bin"), "it's \"odd\" $HOME"
	for _, name := range strings.Fields("bash basename cat date dirname env getconf go grep head ln mkdir mktemp mv ps readlink rm rmdir sed sleep uname wc") {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"go.work": "no such syntax", "go.mod": "nor this"} {
		if err := os.WriteFile(filepath.Join(r.base, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(r.base, strange), 0o777); err != nil {
		t.Fatal(err)
	}
	r.cmd.Env = append(r.cmd.Env, "PATH="+bin, "TMPDIR="+strange, "CDPATH=/:/tmp", "GOWORK="+filepath.Join(r.base, "go.work"))
	r.tmp = filepath.Join(r.base, strange)
	r.start(t)
	r.finish(t, 0)
	r.expectError(t, "redis-benchmark is not in PATH: scripts/kv drives resp too")
	want := []string{"1 stblock resp 1 1 SET 1000", "1 mtblock resp 1 1 SET 1000", "1 stblock resp 1 1 GET 1000", "1 mtblock resp 1 1 GET 1000"}
	if diff := cmp.Diff(want, readRaw(t, filepath.Join(r.base, "its 'results'", "raw.csv"))); diff != "" {
		t.Errorf("raw.csv (-want +got):\n%s", diff)
	}
}

// TestBenchStall has a client that waits for ever.
func TestBenchStall(t *testing.T) {
	t.Parallel()
	fakes := map[string]string{
		"redis-benchmark": `[ "$1" = --version ] && echo redis-benchmark 7.0.0 && exit; exec sleep 1000`,
	}
	r := newBench(t, fakes, "-proto", "resp", "-n", "2000", "-c", "5", "mtblock")
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "redis-benchmark made no progress for 10s against mtblock in resp, c=5, P=1, SET. It said:\n    (nothing)\n")
}

// TestBenchClientFails has a client that is not served as it likes.
func TestBenchClientFails(t *testing.T) {
	t.Parallel()
	fakes := map[string]string{
		"redis-benchmark": `[ "$1" = --version ] && echo redis-benchmark 7.0.0 && exit; echo wrong reply; exit 3`,
	}
	r := newBench(t, fakes, "-proto", "resp", "-n", "2000", "-c", "5", "mtblock")
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "redis-benchmark ended with exit status 3 against mtblock in resp, c=5, P=1, SET. It said:\n    wrong reply\n")
}

// TestBenchOldClient has a redis-benchmark from before the latencies in its CSV.
func TestBenchOldClient(t *testing.T) {
	t.Parallel()
	fakes := map[string]string{"redis-benchmark": "echo redis-benchmark 6.0.16"}
	r := newBench(t, fakes, "-proto", "resp", "-n", "2000", "-c", "5", "-R", "1", "mtblock")
	r.start(t)
	r.finish(t, 0)
	r.expectError(t, "scripts/kv drives resp too")
	if want := "client      scripts/kv;"; !strings.Contains(r.stdout.String(), want) {
		t.Errorf("no %q in standard output:\n%s", want, &r.stdout)
	}
}

// TestBenchSignals ends bench.sh as Ctrl-C does, by a signal to the whole process
// group, and as kill does.
func TestBenchSignals(t *testing.T) {
	for name, c := range map[string]struct {
		sig  syscall.Signal
		to   int // times the process id
		code int
	}{
		"Ctrl-C":    {syscall.SIGINT, -1, 130},
		"kill -INT": {syscall.SIGINT, 1, 130},
		"kill":      {syscall.SIGTERM, 1, 143},
		"hangup":    {syscall.SIGHUP, -1, 129},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(c.sig) {
				t.Skipf("the tests ignore %v, and so does a script that they start", c.sig)
			}
			r := newBench(t, nil, "-proto", "kv", "-n", "1000000000", "-c", "5", "mtblock")
			r.awaitServer(t, "mtblock")
			if err := syscall.Kill(c.to*r.cmd.Process.Pid, c.sig); err != nil {
				t.Error(err)
			}
			r.finish(t, c.code)
		})
	}
}

//go:build unix

package scripts

import (
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHelp checks that the help fits the width, and names all options.
func TestHelp(t *testing.T) {
	for script, options := range map[string]string{
		"bench.sh":     "-proto -c -P -n -d -r -R -o -h kqueuesrv",
		"tradeoffs.sh": "-c -n -m -s -t -R -o -h kqueuesrv silent heavy slow idle memory hold churn cores calls lost clients values",
		"plot.sh":      "-o -h throughput.svg latency.svg cpu.svg memory.svg clients.svg values.svg gnuplot",
	} {
		text := newScript(t, script, "-h").runs(t, 0)
		for option := range strings.FieldsSeq(options) {
			if !strings.Contains(text, " "+option) {
				t.Errorf("no %s in:\n%s", option, text)
			}
		}
		if line := regexp.MustCompile(`(?m)^.{80,}$`).FindString(text); line != "" {
			t.Errorf("%s: a line of %d columns: %q", script, len(line), line)
		}
	}
}

// TestFlags has mistakes in the command line, and what cannot be done. Nothing is built.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		before, script, args string
		code                 int
		want                 string
	}{
		{"", "bench.sh", "-x", 2, "unknown option -x"},
		{"", "bench.sh", "nosuchsrv", 2, `unknown flavor "nosuchsrv"`},
		{"", "bench.sh", "-c", 2, "-c needs a value"},
		{"", "bench.sh", "-c 9001", 2, `invalid value "9001" for -c: want a whole number from 1 to 9000`},
		{"", "bench.sh", "-P 99999999999999999999", 2, `invalid value "99999999999999999999" for -P`},
		{"", "bench.sh", "-R 08", 2, `invalid value "08" for -R`},
		{"", "bench.sh", "-proto http", 2, `invalid value "http" for -proto: want resp or kv`},
		{"", "bench.sh", "epollsrv -r 1000000 -d 1074", 2, "-r 1000000 keys of -d 1074 bytes are more than 1 GiB"},
		{"", "bench.sh", "-proto kv -c 2 stblock", 1, "stblock serves one client at a time: there is nothing to measure"},
		{"", "bench.sh", "-o bin/go/x stblock", 1, "bench.sh: cannot make the folder bin/go/x: Not a directory"},
		{"ulimit -n 200", "bench.sh", "-c 300", 1, "-c 300 is too many: this system allows a process 200 descriptors"},
		{"chmod() { :; }; export -f chmod", "bench.sh", "stblock", 1, "/tmp, which may be mounted noexec: set GOTMPDIR to another folder"},
		{"", "tradeoffs.sh", "-c idle,loud", 2, `unknown claim "loud": want some of silent,heavy,`},
		{"", "tradeoffs.sh", "-c ,", 2, "-c needs a claim"},
		{"", "tradeoffs.sh", "-n 10", 2, `invalid value "10" for -n: want more than 10`},
		{"", "tradeoffs.sh", "-t 0.05", 2, `invalid value "0.05" for -t: want seconds from 0.1 to 60`},
		{"", "tradeoffs.sh", "-t 60.5", 2, `invalid value "60.5" for -t`},
		{"", "tradeoffs.sh", "-o bin/go/x stblock", 1, "tradeoffs.sh: cannot make the folder bin/go/x: Not a directory"},
		{"", "plot.sh", "-o", 2, "-o needs a folder"},
		{"command() { [ $2 != gnuplot ]; }; export -f command", "plot.sh", "RESULTS", 1, "gnuplot is not in PATH: install it (Debian: gnuplot-nox"},
		{"", "plot.sh", "nosuch", 2, `no raw.csv and no tradeoffs.csv in "nosuch"`},
	} {
		t.Run(c.script+" "+c.args, func(t *testing.T) {
			t.Parallel()
			r := newScript(t, c.script, strings.Fields(strings.Replace(c.args, "RESULTS", filepath.Join(here, "results"), 1))...)
			r.first(c.before)
			if text := r.runs(t, c.code); text != "" || strings.Contains(r.stderr.String(), "building") {
				t.Errorf("it began to work: %s", text)
			}
			r.expectError(t, c.want)
			if _, err := os.Stat(r.out); err == nil {
				t.Error("there is a folder for results")
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

// fakeMeasure adds its command line to the file measurements, and prints its rows, with 1
// for each figure.
const fakeMeasure = `line=
for arg; do
  [ "$previous" = -row ] && echo "$arg" | sed 's/{[a-z0-9_]*}/1/g'
  previous=$arg
  case $arg in /*) arg=${arg##*/} ;; esac
  line="$line${line:+ }$arg"
done
echo "$line" >>measurements`

// TestPlan holds what is measured against testdata/plan.txt, which has, for a redis-benchmark
// of some version and for arguments of a script, what the script says of clients, and the
// command lines of measure.
func TestPlan(t *testing.T) {
	for _, section := range strings.Split(readFile(t, "testdata/plan.txt"), "$ ")[1:] {
		header, want, _ := strings.Cut(section, "\n")
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			f := strings.Fields(header)
			fakes := map[string]string{"measure": fakeMeasure, "redis-benchmark": "echo " + strings.ReplaceAll(f[0], "_", " ")}
			r := prepare(t, f[1], fakes, f[2:]...)
			text := r.runs(t, 0)
			said := regexp.MustCompile(`(?m)^client .*|^.*scripts/kv is used.*`).FindAllString(r.stderr.String()+text, -1)
			plan := strings.Join(append(said, readFile(t, filepath.Join(r.base, "measurements"))), "\n")
			plan = regexp.MustCompile(`(?m)^-server redis-server .*\n`).ReplaceAllString(plan, "")
			plan = strings.NewReplacer("kv bench -p PORT -w 2 -proto resp -csv", "LOAD", "kv burden -p PORT -w 2 -T 600", "BURDEN",
				"-c 50 -n 1000\n", "-c 50 -n 5000\n" /* on macOS */).Replace(plan)
			if d := cmp.Diff(want, plan); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestBench measures two flavors in all workloads, in reading order, with a limit on
// descriptors that is too low for 50 clients, but may be raised.
func TestBench(t *testing.T) {
	t.Parallel()
	loop, skipped := native()
	r := newScript(t, "bench.sh", "-n", "4000", skipped, loop, "-R", "1", "stblock")
	r.first("ulimit -Sn 40")
	text := r.runs(t, 0)
	r.expectError(t, "skipping "+skipped+": ")
	if table := readFile(t, filepath.Join(r.out, "table.txt")); !strings.HasPrefix(text, table) || !strings.Contains(table, "\nskipped     "+skipped) {
		t.Errorf("table.txt is not what was printed, or does not say what was skipped:\n%s", table)
	}
	raw := readFile(t, filepath.Join(r.out, "raw.csv"))
	for text, want := range map[string]int{",stblock,": 4, "," + loop + ",": 12, "ms,cpu_us_per_req,rss_mb,threads\n1,stblock,resp,1,1,SET,": 1} {
		if n := strings.Count(raw, text); n != want {
			t.Errorf("raw.csv has %q %d times, want %d:\n%s", text, n, want, raw)
		}
	}
	for file, want := range map[string]string{"machine.txt": "command     bench.sh -o ", "bench.txt": "pkg: ioflavors\ncpu: "} {
		if text := readFile(t, filepath.Join(r.out, file)); !strings.Contains(text, want) {
			t.Errorf("no %q in %s:\n%s", want, file, text)
		}
	}
}

// TestBenchFails has a redis-server that ends at once. The results of an earlier run stay,
// and the figures until then are kept.
func TestBenchFails(t *testing.T) {
	t.Parallel()
	r := prepare(t, "bench.sh", map[string]string{"redis-server": "echo no memory today >&2; exit 7", "redis-benchmark": "echo redis-benchmark 5.0"},
		"-proto", "resp", "-n", "2000", "-c", "1", "stblock")
	r.write(t, "out/raw.csv", "earlier")
	r.runs(t, 1)
	r.expectError(t, "redis-server was not ready: it ended with exit status 7. Its last words:\n    no memory today\n")
	r.expectError(t, "the figures so far are in "+r.out+"/unfinished.csv")
	if text := readFile(t, r.out+"/unfinished.csv"); strings.Count(text, "\n") != 2 || !strings.Contains(text, "\n1,stblock,resp,1,1,SET,2000,") {
		t.Errorf("unfinished.csv has %q, want the one measurement before", text)
	}
	if left, _ := filepath.Glob(r.out + "/*"); len(left) != 2 || readFile(t, r.out+"/raw.csv") != "earlier" {
		t.Errorf("results: %q", left)
	}
}

// TestOutput prints for a reader that has left, which is no failure, and to a disk that is
// full, which is one.
func TestOutput(t *testing.T) {
	for _, script := range []string{"bench.sh", "plot.sh"} {
		for name, code := range map[string]int{"pipe": 0, "/dev/full": 1} {
			args := map[string][]string{"bench.sh": {"-R", "1", "mtblock"}, "plot.sh": {filepath.Join(here, "results")}}[script]
			r := prepare(t, script, map[string]string{"measure": fakeMeasure, "gnuplot": `echo a picture >"${2%.gnuplot}.svg"`}, args...)
			out, err := os.OpenFile(name, os.O_WRONLY, 0)
			if name == "pipe" {
				var in *os.File
				in, out, err = os.Pipe()
				in.Close()
			}
			if err != nil {
				continue // not every system has /dev/full
			}
			defer out.Close()
			r.cmd.Stdout = out
			r.runs(t, code)
			if left, err := filepath.Glob(r.out + "/*.*"); err != nil || len(left) < 4 {
				t.Errorf("results: %q, %v", left, err)
			}
		}
	}
}

// TestEnvironment has settings of bash and Go, and names, that are none of bench.sh's
// business. It finds no more than Go and what is everywhere, and builds.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	r := newScript(t, "bench.sh", "-proto", "resp", "-n", "1000", "-c", "1", "-R", "1", "-o", "its 'results'", "./stblock", "mtblock/")
	r.only("bash basename cat chmod date dirname env getconf go grep head ln mkdir mktemp mv ps readlink rm rmdir sed sleep uname wc")
	r.write(t, "go.mod", "no such syntax")
	r.cmd.Env = append(r.cmd.Env, "TMPDIR=/nosuch", "GOTMPDIR=tmp", "CDPATH=/:/tmp", "SHELLOPTS=noclobber:noglob:errexit", "BASHOPTS=nullglob:failglob",
		"GOWORK="+filepath.Join(r.base, "go.mod"), "GOARCH=386", "GOOS=windows", "GOFLAGS=-race -mod=vendor", "GO111MODULE=off")
	r.runs(t, 0)
	if raw := readFile(t, filepath.Join(r.base, "its 'results'", "raw.csv")); strings.Count(raw, ",resp,1,1,") != 4 {
		t.Errorf("raw.csv has not 4 measurements:\n%s", raw)
	}
}

// TestSignals ends the scripts as Ctrl-C does, by a signal to the whole process group, and
// as kill does, while each kind of process runs.
func TestSignals(t *testing.T) {
	load := []string{"bench.sh", "-proto", "kv", "-n", "1000000000", "-c", "5", "mtblock"}
	for name, c := range map[string]struct {
		sig     syscall.Signal
		to      int // times the process id
		code    int
		process string
		args    []string
	}{
		"Ctrl-C":    {syscall.SIGINT, -1, 130, "/bin/kv bench ", load},
		"kill -INT": {syscall.SIGINT, 1, 130, "/bin/kv bench ", load},
		"kill":      {syscall.SIGTERM, 1, 143, "/bin/kv bench ", load},
		"hangup":    {syscall.SIGHUP, -1, 129, "/bin/kv bench ", load},
		"a burden":  {syscall.SIGTERM, 1, 143, "/bin/kv burden ", []string{"tradeoffs.sh", "-c", "hold", "-t", "0.1", "mtblock"}},
		"building":  {syscall.SIGTERM, 1, 143, "/bin/go -C ", load},
		"strace":    {syscall.SIGTERM, 1, 143, "-bpf -c ", []string{"tradeoffs.sh", "-c", "calls", "mtblock"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "strace" {
				needStrace(t)
			} else if signal.Ignored(c.sig) {
				t.Skipf("this process ignores the signal %q", c.sig)
			}
			r := newScript(t, c.args[0], c.args[1:]...)
			if name == "building" {
				r.write(t, "bin/go", "#!/bin/sh\n[ $1 = env ] || sleep 600; :")
			}
			r.start(t)
			await(t, c.process, func() bool { return len(r.processes(t, c.process)) > 0 })
			if err := syscall.Kill(c.to*r.cmd.Process.Pid, c.sig); err != nil {
				t.Error(err)
			}
			r.finish(t, c.code)
		})
	}
}

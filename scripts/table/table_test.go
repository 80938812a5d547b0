package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const (
	rawHeader       = "round,flavor,proto,clients,pipeline,test,n,rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads\n"
	tradeoffsHeader = "claim,flavor,metric,value,unit,round\n"
	machineText     = "command  bench.sh\ndate     2001-02-03 04:05:06 +0000\nsystem   Linux 6.1\nprocessor   An 'X' \"Y\" \\n\ncores    2\n"
)

// folder makes a folder with these files, and with machine.txt.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["machine.txt"] = machineText
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prints runs a command, and returns what it prints. All lines of a table fit the width.
func prints(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))
		if n > 79 && (args[0] == "bench" || args[0] == "tradeoffs") || strings.HasSuffix(line, " \n") {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
	return out.String()
}

// TestRecorded prints once more what was printed of the figures in scripts/results, but for
// what differs from machine to machine, and README's part.
func TestRecorded(t *testing.T) {
	for _, c := range []struct {
		file, from, to string
		args           []string
	}{
		{"table.txt", "resp, 1 client", "\nclient ", []string{"bench", "-servers", "stblock mtblock goroutinesrv busywait epollsrv redis-server",
			"-values", "bytes in a value: 3; keys: 1"}},
		{"table.txt", "\n\nSET, resp", "for a request.", []string{"bench"}},
		{"tradeoffs.txt", "silent ", "\nclients     scripts", []string{"tradeoffs"}},
		{"bench.txt", "pkg:", "never", []string{"gobench"}},
	} {
		part := func(text string) string {
			_, text, _ = strings.Cut(text, c.from)
			text, _, _ = strings.Cut(text, c.to)
			return text
		}
		want, got := part(read(t, "../results/"+c.file)), part(prints(t, append(c.args, "../results")...))
		if d := cmp.Diff(want, got); d != "" || len(want) < 100 {
			t.Errorf("%s (-recorded +got):\n%s", c.file, d)
		}
	}
	want := read(t, "../../README.md")
	file := filepath.Join(folder(t, map[string]string{"README.md": want}), "README.md")
	prints(t, "readme", "-file", file, "-results", "../results")
	if d := cmp.Diff(read(t, file), want); d != "" {
		t.Errorf("README.md (-want +got; go run ./scripts/table readme writes it again):\n%s", d)
	}
	_, section, _ := strings.Cut(want, readmeBegin)
	if m := regexp.MustCompile(`\|  \||NaN|no value`).FindString(section); m != "" {
		t.Errorf("README.md lacks a figure: %q", m)
	}
}

// TestBenchFits has all servers in three workloads, with the longest figures, equally good.
func TestBenchFits(t *testing.T) {
	text := rawHeader
	for _, server := range servers {
		for _, load := range []string{"1,1", "9000,1", "50,10000"} {
			text += "1," + server + ",resp," + load + ",SET,100,9999499,99999.4,0.999,1,1,99999.4,99999.4,99999.4,1234.5,10001\n"
		}
	}
	got := prints(t, "bench", "-servers", strings.Join(servers, " "), folder(t, map[string]string{"raw.csv": text}))
	if !strings.Contains(got, " 10.0M*  100k*  100k*\n") || !strings.Contains(got, "from one measurement;") {
		t.Errorf("servers that are equally good, in one round:\n%s", got)
	}
}

// TestTradeoffs has some claims only, with single rounds and figures that are missing.
func TestTradeoffs(t *testing.T) {
	dir := folder(t, map[string]string{"tradeoffs.csv": tradeoffsHeader + `alone,mtblock,p50,0.055,ms,1
alone,mtblock,p99,0.254,ms,1
alone,mtblock,p50,0.155,ms,2
alone,mtblock,p99,37.54,ms,2
alone,mtblock,p50,0.065,ms,3
alone,mtblock,p99,never,ms,3
slow,mtblock,growth,502.6,MB,1
slow,mtblock,growth,9.8,MB,2
slow,mtblock,growth,1502.6,MB,3
calls,stblock,clients,1,clients,1
calls,mtblock,clients,50,clients,1
calls,stblock,total,2.00,calls,1
calls,mtblock,total,-,calls,1
calls,mtblock,switches,1.37,switches,1
calls,stblock,futex,0.03,calls at most,1
calls,stblock,others,0.02,calls,1
`})
	got := prints(t, "tradeoffs", "-busy", "30", "-span", "0.5", "-slow", "50", "-patience", "3", "-skipped", "kqueuesrv: no kqueue", dir)
	want := `slow        latency in ms of ten clients that ask 100 times a second each,
            alone and beside one that has asked for 50 MB, 1 MB at a time, and
            reads nothing; and how far the server grows

              p50 alone  p99 alone  p50  p99  growth MB
stblock               -          -    -    -          -
mtblock           0.065      never    -    -        503

calls       system calls and context switches for a SET, with 30 clients; futex
            is not in the sum, since strace causes some

              calls  switches
stblock        2.00         -
mtblock           -      1.37
stblock     with 1 client, because it serves no more
stblock     futex < 0.03, others 0.02

figures     latencies and rates: medians of 3 rounds of 0.5 s; never: a client
            got nothing for 3 s
clients     scripts/kv, in resp; they share the processors with the server
skipped     kqueuesrv: no kqueue
` + machineText
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMachine has no name of the processor in /proc/cpuinfo, as on ARM, and a redis-server
// that is valkey-server.
func TestMachine(t *testing.T) {
	got := prints(t, "machine", "bench.sh", "-n 5")
	want := `^command     bench.sh -n 5
date        \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}
system      \S.*
processor   \S.* \(\S+\)
cores       [1-9]\d*
go          \S+.*
redis       \S.*
$`
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got %q", got)
	}
	bin := folder(t, map[string]string{
		"lscpu":        "#!/bin/sh\necho 'BIOS Model name: virt'; echo 'Model name:   Neoverse-N1'\n",
		"redis-server": "#!/bin/sh\necho Valkey server v=8.0.1 sha=00\n",
	})
	os.Chmod(filepath.Join(bin, "lscpu"), 0o777)
	os.Chmod(filepath.Join(bin, "redis-server"), 0o777)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if got := processor("BogoMIPS : 243\n"); got != "Neoverse-N1" {
		t.Errorf("the processor is %q", got)
	}
	if got := prints(t, "machine", "x"); !strings.Contains(got, "\nredis       Valkey 8.0.1\n") {
		t.Errorf("got %q", got)
	}
}

func TestErrors(t *testing.T) {
	bad := folder(t, map[string]string{"raw.csv": "a,b\n1\n", "tradeoffs.csv": "a,b\n", "README.md": "no figures\n"})
	for want, args := range map[string][]string{
		"want one of bench, ": nil,
		`not ["x"]`:           {"x"},
		"no such file":        {"bench", "/nosuch"},
		"raw.csv: record on line 2: wrong number": {"plot", bad, "", "."},
		"there is nothing in " + bad:              {"tradeoffs", bad},
		"plot wants three folders, not":           {"plot"},
		"costs wants a folder, not":               {"costs"},
		"README.md lacks the lines ":              {"readme", "-file", bad + "/README.md"},
	} {
		var out strings.Builder
		if err := run(args, &out); err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%q: got %v, want %q; it prints %q", args, err, want, &out)
		}
	}
}

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

// file makes a file with a text, and returns its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "figures.csv")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// prints runs a command, and returns what it prints.
func prints(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Three rounds, the last of which is neither the best nor the worst.
const raw = `round,flavor,proto,clients,pipeline,test,n,rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads
1,stblock,resp,1,1,SET,27000,9000,0.032,0.008,0.031,0.063,0.079,2.783,14.074,5.57,6
1,epollsrv,resp,1,1,SET,27000,10000,0.032,0.008,0.031,0.063,0.099,2.783,12.111,5.57,6
1,redis-server,resp,1,1,SET,27000,12000,0.032,0.008,0.031,0.063,0.079,2.783,15,12.57,6
1,epollsrv,resp,50,16,SET,640000,1650000,0.032,0.008,0.031,0.063,1.079,12.783,0.4,5.57,6
1,redis-server,resp,50,16,SET,640000,900000,0.032,0.008,0.031,0.063,1.5,2.783,0.6,5.57,6
1,epollsrv,kv,1,1,PUT,1000,30000,0.5,0.008,0.031,0.063,0.07,2.783,10,5.57,6
2,stblock,resp,1,1,SET,27000,12345.67,0.042,0.010,0.041,0.073,0.080,20.783,16.074,6.57,7
2,epollsrv,resp,1,1,SET,27000,30000,0.032,0.008,0.031,0.063,0.077,2.783,14.074,5.57,6
2,redis-server,resp,1,1,SET,27000,12000,0.032,0.008,0.031,0.063,0.079,2.783,15,12.57,6
2,epollsrv,resp,50,16,SET,640000,1250000,0.032,0.008,0.031,0.063,1.279,12.783,0.7,5.57,6
2,redis-server,resp,50,16,SET,640000,900000,0.032,0.008,0.031,0.063,1.5,2.783,0.6,5.57,6
2,epollsrv,kv,1,1,PUT,1000,30000,0.5,0.008,0.031,0.063,0.07,2.783,10,5.57,6
3,stblock,resp,1,1,SET,27000,10000,0.052,0.009,0.051,0.083,0.070,1.783,15.074,7.57,8
3,epollsrv,resp,1,1,SET,27000,20000,0.032,0.008,0.031,0.063,0.078,2.783,13.074,5.57,6
3,redis-server,resp,1,1,SET,27000,12000,0.032,0.008,0.031,0.063,0.079,2.783,15,12.57,6
3,epollsrv,resp,50,16,SET,640000,1550000,0.032,0.008,0.031,0.063,1.179,12.783,0.5,5.57,6
3,redis-server,resp,50,16,SET,640000,900000,0.032,0.008,0.031,0.063,1.5,2.783,0.6,5.57,6
3,epollsrv,kv,1,1,PUT,1000,30000,0.5,0.008,0.031,0.063,0.07,2.783,10,5.57,6
`

func TestBench(t *testing.T) {
	got := prints(t, "bench", "-servers", " stblock epollsrv redis-server", "-size", "1000", "-keys", "50000",
		"-client", "redis-benchmark 7.0.15", "-skipped", "kqueuesrv: no kqueue", file(t, raw))
	want := `resp, 1 client (27,000 requests)

SET          requests/s  avg ms     min     p50     p95     p99      max  CPU µs RSS MB threads
stblock          10,000   0.042   0.009   0.041   0.073   0.079    2.783   15.07    6.6       7
epollsrv         20,000   0.032   0.008   0.031   0.063   0.078    2.783   13.07    5.6       6
redis-server     12,000   0.032   0.008   0.031   0.063   0.079    2.783   15.00   12.6       6

resp, 50 clients, 16 requests in a pipeline (640,000 requests)

SET          requests/s  avg ms     min     p50     p95     p99      max  CPU µs RSS MB threads
stblock       serves one client at a time: the others would wait for ever
epollsrv      1,550,000   0.032   0.008   0.031   0.063   1.179   12.783    0.50    5.6       6
redis-server    900,000   0.032   0.008   0.031   0.063   1.500    2.783    0.60    5.6       6

kv, 1 client (1,000 requests)

PUT          requests/s  avg ms     min     p50     p95     p99      max  CPU µs RSS MB threads
stblock       serves one client at a time: the others would wait for ever
epollsrv         30,000   0.500   0.008   0.031   0.063   0.070    2.783   10.00    5.6       6

Each figure is the median of 3 rounds. Values have 1,000 bytes; 50,000 random keys.
avg - max   latency in milliseconds, as the client sees it
CPU µs      the server's processor time for a request, user and system, in microseconds
RSS MB      most memory that the server had resident, in 1,000,000 bytes
threads     most threads that were seen in the server
client      redis-benchmark 7.0.15; it shares the processors with the server
skipped     kqueuesrv: no kqueue
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	want := `
SET, resp                 1 client      50 clients, P=16
              req/s    p99    CPU   req/s    p99    CPU
stblock       10.0k  0.079   15.1       -      -      -
epollsrv      20.0k* 0.078*  13.1*  1.55M*  1.18* 0.500*
redis-server  12.0k  0.079   15.0    900k   1.50  0.600

PUT, kv                   1 client
              req/s    p99    CPU
epollsrv      30.0k* 0.070*  10.0*

* is the best; p99 is in ms, CPU the server's microseconds for a request.
`
	if diff := cmp.Diff(want, prints(t, "summary", file(t, raw))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// All servers in three workloads, with the longest figures, fit 80 columns.
func TestSummaryFits(t *testing.T) {
	text, _, _ := strings.Cut(raw, "\n")
	text += "\n"
	for _, server := range servers {
		for _, load := range []string{"1,1", "9000,1", "50,10000"} {
			text += "1," + server + ",resp," + load + ",SET,100,999499999,1,1,1,1,99999.9,1,99999.9,1,1\n"
		}
	}
	got := prints(t, "summary", file(t, text))
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if !strings.Contains(got, "  999M*  100k*  100k*\n") {
		t.Errorf("servers that are equally good:\n%s", got)
	}
}

func TestThree(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.000", 0.0795: "0.080", 0.9996: "1.00", 1: "1.00", 9.994: "9.99", 9.996: "10.0", 99.94: "99.9", 99.96: "100",
		999: "999", 999.6: "1.00k", 12345: "12.3k", 999400: "999k", 999600: "1.00M", 1667003: "1.67M",
	} {
		if got := three(x); got != want {
			t.Errorf("three(%v) = %q, want %q", x, got, want)
		}
	}
}

func TestGoBench(t *testing.T) {
	lines := strings.Split(raw, "\n")
	got := prints(t, "gobench", "-cpu", "Fast (x86_64)", file(t, lines[0]+"\n"+lines[1]+"\n"+lines[4]+"\n"))
	want := `pkg: ioflavors
cpu: Fast (x86_64)
BenchmarkSET/flavor=stblock/proto=resp/c=1/P=1 27000 111111.1 ns/op 0.032 avg-ms 0.008 min-ms 0.031 p50-ms 0.063 p95-ms 0.079 p99-ms 2.783 max-ms 14.074 cpu-µs/op 5.57 rss-MB 6 threads
BenchmarkSET/flavor=epollsrv/proto=resp/c=50/P=16 640000 606.1 ns/op 0.032 avg-ms 0.008 min-ms 0.031 p50-ms 0.063 p95-ms 1.079 p99-ms 12.783 max-ms 0.4 cpu-µs/op 5.57 rss-MB 6 threads
`
	if head := regexp.MustCompile(`^goos: \w+\ngoarch: \w+\n`).FindString(got); head == "" || got[len(head):] != want {
		t.Errorf("-want +got:\n%s", cmp.Diff(want, got))
	}
}

func TestMachine(t *testing.T) {
	got := prints(t, "machine", "bench.sh", "-n 5")
	want := regexp.MustCompile(`^command     bench.sh -n 5
date        \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}
system      \S.*
processor   \S.* \(\S+\)
cores       [1-9]\d*
go          \S+.*
redis       \S.*
$`)
	if !want.MatchString(got) {
		t.Errorf("got %q", got)
	}
}

func TestErrors(t *testing.T) {
	noCSV := file(t, "a,b\n1\n")
	for want, args := range map[string][]string{
		"want a command: ":                  nil,
		`unknown command "x": want bench, `: {"x"},
		"no such file":                      {"bench", "/nosuch"},
		"wrong number of fields":            {"tradeoffs", noCSV},
		"there is nothing in ":              {"summary", file(t, "a,b\n")},
		"summary: want raw.csv":             {"summary"},
		"flag provided but not defined: -x": {"gobench", "-x"},
	} {
		var out strings.Builder
		if err := run(args, &out); err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("%q: got %v, want %q; it prints %q", args, err, want, &out)
		}
	}
}

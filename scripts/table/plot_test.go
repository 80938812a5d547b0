package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	rawHeader       = "round,flavor,proto,clients,pipeline,test,n,rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads\n"
	tradeoffsHeader = "claim,flavor,metric,value,unit,round\n"
	machine         = "command  bench.sh\ndate     2001-02-03 04:05:06 +0000\nsystem   Linux 6.1\nprocessor   An 'X' \"Y\" \\n\ncores    2\n"
)

// folder makes a folder with these files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// expectPlot checks what plot prints and writes.
func expectPlot(t *testing.T, args []string, pictures string, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	var out strings.Builder
	if err := run(append([]string{"plot", "-o", dir}, args...), &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Fields(pictures), strings.Fields(out.String())); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPlotBench has a median of rounds, the mean of two tests, a server that is in no
// workload but one, and a protocol and a fourth workload that are not drawn.
func TestPlotBench(t *testing.T) {
	raw := rawHeader
	for round, rps := range []float64{9, 1000, 123456} {
		raw += fmt.Sprintf("%d,stblock,resp,1,1,SET,9,%g,1,1,0.3,0.4,0.5,0.6,1.5,5,7\n", round, rps)
		raw += fmt.Sprintf("%d,stblock,resp,1,1,GET,9,%g,1,1,0.3,0.4,0.5,0.6,0.5,5,7\n", round, rps*2)
		raw += fmt.Sprintf("%d,stblock,kv,1,1,PUT,9,7,1,1,0.1,0.2,0.3,0.4,9.5,5,7\n", round)
		for _, workload := range []string{"1,1", "20,1", "20,8", "20,9"} {
			for _, test := range []string{"SET", "GET"} {
				raw += fmt.Sprintf("%d,mtblock,resp,%s,%s,9,%g,1,1,%g,0.9,3,30,2,5,7\n", round, workload, test, rps*3, 0.6+float64(round)/10)
			}
		}
	}
	dir := folder(t, map[string]string{"raw.csv": raw, "machine.txt": machine})
	place := `An ''X'' "Y" \n, 2 cores, Linux 6.1, 2001-02-03. scripts/bench.sh, resp, `
	expectPlot(t, []string{"-bench", dir}, "throughput latency cpu", map[string]string{
		"throughput.csv": `panel,clients,pipeline,server,linetype,row,rps,share,label
1,1,1,stblock,1,1,1500,0.5000,1.5k
1,1,1,mtblock,2,2,3000,1.0000,3.0k
2,20,1,stblock,1,1,,0,one client only
2,20,1,mtblock,2,2,3000,1.0000,3.0k
3,20,8,stblock,1,1,,0,one client only
3,20,8,mtblock,2,2,3000,1.0000,3.0k
`,
		"throughput.vars": "caption = '" + place + "mean of SET and GET'\npanels = 3\nrows = 2\n",
		"cpu.csv": `panel,clients,pipeline,server,linetype,row,cpu_us_per_req,share,label
1,1,1,stblock,1,1,1,0.5000,1.0
1,1,1,mtblock,2,2,2,1.0000,2.0
2,20,1,stblock,1,1,,0,one client only
2,20,1,mtblock,2,2,2,1.0000,2.0
3,20,8,stblock,1,1,,0,one client only
3,20,8,mtblock,2,2,2,1.0000,2.0
`,
		"latency.csv": `server,linetype,row,missing,p50_ms,p95_ms,p99_ms,max_ms
stblock,1,1,one client at a time: the others wait for ever,,,,
mtblock,2,2,,0.7,0.9,3,30
`,
		"latency.vars": "caption = '" + place + "GET'\nhigh = 39\nlow = 0.466667\nrows = 2\nworkload = '20 clients'\n",
	})
}

// TestPlotBenchOneClient draws kv, as there is nothing else, without a machine.txt.
func TestPlotBenchOneClient(t *testing.T) {
	raw := rawHeader
	for _, test := range []string{"PUT", "GET"} {
		raw += "1,redis-server,kv,1,16," + test + ",9,5,1,0,0,0,0,0,0,5,7\n"
	}
	expectPlot(t, []string{"-bench", folder(t, map[string]string{"raw.csv": raw})}, "throughput latency cpu", map[string]string{
		"cpu.csv":      "panel,clients,pipeline,server,linetype,row,cpu_us_per_req,share,label\n1,1,16,redis-server,7,1,0,0.0000,0.00\n",
		"cpu.vars":     "caption = 'scripts/bench.sh, kv, mean of PUT and GET'\npanels = 1\nrows = 1\n",
		"latency.csv":  "server,linetype,row,missing,p50_ms,p95_ms,p99_ms,max_ms\nredis-server,7,1,,0.001,0.001,0.001,0.001\n",
		"latency.vars": "caption = 'scripts/bench.sh, kv, GET'\nhigh = 0.0013\nlow = 0.000666667\nrows = 1\nworkload = '1 client, pipeline of 16'\n",
	})
}

func TestPlotTradeoffs(t *testing.T) {
	dir := folder(t, map[string]string{"tradeoffs.csv": tradeoffsHeader + `clients,stblock,1,500,requests/s,1
clients,stblock,10,never,requests/s,1
clients,redis-server,10,900,requests/s,1
clients,redis-server,10,1000,requests/s,2
clients,redis-server,1,400,requests/s,1
clients,epollsrv,1,300,requests/s,1
clients,epollsrv,10,1000,requests/s,1
clients,epollsrv,10,never,requests/s,2
memory,stblock,served 10,1,clients,1
memory,stblock,RSS 10,5.0,MB,1
memory,mtblock,served 10,10,clients,1
memory,mtblock,RSS 10,13.0,MB,1
memory,mtblock,served 10000,9500,clients,1
memory,mtblock,RSS 10000,130.0,MB,1
memory,epollsrv,served 10000,10000,clients,1
memory,epollsrv,RSS 10000,13.0,MB,1
`, "machine.txt": "date\n"})
	expectPlot(t, []string{"-tradeoffs", dir}, "memory clients", map[string]string{
		"clients.csv": `server,linetype,clients,rps,single,name,name_height
stblock,1,1,500,1,stblock  500,
epollsrv,5,1,300,1,epollsrv  300,
redis-server,7,1,400,0,,
redis-server,7,10,950,0,redis-server  950,0.8696
`,
		"clients.vars": "caption = 'scripts/tradeoffs.sh'\nhigh = 1092.5\nlow = 0\nright = 10\n",
		"memory.csv": `server,linetype,clients,mb,single,name,name_height
mtblock,2,10,13,0,,
mtblock,2,9500,130,0,mtblock  130 MB at 9.5k,0.9072
epollsrv,5,10000,13,0,epollsrv  13 MB,0.0928
`,
		"memory.vars": "caption = 'scripts/tradeoffs.sh'\nhigh = 169\nlow = 10\nright = 10000\nsingle = '; stblock serves only one client'\n",
	})
}

func TestPlotValues(t *testing.T) {
	dir := folder(t, map[string]string{"tradeoffs.csv": tradeoffsHeader + `values,stblock,clients,1,clients,1
values,stblock,SET rps 3,1300,requests/s,1
values,stblock,SET rps 1000000,130,requests/s,1
values,stblock,GET CPU 3,0,us,1
values,redis-server,clients,20,clients,1
values,redis-server,GET rps 1000000,1300,requests/s,1
values,redis-server,SET CPU 3,26,us,1
values,redis-server,SET CPU 1000000,100,us,1
`})
	expectPlot(t, []string{"-tradeoffs", dir}, "values", map[string]string{
		"values.csv": `panel,server,linetype,bytes,figure,single,name,name_height
SET rps,stblock,1,3,1300,0,,
SET rps,stblock,1,1000000,130,0,stblock  130,0.0928
GET rps,redis-server,7,1000000,1300,0,redis-server  1.3k,0.9072
SET CPU,redis-server,7,3,26,0,,
SET CPU,redis-server,7,1000000,100,0,redis-server  100,0.8598
`,
		"values.vars": "CPU_high = 130\nCPU_low = 20\ncaption = 'scripts/tradeoffs.sh'\nclients = '; 20 clients, stblock with 1'\nrps_high = 1690\nrps_low = 100\n",
	})
}

// TestPlotTogether reads two folders, and finds nothing to draw in one.
func TestPlotTogether(t *testing.T) {
	bench := folder(t, map[string]string{"raw.csv": rawHeader + "1,busywait,resp,50,1,GET,9,5,1,1,1,1,1,1,1,5,7\n"})
	tradeoffs := folder(t, map[string]string{"tradeoffs.csv": tradeoffsHeader + "idle,busywait,CPU,99,%,1\n"})
	expectPlot(t, []string{"-bench", bench, "-tradeoffs", tradeoffs}, "throughput latency cpu", nil)
	expectPlot(t, []string{"-tradeoffs", tradeoffs}, "", nil)
}

func TestPlotErrors(t *testing.T) {
	empty := folder(t, map[string]string{"raw.csv": rawHeader, "tradeoffs.csv": ""})
	unknown := folder(t, map[string]string{"raw.csv": rawHeader + "1,nosuchsrv,resp,1,1,GET,9,5,1,1,1,1,1,1,1,5,7\n"})
	uneven := folder(t, map[string]string{"raw.csv": rawHeader + "1,stblock\n"})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-bench", empty}, "there is nothing in " + filepath.Join(empty, "raw.csv")},
		{[]string{"-bench", unknown}, "there is nothing in " + filepath.Join(unknown, "raw.csv")},
		{[]string{"-tradeoffs", empty}, "there is nothing in " + filepath.Join(empty, "tradeoffs.csv")},
		{[]string{"-bench", uneven}, filepath.Join(uneven, "raw.csv") + ": record on line 2: wrong number of fields"},
		{[]string{"-bench", filepath.Join(empty, "nosuch")}, "no such file or directory"},
		{[]string{"-nosuch"}, "flag provided but not defined: -nosuch"},
	} {
		var out strings.Builder
		err := run(append([]string{"plot", "-o", t.TempDir()}, c.args...), &out)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("plot %q: got error %v, want %q", c.args, err, c.want)
		}
	}
}

func TestApart(t *testing.T) {
	for _, c := range []struct {
		name          string
		heights, want []float64
	}{
		{"nothing", nil, nil},
		{"far from each other", []float64{0.9, 0.1}, []float64{0.9, 0.1}},
		{"equal", []float64{0.5, 0.5}, []float64{0.5, 0.75}},
		{"one pushes the next", []float64{0.25, 0, 0.125}, []float64{0.5, 0, 0.25}},
		{"at the top", []float64{0.875, 1, 0.25}, []float64{0.75, 1, 0.25}},
		{"all at the top", []float64{1, 1, 1}, []float64{0.5, 0.75, 1}},
	} {
		if diff := cmp.Diff(c.want, apart(c.heights, 0.25)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestHumanAndShort(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 999.4: "999", 999.5: "1.0k", 9994: "10.0k", 9995: "10k", 65409: "65k",
		999499: "999k", 999500: "1.0M", 1234567: "1.2M", 9999500: "10M",
	} {
		if got := human(x); got != want {
			t.Errorf("human(%v) = %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{0: "0.00", 0.994: "0.99", 0.995: "1.0", 31.26: "31.3"} {
		if got := short(x); got != want {
			t.Errorf("short(%v) = %q, want %q", x, got, want)
		}
	}
}

// TestColours checks that gnuplot has a linetype for each server, under its number, and
// that it and the text can be seen on white and on black.
func TestColours(t *testing.T) {
	style, err := os.ReadFile("../plot/style.gnuplot")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^set linetype (\d) .* # (.*)$`).FindAllSubmatch(style, -1) {
		if want := linetype(string(m[2])); string(m[1]) != want {
			t.Errorf("linetype %s is %s's, want %s", m[1], m[2], want)
		}
		got = append(got, string(m[2]))
	}
	if diff := cmp.Diff(servers, got); diff != "" {
		t.Errorf("servers with a linetype (-want +got):\n%s", diff)
	}
	colours := regexp.MustCompile(`"#([0-9a-f]{6})"`).FindAllSubmatch(style, -1)
	if len(colours) != len(servers)+1 {
		t.Errorf("%d colours, want one for each server and the grey", len(colours))
	}
	for _, m := range colours {
		l := luminance(t, string(m[1]))
		if white, black := 1.05/(l+0.05), (l+0.05)/0.05; white < 3 || black < 3 {
			t.Errorf("#%s has a contrast of %.1f to white and %.1f to black, want 3", m[1], white, black)
		}
	}
}

// luminance returns the relative luminance of a colour, as WCAG 2 defines it.
func luminance(t *testing.T, rgb string) (l float64) {
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(rgb[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			l += weight * c / 12.92
		} else {
			l += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return l
}

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// expectPlot checks what plot prints and writes.
func expectPlot(t *testing.T, bench, tradeoffs, pictures string, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if d := cmp.Diff(pictures, strings.Join(strings.Fields(prints(t, "plot", bench, tradeoffs, dir)), " ")); d != "" {
		t.Errorf("pictures (-want +got):\n%s", d)
	}
	for name, want := range files {
		if d := cmp.Diff(want, read(t, filepath.Join(dir, name))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
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
	place := `An ''X'' "Y" \n, 2 cores, Linux 6.1, 2001-02-03. scripts/bench.sh, resp, `
	expectPlot(t, folder(t, map[string]string{"raw.csv": raw}), "", "throughput latency cpu", map[string]string{
		"throughput.csv": `panel,clients,pipeline,server,linetype,row,rps,share,label
1,1,1,stblock,1,1,1500,0.5000,1.50k
1,1,1,mtblock,2,2,3000,1.0000,3.00k
2,20,1,stblock,1,1,,0,one client only
2,20,1,mtblock,2,2,3000,1.0000,3.00k
3,20,8,stblock,1,1,,0,one client only
3,20,8,mtblock,2,2,3000,1.0000,3.00k
`,
		"throughput.vars": "caption = '" + place + "mean of SET and GET'\npanels = 3\nrows = 2\n",
		"cpu.csv": `panel,clients,pipeline,server,linetype,row,cpu_us_per_req,share,label
1,1,1,stblock,1,1,1,0.5000,1.00
1,1,1,mtblock,2,2,2,1.0000,2.00
2,20,1,stblock,1,1,,0,one client only
2,20,1,mtblock,2,2,2,1.0000,2.00
3,20,8,stblock,1,1,,0,one client only
3,20,8,mtblock,2,2,2,1.0000,2.00
`,
		"latency.csv": `server,linetype,row,missing,p50_ms,p95_ms,p99_ms,max_ms
stblock,1,1,one client at a time: the others wait for ever,,,,
mtblock,2,2,,0.7,0.9,3,30
`,
		"latency.vars": "caption = '" + place + "GET'\nhigh = 39\nlow = 0.466667\nrows = 2\nworkload = '20 clients'\n",
	})
}

// TestPlotOneClient draws kv, as there is nothing else, and figures that are 0; and finds
// nothing to draw in another folder.
func TestPlotOneClient(t *testing.T) {
	bench := folder(t, map[string]string{"raw.csv": rawHeader + "1,redis-server,kv,1,16,GET,9,5,1,0,0,0,0,0,0,5,7\n"})
	tradeoffs := folder(t, map[string]string{"tradeoffs.csv": tradeoffsHeader + "idle,busywait,CPU,99,%,1\n"})
	expectPlot(t, bench, tradeoffs, "throughput latency cpu", map[string]string{
		"cpu.csv":     "panel,clients,pipeline,server,linetype,row,cpu_us_per_req,share,label\n1,1,16,redis-server,7,1,0,0.0000,0.000\n",
		"latency.csv": "server,linetype,row,missing,p50_ms,p95_ms,p99_ms,max_ms\nredis-server,7,1,,0.001,0.001,0.001,0.001\n",
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
values,stblock,SET rps 3,1300,requests/s,1
values,stblock,SET rps 1000000,130,requests/s,1
values,stblock,GET CPU 3,0,us,1
values,redis-server,GET rps 1000000,1300,requests/s,1
values,redis-server,SET CPU 3,26,us,1
values,redis-server,SET CPU 1000000,100,us,1
`})
	place := `caption = 'An ''X'' "Y" \n, 2 cores, Linux 6.1, 2001-02-03. scripts/tradeoffs.sh'` + "\n"
	expectPlot(t, "", dir, "memory clients values", map[string]string{
		"clients.csv": `server,linetype,clients,rps,single,name,name_height
stblock,1,1,500,1,stblock  500,
epollsrv,5,1,300,1,epollsrv  300,
redis-server,7,1,400,0,,
redis-server,7,10,950,0,redis-server  950,0.8696
`,
		"clients.vars": place + "high = 1092.5\nlow = 0\nright = 10\n",
		"memory.csv": `server,linetype,clients,mb,single,name,name_height
mtblock,2,10,13,0,,
mtblock,2,9500,130,0,"mtblock  130 MB at 9,500",0.9072
epollsrv,5,10000,13,0,epollsrv  13 MB,0.0928
`,
		"memory.vars": place + "high = 169\nlow = 10\nright = 10000\nsingle = '; stblock serves only one client'\n",
		"values.csv": `panel,server,linetype,bytes,figure,single,name,name_height
SET rps,stblock,1,3,1300,0,,
SET rps,stblock,1,1000000,130,0,stblock  130,0.0928
GET rps,redis-server,7,1000000,1300,0,redis-server  1.30k,0.9072
SET CPU,redis-server,7,3,26,0,,
SET CPU,redis-server,7,1000000,100,0,redis-server  100,0.8598
`,
		"values.vars": "CPU_high = 130\nCPU_low = 20\n" + place + "rps_high = 1690\nrps_low = 100\n",
	})
}

func TestApart(t *testing.T) {
	for name, c := range map[string][2][]float64{
		"nothing":             {nil, nil},
		"far from each other": {{0.9, 0.1}, {0.9, 0.1}},
		"one pushes the next": {{0.25, 0, 0.125}, {0.5, 0, 0.25}},
		"at the top":          {{0.875, 1, 0.25}, {0.75, 1, 0.25}},
		"all at the top":      {{1, 1, 1}, {0.5, 0.75, 1}},
	} {
		if diff := cmp.Diff(c[1], apart(c[0], 0.25)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestColours checks that gnuplot has a linetype for each server, under its number, and the
// colours that were chosen: they have a contrast of 3 or more to white and to black.
func TestColours(t *testing.T) {
	want := "1 b58900 stblock, 2 d55e00 mtblock, 3 2b87d1 goroutinesrv, 4 c264a0 busywait, 5 009e73 epollsrv, 6 7a6be0 kqueuesrv, 7 8c8c8c redis-server, 7b7b7b"
	style := read(t, "../plot/style.gnuplot")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^set linetype (\d) linecolor rgb "#(\w+)" .*# (.*)$`).FindAllStringSubmatch(style, -1) {
		got = append(got, strings.Join(m[1:], " "))
		if linetype(m[3]) != m[1] {
			t.Errorf("linetype %s is %s's, want %s", m[1], m[3], linetype(m[3]))
		}
	}
	got = append(got, find(`grey = "#(\w+)"`, style))
	if d := cmp.Diff(want, strings.Join(got, ", ")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

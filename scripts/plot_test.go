//go:build unix

package scripts

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlotUsage(t *testing.T) {
	r := newScript(t, "plot.sh", "-h")
	r.start(t)
	r.finish(t, 0)
	for _, word := range []string{"usage: plot.sh", "-o ", "throughput.svg", "latency.svg", "cpu.svg", "memory.svg", "clients.svg", "values.svg", "gnuplot"} {
		if !strings.Contains(r.stdout.String(), word) {
			t.Errorf("no %q in:\n%s", word, &r.stdout)
		}
	}
	if r.stderr.Len() > 0 {
		t.Errorf("standard error: %s", &r.stderr)
	}
}

func TestPlotFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-x":     "unknown option -x",
		"-o":     "-o needs a folder",
		"nosuch": `no raw.csv and no tradeoffs.csv in "nosuch"`,
	} {
		t.Run(args, func(t *testing.T) {
			r := newScript(t, "plot.sh", args)
			r.start(t)
			r.finish(t, 2)
			r.expectError(t, want)
			if _, err := os.Stat(r.out); err == nil || r.stdout.Len() > 0 {
				t.Errorf("it began to work; standard output: %s", &r.stdout)
			}
		})
	}
}

// TestPlotRecorded draws the results that are kept. The pictures have the name of each
// server, and say what those that are kept say.
func TestPlotRecorded(t *testing.T) {
	needGnuplot(t)
	dir, err := filepath.Abs("results")
	if err != nil {
		t.Fatal(err)
	}
	r := newScript(t, "plot.sh", dir)
	r.start(t)
	r.finish(t, 0)
	bench, tradeoffs := readFile(t, "results/raw.csv"), readFile(t, "results/tradeoffs.csv")
	want := map[string][]string{
		"throughput": {"1 client", "50 clients", "50 clients, pipeline of 16", "scripts/bench.sh, resp, mean of SET and GET"},
		"latency":    {"50 clients", "p50", "p95", "p99", "to the maximum", " ms", "scripts/bench.sh, resp, GET"},
		"cpu":        {"microseconds"},
		"memory":     {" MB", "idle clients", "scripts/tradeoffs.sh"},
		"clients":    {"1k", "scripts/tradeoffs.sh"},
	}
	if strings.Contains(tradeoffs, "\nvalues,") {
		want["values"] = []string{"SET: requests/s", "GET: µs", "100k", "scripts/tradeoffs.sh"}
	}
	for _, server := range []string{"stblock", "mtblock", "goroutinesrv", "busywait", "epollsrv", "kqueuesrv", "redis-server"} {
		if strings.Contains(bench, ","+server+",resp,") {
			want["throughput"] = append(want["throughput"], server)
			want["latency"] = append(want["latency"], server)
			want["cpu"] = append(want["cpu"], server)
		}
		for name := range want {
			if strings.Contains(tradeoffs, "\n"+name+","+server+",") {
				want[name] = append(want[name], server)
			}
		}
	}
	expectPictures(t, r, want)
	for name := range want {
		recorded, drawn := filepath.Join(dir, name+".svg"), filepath.Join(r.out, name+".svg")
		if diff := cmp.Diff(svgText(t, recorded), svgText(t, drawn)); diff != "" {
			t.Errorf("results/%s.svg is not what plot.sh draws of the results (-recorded +drawn):\n%s", name, diff)
		}
	}
}

func needGnuplot(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("gnuplot"); err != nil {
		t.Skipf("plot.sh needs gnuplot: %v", err)
	}
}

// they have these texts.
func expectPictures(t *testing.T, r *benchRun, want map[string][]string) {
	t.Helper()
	var names []string
	for _, name := range []string{"throughput", "latency", "cpu", "memory", "clients", "values"} {
		if want[name] != nil {
			names = append(names, filepath.Join(r.out, name+".svg"))
		}
	}
	if diff := cmp.Diff(names, strings.Split(strings.TrimSpace(r.stdout.String()), "\n")); diff != "" {
		t.Errorf("pictures (-want +got):\n%s%s", diff, &r.stderr)
	}
	for name, texts := range want {
		text := svgText(t, filepath.Join(r.out, name+".svg"))
		for _, s := range texts {
			if !strings.Contains(text, s) {
				t.Errorf("no %q in %s.svg, which says:\n%s", s, name, text)
			}
		}
	}
}

// svgText returns the text in a picture, and checks that it is a picture of the right
// width in well-formed XML.
func svgText(t *testing.T, file string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(readFile(t, file)))
	var text strings.Builder
	shapes, width := 0, ""
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			switch token.Name.Local {
			case "desc": // the version of gnuplot
				if err := d.Skip(); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
			case "path", "polygon", "use":
				shapes++
			case "svg":
				for _, a := range token.Attr {
					if a.Name.Local == "width" {
						width = a.Value
					}
				}
			}
		}
	}
	if shapes < 5 || width != "850" {
		t.Errorf("%s has %d shapes, and the width %q", file, shapes, width)
	}
	return strings.ReplaceAll(text.String(), "\u00a0", " ")
}

// results makes a folder with these files.
func results(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "results of a day")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	files["machine.txt"] = `command     bench.sh "x" 'y' ` + "`z`" + ` \
date        2001-02-03 04:05:06 +0000
system      Linux 6.1_2
processor   Fast & "Cheap" <1 GHz> {x_y} (x86_64)
cores       8
`
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const rawHeader = "round,flavor,proto,clients,pipeline,test,n,rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads\n"

// TestPlotMedians draws the medians of rounds, and in words what cannot be measured.
func TestPlotMedians(t *testing.T) {
	needGnuplot(t)
	raw := rawHeader
	figures := "claim,flavor,metric,value,unit,round\n"
	for round, rps := range []int{9, 23400, 1234567} {
		for _, test := range []string{"SET", "GET"} {
			raw += fmt.Sprintf("%d,stblock,resp,1,1,%s,100,%d,1,0.1,0.5,0.6,0.7,0.8,7.5,5,7\n", round, test, rps)
			raw += fmt.Sprintf("%d,busywait,resp,1,1,%s,100,%d,1,0.1,0.5,0.6,0.7,0.8,7.5,5,7\n", round, test, rps*2)
			raw += fmt.Sprintf("%d,busywait,resp,20,1,%s,100,%d,1,0.1,0.5,0.6,0.7,0.8,0.25,5,7\n", round, test, rps*3)
		}
		figures += fmt.Sprintf("clients,stblock,1,%d,requests/s,%d\nclients,stblock,10,never,requests/s,%d\n", rps, round, round)
		figures += fmt.Sprintf("clients,busywait,1,%d,requests/s,%d\nclients,busywait,10,%d,requests/s,%d\n", rps, round, rps*4, round)
	}
	for _, size := range []int{3, 1000000} {
		for _, test := range []string{"SET", "GET"} {
			figures += fmt.Sprintf("values,busywait,%s rps %d,%d,requests/s,1\nvalues,busywait,%s CPU %d,%d,us,1\n", test, size, 7654, test, size, 321)
		}
	}
	for _, n := range []int{10, 500} {
		figures += fmt.Sprintf("memory,stblock,served %d,1,clients,1\nmemory,stblock,RSS %d,5.0,MB,1\n", n, n)
		figures += fmt.Sprintf("memory,busywait,served %d,%d,clients,1\nmemory,busywait,RSS %d,%d,MB,1\n", n, n, n, n+70)
		figures += fmt.Sprintf("memory,mtblock,served %d,%d,clients,1\nmemory,mtblock,RSS %d,%d,MB,1\n", n, n*9/10, n, n+71)
	}
	dir := results(t, map[string]string{"raw.csv": raw, "tradeoffs.csv": figures})
	r := newScript(t, "plot.sh", dir)
	r.start(t)
	r.finish(t, 0)
	machine := `Fast & "Cheap" <1 GHz> {x_y} (x86_64), 8 cores, Linux 6.1_2, 2001-02-03. `
	expectPictures(t, r, map[string][]string{
		"throughput": {"1 client", "20 clients", "stblock", "busywait", "23k", "47k", "70k", "one client only", machine + "scripts/bench.sh, resp, mean of SET and GET"},
		"latency":    {"20 clients", "one client at a time: the others wait for ever", machine + "scripts/bench.sh, resp, GET"},
		"cpu":        {"7.5", "0.25", "one client only"},
		"memory":     {"mtblock  571 MB at 450", "busywait  570 MB", "stblock serves only one client", "100", machine + "scripts/tradeoffs.sh"},
		"clients":    {"stblock  23k, with one client only", "busywait  94k", machine + "scripts/tradeoffs.sh"},
		"values":     {"SET: requests/s", "GET: requests/s", "busywait  7.7k", "busywait  321", machine + "scripts/tradeoffs.sh"},
	})
}

// TestPlotAnywhere runs through symbolic links, with settings of its user, and a
// temporary folder and results that are hard to name, of a machine that is unknown. The
// pictures are beside the last results.
func TestPlotAnywhere(t *testing.T) {
	needGnuplot(t)
	r := newScript(t, "plot.sh")
	const odd = `a 'b' "c" $d; e`
	dir := filepath.Join(r.base, odd)
	for _, name := range []string{dir, r.tmp + odd, filepath.Join(r.base, "cd", "scripts")} {
		if err := os.MkdirAll(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		filepath.Join(dir, "tradeoffs.csv"): oneClaim,
		filepath.Join(r.base, ".gnuplot"):   "exit status 9\n",
		filepath.Join(r.base, "go.work"):    "go 1.26\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(r.base, odd+" link")
	for to, from := range map[string]string{r.cmd.Args[1]: "link to plot", "link to plot": odd + " link"} {
		if err := os.Symlink(to, filepath.Join(r.base, from)); err != nil {
			t.Fatal(err)
		}
	}
	r.tmp += odd
	bench := results(t, map[string]string{"raw.csv": rawHeader + "1,mtblock,resp,1,1,GET,9,9,1,1,1,1,1,1,1,5,7\n"})
	r.cmd.Args = []string{r.cmd.Args[0], link, bench, "./" + odd}
	r.cmd.Env = append(r.cmd.Env, "TMPDIR=tmp"+odd, "HOME="+r.base, "CDPATH="+filepath.Join(r.base, "cd"),
		"GOWORK="+filepath.Join(r.base, "go.work"), "GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"))
	r.start(t)
	r.finish(t, 0)
	want := ""
	for _, name := range []string{"throughput", "latency", "cpu", "clients"} {
		want += "./" + odd + "/" + name + ".svg\n"
	}
	if diff := cmp.Diff(want, r.stdout.String()); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
	text := svgText(t, filepath.Join(dir, "clients.svg"))
	if !strings.Contains(text, "mtblock  200") || strings.Contains(text, ". scripts/tradeoffs.sh") {
		t.Errorf("the picture says:\n%s", text)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	value, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(value))
}

// TestPlotFails draws one picture and fails in the next: those from before stay.
func TestPlotFails(t *testing.T) {
	needGnuplot(t)
	dir := results(t, map[string]string{"tradeoffs.csv": readFile(t, "results/tradeoffs.csv"), "memory.svg": "old"})
	r := newScript(t, "plot.sh", "-o", dir, dir)
	fake := `case "$*" in *clients*) echo "is ill" >&2; exit 3 ;; esac; echo new >memory.svg`
	if err := os.WriteFile(filepath.Join(r.base, "bin", "gnuplot"), []byte("#!/bin/sh\n"+fake), 0o777); err != nil {
		t.Fatal(err)
	}
	r.start(t)
	r.finish(t, 1)
	r.expectError(t, "plot.sh: gnuplot cannot draw clients.svg. It said:\n    is ill\n")
	if diff := cmp.Diff("old", readFile(t, filepath.Join(dir, "memory.svg"))); diff != "" {
		t.Errorf("memory.svg (-want +got):\n%s", diff)
	}
	if r.stdout.Len() > 0 {
		t.Errorf("standard output: %s", &r.stdout)
	}
}

// TestPlotUnread has a reader of its words who leaves early.
func TestPlotUnread(t *testing.T) {
	needGnuplot(t)
	r := newScript(t, "plot.sh", results(t, map[string]string{"tradeoffs.csv": oneClaim}))
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	defer writer.Close()
	r.cmd.Stdout = writer
	r.start(t)
	r.finish(t, 0)
	svgText(t, filepath.Join(r.out, "clients.svg"))
}

// TestPlotNothing finds no figure of what there are pictures of.
func TestPlotNothing(t *testing.T) {
	needGnuplot(t)
	for text, want := range map[string]string{
		"claim,flavor,metric,value,unit,round\n":                           "there is nothing in ",
		"claim,flavor,metric,value,unit,round\nidle,mtblock,CPU,0.0,%,1\n": "plot.sh: there is nothing to draw in ",
	} {
		r := newScript(t, "plot.sh", results(t, map[string]string{"tradeoffs.csv": text}))
		r.start(t)
		r.finish(t, 1)
		r.expectError(t, want)
	}
}

const oneClaim = `claim,flavor,metric,value,unit,round
clients,mtblock,1,100,requests/s,1
clients,mtblock,2,200,requests/s,1
idle,mtblock,CPU,0.0,%,1
`

// TestPlotPart draws what there is.
func TestPlotPart(t *testing.T) {
	needGnuplot(t)
	dir := results(t, map[string]string{"tradeoffs.csv": oneClaim})
	r := newScript(t, "plot.sh", dir)
	r.start(t)
	r.finish(t, 0)
	expectPictures(t, r, map[string][]string{"clients": {"mtblock  200"}})
}

// TestPlotWithoutGnuplot finds only the programs that are everywhere.
func TestPlotWithoutGnuplot(t *testing.T) {
	dir := results(t, map[string]string{"raw.csv": rawHeader})
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
	r := newScript(t, "plot.sh", dir)
	r.cmd.Env = append(r.cmd.Env, "PATH="+bin)
	r.start(t)
	r.finish(t, 1)
	want := "plot.sh: gnuplot is not in PATH: install it (Debian: gnuplot-nox, Homebrew: gnuplot); the tables do without it\n"
	if diff := cmp.Diff(want, r.stderr.String()); diff != "" {
		t.Errorf("standard error (-want +got):\n%s", diff)
	}
}

package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// The part of README that is made of figures stands between these lines.
const (
	readmeBegin = "<!-- from here on: scripts/table/readme.tmpl, filled in by go run ./scripts/table readme -->\n"
	readmeEnd   = "<!-- to here -->\n"
)

//go:embed readme.tmpl
var readmeText string

// readme writes the figures of a folder into README.md.
func readme(args []string, out io.Writer) error {
	f := flag.NewFlagSet("readme", flag.ContinueOnError)
	file := f.String("file", "README.md", "`file` to change")
	folder := f.String("results", "scripts/results", "`folder` with the figures")
	if err := f.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), readmeBegin)
	_, after, ended := strings.Cut(rest, readmeEnd)
	if !begun || !ended {
		return fmt.Errorf("%s lacks the lines %q and %q", *file, readmeBegin, readmeEnd)
	}
	section, err := readmeSection(*folder)
	if err != nil {
		return err
	}
	return os.WriteFile(*file, []byte(before+readmeBegin+section+readmeEnd+after), 0o666)
}

// readmeSection returns the template with the figures in a folder.
func readmeSection(folder string) (string, error) {
	t := figures{values: map[key][]string{}}
	var err error
	if t.rows, err = readRows(filepath.Join(folder, "tradeoffs.csv")); err != nil {
		return "", err
	}
	t.index()
	m, err := readMeasured(filepath.Join(folder, "raw.csv"))
	if err != nil {
		return "", err
	}
	machine, err := origin(folder)
	if err != nil {
		return "", err
	}
	var summaryText strings.Builder
	if err := summary([]string{filepath.Join(folder, "raw.csv")}, &summaryText); err != nil {
		return "", err
	}
	r := readmeFigures{t, m}
	functions := template.FuncMap{
		"servers": func() string {
			return r.cells(func(s string) string { return s }) + "\n" + "|---|" + strings.Repeat("--:|", len(t.servers))
		},
		"row":     r.row,
		"ratios":  func() string { return r.cells(t.ratio) },
		"each":    func(n int) string { return r.cells(func(s string) string { return t.each(s, n) }) },
		"figure":  r.figure,
		"times":   r.times,
		"latency": r.latency,
		"rate":    r.rate,
		"machine": func() string { return strings.TrimSuffix(machine, ". ") },
		"summary": func() string { return indent(strings.Trim(summaryText.String(), "\n")) },
	}
	tmpl, err := template.New("readme.tmpl").Funcs(functions).Parse(readmeText)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = tmpl.Execute(&b, nil)
	return b.String(), err
}

// readmeFigures are what the template asks for.
type readmeFigures struct {
	figures
	measured
}

// cells returns a row of a table: a cell for each server.
func (r readmeFigures) cells(cell func(server string) string) string {
	line := "|"
	for _, s := range r.servers {
		line += " " + cell(s) + " |"
	}
	return line
}

// row returns what a claim says of a metric, for each server. Decimals -1 stands for three
// digits or so, -2 for thousands.
func (r readmeFigures) row(claim, metric string, decimals int) string {
	return r.cells(func(s string) string { return r.figure(claim, s, metric, decimals) })
}

// figure returns one figure.
func (r readmeFigures) figure(claim, server, metric string, decimals int) string {
	return as(layoutOf(decimals), r.get(claim, server, metric))
}

func layoutOf(decimals int) func(float64) string {
	switch decimals {
	case -1:
		return few3
	case -2:
		return thousands
	}
	return fixed(decimals)
}

// times returns how many times the figure of a server is that of another.
func (r readmeFigures) times(claim, metric, server, other string) string {
	return as(func(x float64) string {
		return as(func(y float64) string { return few3(x / y) }, r.get(claim, other, metric))
	}, r.get(claim, server, metric))
}

// latency returns a row of latencies with 50 clients, in the columns of the articles.
func (r readmeFigures) latency(server string) string {
	line := "| " + server + " |"
	for _, column := range []string{"avg_ms", "min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"} {
		line += " " + r.load(column, "SET", server, 50, 1, 3) + " |"
	}
	return line
}

// rate returns a figure of bench.sh.
func (r readmeFigures) rate(column, name, server string, clients, pipeline, decimals int) string {
	return r.load(column, name, server, clients, pipeline, decimals)
}

func (r readmeFigures) load(column, name, server string, clients, pipeline, decimals int) string {
	w := workload{fmt.Sprint(clients), fmt.Sprint(pipeline)}
	x, ok := r.of(column, test{"resp", w, name}, server)
	if !ok {
		return "-"
	}
	return layoutOf(decimals)(x)
}

// indent makes text a block of code.
func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

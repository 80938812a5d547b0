package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
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

var layouts = map[string]func(float64) string{
	"thousands": thousands, "digits": digits, "0": fixed(0), "1": fixed(1), "2": fixed(2), "3": fixed(3),
}

// readmeSection returns the template with the figures in a folder.
func readmeSection(folder string) (string, error) {
	bench, r, err := readFolder(folder)
	if err != nil {
		return "", err
	}
	// A cell for each server.
	cells := func(cell func(server string) string) string {
		line := "|"
		for _, s := range r.servers {
			line += " " + cell(s) + " |"
		}
		return line
	}
	figure := func(claim, server, metric, layout string) string {
		return r.figure(claim, server, metric, layouts[layout])
	}
	rate := func(column, test, server string, clients, pipeline int, layout string) string {
		l := load{"resp", strconv.Itoa(clients), strconv.Itoa(pipeline), test}
		return bench.text(l.key(), server, column, layouts[layout])
	}
	tmpl, err := template.New("readme.tmpl").Funcs(template.FuncMap{
		"machine": func() string { return strings.TrimRight(origin(folder), " .,") },
		"servers": func() string {
			return cells(func(s string) string { return s }) + "\n|---|" + strings.Repeat("--:|", len(r.servers))
		},
		"row": func(claim, metric, layout string) string {
			return cells(func(s string) string { return figure(claim, s, metric, layout) })
		},
		"figure": figure,
		"rate":   rate,
		"latency": func(server string) string {
			line := "| " + server + " |"
			for _, column := range []string{"avg_ms", "min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"} {
				line += " " + rate(column, "SET", server, 50, 1, "3") + " |"
			}
			return line
		},
		"summary": func() string {
			var b strings.Builder
			bench.summary(&b)
			return "    " + strings.ReplaceAll(strings.Trim(b.String(), "\n"), "\n", "\n    ")
		},
	}).Parse(readmeText)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = tmpl.Execute(&b, nil)
	return b.String(), err
}

package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ioflavors/scripts/trace/recording"
)

//go:embed page.html
var page []byte

// What the page gets, as JSON. A place is the L12 or R12 of a pair's line 12, left or
// right, or the answer.go:12 of a file that stays.
type (
	pageData struct {
		Flavors []pageFile                   `json:"flavors"` // main.go of each, in reading order
		Stays   []pageFile                   `json:"stays"`   // the other files
		Steps   []pageStep                   `json:"steps"`
		Events  []pageEvent                  `json:"events"`
		Pairs   map[string][]stretch         `json:"pairs"`  // by "left..right"
		Costs   map[string][][]string        `json:"costs"`  // by "left..right": see readCosts
		Traces  map[string][]recording.Event `json:"traces"` // by flavor
		Kernel  map[string][][][3]int        `json:"kernel"` // by "left..right", and event: left row, right row, 1 if they are alike
	}
	pageFile struct {
		Name     string         `json:"name"` // the flavor, or answer.go, or goroutinesrv/listen.go
		About    string         `json:"about"`
		Of       []string       `json:"of"` // the flavors that have it
		Lines    []string       `json:"lines"`
		Declared map[string]int `json:"declared"` // lines by name; methods and fields have a dot before it
	}
	pageStep struct {
		Left     string      `json:"left"`
		Right    string      `json:"right"`
		Returns  bool        `json:"returns"` // to a flavor of an earlier step
		Sentence string      `json:"sentence"`
		Notes    []pageNote  `json:"notes"`
		Events   []pageEvent `json:"events"` // of which it says more
	}
	pageNote struct {
		At   string `json:"at"` // the place at which it stands, if it has one
		Text []part `json:"text"`
	}
	pageEvent struct {
		Name     string `json:"name"`
		Text     []part `json:"text"`
		Question []part `json:"question,omitempty"`
	}
	part struct { // of a text
		Text string `json:"text"`
		Code bool   `json:"code,omitempty"`
		At   string `json:"at,omitempty"` // the place to which the code leads
	}
)

// MarshalJSON writes a row as [left, right], with the marks of both if it changed.
func (r row) MarshalJSON() ([]byte, error) {
	list := []any{r.lines[0], r.lines[1]}
	if r.changed {
		list = append(list, r.marks[0], r.marks[1])
	}
	return json.Marshal(list)
}

// writePage writes the page to a file.
func (m *module) writePage(file string) error {
	data, err := m.pageData()
	if err != nil {
		return err
	}
	text, err := json.Marshal(data) // escapes <, > and &
	if err != nil {
		return err
	}
	plain, err := m.plain()
	if err != nil {
		return err
	}
	whole := bytes.Replace(page, []byte("{{plain}}"), plain, 1)
	return os.WriteFile(file, bytes.Replace(whole, []byte("{{data}}"), text, 1), 0o644)
}

func (m *module) pageData() (*pageData, error) {
	data := &pageData{Pairs: map[string][]stretch{}, Kernel: map[string][][][3]int{}}
	traces, err := readTraces(m.dir)
	if err != nil {
		return nil, err
	}
	data.Traces = map[string][]recording.Event{}
	for name, t := range traces {
		data.Traces[name] = t.Events
	}
	if data.Costs, err = readCosts(m.dir); err != nil {
		return nil, err
	}
	for _, a := range m.flavors {
		for _, b := range m.flavors {
			if a == b {
				continue
			}
			hunks, err := m.hunks(a, b, "main.go")
			if err != nil {
				return nil, err
			}
			left, right := m.lines[a]["main.go"], m.lines[b]["main.go"]
			data.Pairs[a+".."+b] = stretches(compare(left, right, hunks), left, right)
			if traces[a].Events == nil || traces[b].Events == nil {
				continue
			}
			events, err := recording.Align(traces[a], traces[b])
			if err != nil {
				return nil, err
			}
			for _, pairs := range events {
				list := [][3]int{}
				for _, p := range pairs {
					list = append(list, [3]int{p.Left, p.Right, map[bool]int{true: 1}[p.Same]})
				}
				data.Kernel[a+".."+b] = append(data.Kernel[a+".."+b], list)
			}
		}
	}
	if err := m.addFiles(data); err != nil {
		return nil, err
	}
	nowhere := func(string) string { return "" }
	for _, n := range m.events {
		data.Events = append(data.Events, pageEvent{Name: n.at, Text: prose(n.text, nowhere)})
	}
	for i, s := range m.steps {
		data.Steps = append(data.Steps, data.step(s, m.returns(i)))
	}
	return data, nil
}

// readTraces returns what trace.sh has recorded of each flavor over RESP.
func readTraces(dir string) (map[string]recording.Trace, error) {
	file, err := os.Open(filepath.Join(dir, "scripts", "results", "trace.csv"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	list, err := recording.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	traces := map[string]recording.Trace{}
	for _, t := range list {
		if t.Proto == "resp" {
			traces[t.Flavor] = t
		}
	}
	return traces, nil
}

// addFiles adds all files, once for all flavors that have the same.
func (m *module) addFiles(data *pageData) error {
	for _, file := range m.files {
		var list []pageFile
		for _, flavor := range m.flavors {
			lines := m.lines[flavor][file]
			if i := slices.IndexFunc(list, func(f pageFile) bool { return slices.Equal(f.Lines, lines) }); i >= 0 {
				list[i].Of = append(list[i].Of, flavor)
			} else if lines != nil {
				about, declared, err := m.parse(flavor, file)
				if err != nil {
					return err
				}
				list = append(list, pageFile{flavor + "/" + file, about, []string{flavor}, lines, declared})
			}
		}
		if file == "main.go" {
			data.Flavors = list
			continue
		}
		list[0].Name, list[0].About = file, m.sameness(file, m.flavors)
		data.Stays = append(data.Stays, list...)
	}
	return nil
}

// step returns what there is to say of a step.
func (d *pageData) step(s step, returns bool) pageStep {
	place := d.places(s)
	one := pageStep{Left: s.left, Right: s.right, Returns: returns, Sentence: s.sentence, Notes: []pageNote{}, Events: []pageEvent{}}
	for _, n := range s.notes {
		name, isQuestion := strings.CutSuffix(n.at, "?")
		text := prose(n.text, place)
		i := slices.IndexFunc(one.Events, func(e pageEvent) bool { return e.Name == name })
		switch {
		case n.at == "":
			one.Notes = append(one.Notes, pageNote{"", text})
		case !slices.ContainsFunc(d.Events, func(e pageEvent) bool { return e.Name == name }):
			one.Notes = append(one.Notes, pageNote{place(n.at), text})
		case isQuestion:
			one.Events = append(one.Events, pageEvent{Name: name, Question: text})
		case i >= 0:
			one.Events[i].Text = text
		default:
			one.Events = append(one.Events, pageEvent{Name: name, Text: text})
		}
	}
	return one
}

// parse returns the package comment of a file, and the lines on which it declares names.
func (m *module) parse(flavor, file string) (about string, declared map[string]int, err error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, m.path(flavor, file), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return "", nil, err
	}
	declared = map[string]int{}
	declare := func(prefix string, names ...*ast.Ident) {
		for _, name := range names {
			if _, known := declared[prefix+name.Name]; !known {
				declared[prefix+name.Name] = set.Position(name.Pos()).Line
			}
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil {
				declare(".", n.Name)
			} else {
				declare("", n.Name)
			}
			return false // what is declared within is not for all to see
		case *ast.ValueSpec:
			declare("", n.Names...)
			return false
		case *ast.TypeSpec:
			declare("", n.Name)
		case *ast.Field:
			declare(".", n.Names...)
		}
		return true
	})
	return strings.Join(strings.Fields(parsed.Doc.Text()), " "), declared, nil
}

// places returns a function that finds the place of a step's code: where the code is
// declared, or else the first line that is the code, or else that has it.
func (d *pageData) places(s step) func(code string) string {
	type source struct {
		prefix string
		pageFile
	}
	var files []source
	for i, flavor := range []string{s.right, s.left} {
		for _, f := range d.Flavors {
			if f.Of[0] == flavor {
				files = append(files, source{"RL"[i : i+1], f})
			}
		}
	}
	for _, f := range d.Stays {
		if slices.Contains(f.Of, s.left) || slices.Contains(f.Of, s.right) {
			files = append(files, source{f.Name + ":", f})
		}
	}
	return func(code string) string {
		for _, f := range files {
			if n := max(f.Declared[code], f.Declared["."+code]); n > 0 {
				return fmt.Sprint(f.prefix, n)
			}
		}
		pattern := regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(code) + `(\W|$)`)
		for _, has := range []func(line string) bool{
			func(line string) bool { return strings.TrimSpace(line) == code },
			func(line string) bool { return pattern.MatchString(line) && !strings.HasPrefix(line, "//") },
		} {
			for _, f := range files {
				if i := slices.IndexFunc(f.Lines, has); i >= 0 {
					return fmt.Sprint(f.prefix, i+1)
				}
			}
		}
		return ""
	}
}

var manual = regexp.MustCompile(`^(\w+)\(2\)$`)

// prose sets words between backquotes as code. A system call leads to its manual page.
func prose(text string, place func(string) string) (list []part) {
	for i, piece := range strings.Split(text, "`") {
		switch m := manual.FindStringSubmatch(piece); {
		case i%2 == 1 && m != nil && m[1] == "kevent":
			list = append(list, part{piece, true, "https://man.freebsd.org/cgi/man.cgi?kevent(2)"})
		case i%2 == 1 && m != nil:
			list = append(list, part{piece, true, "https://man7.org/linux/man-pages/man2/" + m[1] + ".2.html"})
		case i%2 == 1:
			list = append(list, part{piece, true, place(piece)})
		case piece != "":
			list = append(list, part{Text: piece})
		}
	}
	return list
}

// plain returns the notes and the diffs as plain HTML, for whoever has no JavaScript.
func (m *module) plain() ([]byte, error) {
	var b bytes.Buffer
	for _, s := range m.steps {
		fmt.Fprintf(&b, "<h2>%s</h2>\n<p><strong>%s</strong></p>\n", html.EscapeString(s.name()), html.EscapeString(s.sentence))
		for _, n := range s.notes {
			text := regexp.MustCompile("`([^`]+)`").ReplaceAllString(html.EscapeString(n.text), `<code translate="no">$1</code>`)
			if strings.Contains(n.at, " ") { // an event
				text = html.EscapeString(n.at) + ": " + text
			}
			fmt.Fprintf(&b, "<p>%s</p>\n", text)
		}
		code := strings.Join(m.lines[s.left]["main.go"], "\n")
		if s.right != "" {
			var err error
			if code, err = m.hunks(s.left, s.right, "main.go"); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(&b, "<pre translate=\"no\">%s</pre>\n", html.EscapeString(code))
	}
	return b.Bytes(), nil
}

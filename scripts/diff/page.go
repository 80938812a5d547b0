package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
)

//go:embed page.html
var page []byte

// What the page gets, as JSON. A place is the L12 or R12 of a pair's line 12, left or
// right, or the answer.go:12 of a file that stays.
type (
	pageData struct {
		Flavors []pageFlavor             `json:"flavors"` // in reading order
		Steps   []pageStep               `json:"steps"`
		Pairs   map[string][]pageStretch `json:"pairs"` // by "left..right"
		Stays   []pageFile               `json:"stays"`
		Costs   []cost                   `json:"costs"`
		Traces  map[string][]traceEvent  `json:"traces"` // by flavor
		Kernel  map[string][][]tracePair `json:"kernel"` // by "left..right": see sideBySide
	}
	pageFlavor struct {
		Name  string   `json:"name"`
		Idea  [][]part `json:"idea"` // the package comment, in paragraphs
		Lines []string `json:"lines"`
	}
	pageFile struct {
		Name     string   `json:"name"`
		Sameness string   `json:"sameness"`
		Lines    []string `json:"lines"`
	}
	pageStep struct {
		Left     string   `json:"left"`
		Right    string   `json:"right"`
		Returns  bool     `json:"returns"` // to a flavor of an earlier step
		Sentence string   `json:"sentence"`
		Notes    [][]part `json:"notes"`
	}
	pageStretch struct {
		Fold  bool   `json:"fold"`
		Label []part `json:"label"`
		Rows  []row  `json:"rows"`
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
	return os.WriteFile(file, bytes.Replace(page, []byte("{{data}}"), text, 1), 0o644)
}

func (m *module) pageData() (*pageData, error) {
	data := &pageData{Pairs: map[string][]pageStretch{}, Stays: []pageFile{}, Kernel: map[string][][]tracePair{}}
	var err error
	if data.Traces, err = readTraces(m.dir); err != nil {
		return nil, err
	}
	if data.Costs, err = readCosts(m.dir); err != nil {
		return nil, err
	}
	for _, a := range m.flavors {
		for _, b := range m.flavors {
			if a == b {
				continue
			}
			if err := m.addPair(data, a, b); err != nil {
				return nil, err
			}
		}
	}
	declared, err := m.addSources(data)
	for i, s := range m.steps {
		place := m.places(s, declared)
		one := pageStep{s.left, s.right, m.returns(i), s.sentence, [][]part{}}
		for _, p := range s.paragraphs {
			one.Notes = append(one.Notes, prose(p, place))
		}
		data.Steps = append(data.Steps, one)
	}
	return data, err
}

// addPair adds what there is of two flavors side by side.
func (m *module) addPair(data *pageData, a, b string) error {
	hunks, err := m.hunks(a, b, "main.go")
	if err != nil {
		return err
	}
	left, right := m.lines[a]["main.go"], m.lines[b]["main.go"]
	data.Pairs[a+".."+b] = label(stretches(compare(left, right, hunks), left, right), right)
	if data.Traces[a] != nil && data.Traces[b] != nil {
		data.Kernel[a+".."+b], err = sideBySide(data.Traces[a], data.Traces[b])
	}
	return err
}

// addSources adds all files. It returns the lines on which they declare names, by flavor,
// or by file if that stays.
func (m *module) addSources(data *pageData) (map[string]map[string]int, error) {
	declared := map[string]map[string]int{}
	for _, flavor := range m.flavors {
		idea, names, err := m.parse(flavor, "main.go")
		if err != nil {
			return nil, err
		}
		declared[flavor] = names
		data.Flavors = append(data.Flavors, pageFlavor{flavor, idea, m.lines[flavor]["main.go"]})
	}
	for _, file := range m.files[1:] {
		flavor := m.firstWith(file)
		_, names, err := m.parse(flavor, file)
		if err != nil {
			return nil, err
		}
		declared[file] = names
		data.Stays = append(data.Stays, pageFile{file, m.sameness(file, m.flavors), m.lines[flavor][file]})
	}
	return declared, nil
}

// firstWith returns the first flavor that has a file.
func (m *module) firstWith(file string) string {
	for _, flavor := range m.flavors {
		if m.lines[flavor][file] != nil {
			return flavor
		}
	}
	return ""
}

// parse returns the package comment of a file, and the lines on which it declares names.
func (m *module) parse(flavor, file string) (idea [][]part, names map[string]int, err error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, m.path(flavor, file), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range strings.Split(strings.TrimSpace(parsed.Doc.Text()), "\n\n") {
		idea = append(idea, []part{{Text: strings.ReplaceAll(p, "\n", " ")}})
	}
	names = map[string]int{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		var list []*ast.Ident
		switch n := n.(type) {
		case *ast.FuncDecl:
			list = []*ast.Ident{n.Name}
		case *ast.ValueSpec:
			list = n.Names
		case *ast.TypeSpec:
			list = []*ast.Ident{n.Name}
		case *ast.Field:
			list = n.Names
		case *ast.FuncType, *ast.BlockStmt: // what is declared within is not for all to see
			return false
		}
		for _, name := range list {
			if _, known := names[name.Name]; !known {
				names[name.Name] = set.Position(name.Pos()).Line
			}
		}
		return true
	})
	return idea, names, nil
}

// places returns a function that finds the place of a step's code: where the code is
// declared, or else the first line that has it.
func (m *module) places(s step, declared map[string]map[string]int) func(code string) string {
	type file struct {
		prefix string
		names  map[string]int
		lines  []string
	}
	var files []file
	if s.right != "" {
		files = append(files, file{"R", declared[s.right], m.lines[s.right]["main.go"]})
	}
	files = append(files, file{"L", declared[s.left], m.lines[s.left]["main.go"]})
	for _, name := range m.files[1:] {
		files = append(files, file{name + ":", declared[name], m.lines[m.firstWith(name)][name]})
	}
	return func(code string) string {
		for _, f := range files {
			if n := f.names[code]; n > 0 {
				return fmt.Sprint(f.prefix, n)
			}
		}
		for _, f := range files {
			if i := slices.IndexFunc(f.lines, whole(code).MatchString); i >= 0 {
				return fmt.Sprint(f.prefix, i+1)
			}
		}
		return ""
	}
}

// whole returns a pattern for code that does not begin or end within a word.
func whole(code string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(code)
	for _, edge := range []struct{ at, before, after string }{{`^\w`, `\b`, ""}, {`\w$`, "", `\b`}} {
		if regexp.MustCompile(edge.at).MatchString(code) {
			pattern = edge.before + pattern + edge.after
		}
	}
	return regexp.MustCompile(pattern)
}

// prose sets words between backquotes as code.
func prose(text string, place func(string) string) (list []part) {
	for i, piece := range strings.Split(text, "`") {
		switch {
		case i%2 == 1:
			list = append(list, part{piece, true, place(piece)})
		case piece != "":
			list = append(list, part{Text: piece})
		}
	}
	return list
}

// label says of each fold how much it hides, and what follows, or what is in it.
func label(list []stretch, right []string) (labeled []pageStretch) {
	for i, s := range list {
		one := pageStretch{Fold: s.fold, Rows: s.rows}
		if s.fold {
			one.Label = []part{{Text: fmt.Sprint(len(s.rows), " unchanged lines")}}
			if i+1 == len(list) {
				one.Label = withCode(one.Label, ": ", functions(s.rows, right))
			} else {
				one.Label = withCode(one.Label, ", then in ", list[i+1].title)
			}
		}
		labeled = append(labeled, one)
	}
	return labeled
}

func withCode(list []part, text, code string) []part {
	if code == "" {
		return list
	}
	return append(list, part{Text: text}, part{Text: code, Code: true})
}

var function = regexp.MustCompile(`^func (?:\(.*?\) )?(\w+)`)

// functions returns the names of those that begin in rows.
func functions(rows []row, right []string) string {
	var names []string
	for _, r := range rows {
		if m := function.FindStringSubmatch(right[r.lines[1]-1]); m != nil {
			names = append(names, m[1])
		}
	}
	return strings.Join(names, ", ")
}

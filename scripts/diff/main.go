// Diff shows what changes from one flavor to another, in the terminal or as a page. It is
// the program behind scripts/diff.sh: diff(1) says which lines differ, and this which
// words.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const usage = `usage: diff.sh               list the reading order: the lines that change in
                             each step, and what it teaches
       diff.sh A B           show flavors A and B side by side
       diff.sh -w A B        show them as a unified diff, which is a patch
       diff.sh -html FILE    write a page in which to read them all
A flavor's model is its main.go. For the other files diff.sh says which are the
same in A and B, and it shows what differs in those that are not.
The lines that change are those of diff -u. Colour is for terminals only, and
not if NO_COLOR is set. The width is COLUMNS; or else the terminal's, also if a
pager shows it; or else 79. Below 100 columns, lines that change stand one
below the other instead of side by side. A patch has lines of any length.
`

// A usageError is one of the arguments.
type usageError string

func (e usageError) Error() string { return string(e) }

func main() {
	log.SetFlags(0)
	log.SetPrefix("diff.sh: ")
	signal.Ignore(syscall.SIGPIPE) // whoever reads this, such as head, may have seen enough
	out := bufio.NewWriter(os.Stdout)
	err := run(out, os.Args[1:])
	if err == nil {
		err = out.Flush()
	}
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return
	}
	log.Print(err)
	if errors.As(err, new(usageError)) {
		log.Print("try diff.sh -h")
		os.Exit(2)
	}
	os.Exit(1)
}

func run(out io.Writer, args []string) error {
	flags := flag.NewFlagSet("diff.sh", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("C", ".", "")
	wide := flags.Bool("w", false, "")
	page := flags.String("html", "", "")
	var names []string
	for len(args) > 0 { // flags may stand behind names
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			_, err = io.WriteString(out, usage)
			return err
		} else if err != nil {
			return usageError(err.Error())
		}
		if args = flags.Args(); len(args) > 0 {
			names, args = append(names, filepath.Base(args[0])), args[1:]
		}
	}
	m, err := load(*dir)
	switch {
	case err != nil:
		return err
	case *page != "" && len(names) > 0:
		return usageError("-html shows all flavors: name none")
	case *page != "":
		if err := m.writePage(*page); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "wrote %s: open it in a browser\n", *page)
		return err
	case len(names) == 0 && !*wide:
		return m.list(out)
	}
	for _, name := range names {
		if !slices.Contains(m.flavors, name) {
			return usageError(fmt.Sprintf("no flavor %q: want two of\n%s", name, strings.Join(m.flavors, " ")))
		}
	}
	if len(names) != 2 {
		return usageError(fmt.Sprintf("want two flavors, not %d", len(names)))
	}
	return m.show(terminal{out, hasColor(), width()}, names[0], names[1], *wide)
}

// hasColor reports whether the output takes colours.
func hasColor() bool {
	term := os.Getenv("TERM")
	return columns(os.Stdout) > 0 && os.Getenv("NO_COLOR") == "" && term != "" && term != "dumb"
}

// width returns how many columns there are for the output.
func width() int {
	if n, err := strconv.ParseUint(os.Getenv("COLUMNS"), 10, 64); n > 0 && (err == nil || errors.Is(err, strconv.ErrRange)) {
		return int(min(max(n, 79), 500)) // no line is that long
	}
	if n := columns(os.Stdout); n > 0 {
		return n
	}
	if tty, err := os.Open("/dev/tty"); err == nil { // the output may be a pager
		defer tty.Close()
		if n := columns(tty); n > 0 {
			return n
		}
	}
	return 79
}

// list prints the reading order.
func (m *module) list(out io.Writer) error {
	for i, s := range m.steps {
		n := len(m.lines[s.left]["main.go"])
		if s.right != "" {
			hunks, err := m.hunks(s.left, s.right, "main.go")
			if err != nil {
				return err
			}
			n = count(hunks)
		}
		if m.returns(i) {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%-27s %3d lines\n%s", s.name(), n, fold(s.sentence))
	}
	fmt.Fprintln(out)
	for _, file := range m.files[1:] {
		fmt.Fprintln(out, m.sameness(file, m.flavors))
	}
	return nil
}

// fold breaks text into lines of up to 79 columns, indented.
func fold(text string) string {
	var b strings.Builder
	line := "   "
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 79 {
			b.WriteString(line + "\n")
			line = "   "
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}

// show shows what two flavors do not have in common.
func (m *module) show(t terminal, a, b string, patch bool) error {
	differ := map[string]string{} // by file: the hunks
	for _, file := range m.files {
		hunks, err := m.hunks(a, b, file)
		if err != nil {
			return err
		}
		if hunks != "" {
			differ[file] = hunks
		} else if m.lines[a][file] != nil || m.lines[b][file] != nil {
			fmt.Fprintln(t, m.sameness(file, []string{a, b}))
		}
	}
	for _, file := range m.files {
		hunks := differ[file]
		if hunks == "" {
			continue
		}
		left, right := m.lines[a][file], m.lines[b][file]
		if patch {
			t.unified(fmt.Sprintf("--- a/%s/%s\n+++ b/%s/%s\n%s", a, file, b, file, hunks), 0)
			continue
		}
		if file != "main.go" {
			fmt.Fprintln(t, m.sameness(file, []string{a, b}))
		}
		if t.width < 100 {
			t.unified(hunks, t.width)
			continue
		}
		t.sides(left, right, stretches(compare(left, right, hunks), left, right))
	}
	return nil
}

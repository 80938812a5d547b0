package recording

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// made has what a line that makes a call has in it. The calls that package net makes for
// goroutinesrv are among them.
var made = map[string]string{
	"accept":       `syscall\.Accept\(|\.AcceptTCP\(`,
	"bind":         `unix\.Bind\(|\.Listen\(`,
	"close":        `unix\.Close\(|sock\.Close\(`,
	"epoll_create": `unix\.EpollCreate1\(`,
	"epoll_ctl":    `unix\.EpollCtl\(|\.Listen\(|\.AcceptTCP\(|sock\.Close\(`,
	"epoll_wait":   `unix\.EpollWait\(`,
	"fcntl":        `unix\.SetNonblock\(`,
	"getsockname":  `unix\.Getsockname\(|\.Listen\(|\.AcceptTCP\(`,
	"getsockopt":   `unix\.Getsockname\(`, // by golang.org/x/sys
	"listen":       `unix\.Listen\(|\.Listen\(`,
	"read":         `unix\.Read\(|sock\.Read\(`,
	"setsockopt":   `unix\.Setsockopt\w+\(|\.Listen\(|\.AcceptTCP\(`,
	"shutdown":     `unix\.Shutdown\(|sock\.CloseWrite\(`,
	"socket":       `unix\.Socket\(|\.Listen\(`,
	"write":        `unix\.Write\(|sock\.Write\(`,
}

// TestLines holds that each line that is recorded is in the flavor's source as it is now, and
// makes the call that it claims; and that each of the others calls the function around the
// one before it.
func TestLines(t *testing.T) {
	text, err := os.ReadFile("../../results/trace.csv")
	if err != nil {
		t.Fatal(err)
	}
	traces, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]bool{}
	sources := map[string]source{}
	for _, trace := range traces {
		if sources[trace.Flavor] == nil {
			sources[trace.Flavor] = readSource(t, "../../../"+trace.Flavor)
		}
		for _, e := range trace.Events {
			for _, r := range e.Rows {
				if err := sources[trace.Flavor].check(r); err != nil {
					failed[fmt.Sprintf("%s: %s: %v", trace.Flavor, r.Text, err)] = true
				}
			}
		}
	}
	for text := range failed {
		t.Error(text)
	}
	if t.Failed() {
		t.Log("the code is not as it was when the traces were recorded: scripts/trace.sh -o scripts/results")
	}
}

// A source has the lines of a flavor, and the functions around them, by main.go:1 and so on.
type source map[string]struct{ text, function string }

var function = regexp.MustCompile(`^func (?:\(.*?\) )?(\w+)`)

func readSource(t *testing.T, dir string) source {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no source, %v", dir, err)
	}
	s := source{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in := ""
		for i, line := range strings.Split(string(text), "\n") {
			if m := function.FindStringSubmatch(line); m != nil {
				in = m[1]
			}
			s[fmt.Sprintf("%s:%d", filepath.Base(file), i+1)] = struct{ text, function string }{line, in}
			if line == "}" {
				in = ""
			}
		}
	}
	return s
}

var (
	call   = regexp.MustCompile(`(\w+)\(\w*`)
	option = regexp.MustCompile(`(SO|TCP|IPV6)_\w+`)
)

// check checks the lines of a row.
func (s source) check(r Row) error {
	m := call.FindStringSubmatch(r.Text)
	switch {
	case m == nil || r.Kind == "runtime" && len(r.Lines) == 0 || m[0] == "epoll_wait(netpoll":
		return nil // there is no call, or it is the runtime's
	case len(r.Lines) == 0:
		return errors.New("it has no lines")
	}
	if first := s[r.Lines[0]].text; strings.Contains(first, "unix.Setsockopt") && !strings.Contains(first, option.FindString(r.Text)) {
		return fmt.Errorf("%s sets another option: %s", r.Lines[0], first)
	}
	want, in := made[m[1]], ""
	for _, line := range r.Lines {
		if ok, err := regexp.MatchString(want, s[line].text); !ok || err != nil || want == "" {
			return fmt.Errorf("%s does not call %q: %s", line, want, s[line].text)
		}
		in = s[line].function
		want = `\b` + in + `\(`
	}
	if last := s[r.Lines[len(r.Lines)-1]]; in != "main" && in != "" && !strings.Contains(last.text, "go ") {
		return fmt.Errorf("its lines end in %s", in)
	}
	return nil
}

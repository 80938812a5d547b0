package recording

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// made has what the line that makes a call must have.
var made = map[string]string{
	"accept":       `syscall\.Accept\(`,
	"bind":         `unix\.Bind\(`,
	"close":        `unix\.Close\(`,
	"epoll_create": `unix\.EpollCreate1\(`,
	"epoll_ctl":    `unix\.EpollCtl\(`,
	"epoll_wait":   `unix\.EpollWait\(`,
	"fcntl":        `unix\.SetNonblock\(`,
	"getsockname":  `unix\.Getsockname\(`,
	"getsockopt":   `unix\.Getsockname\(`, // x/sys
	"listen":       `unix\.Listen\(`,
	"read":         `unix\.Read\(`,
	"setsockopt":   `unix\.Setsockopt\w+\(`,
	"shutdown":     `unix\.Shutdown\(`,
	"socket":       `unix\.Socket\(`,
	"write":        `unix\.Write\(`,
}

// madeByNet has the same for goroutinesrv, by what the call is made on.
var madeByNet = map[string]string{
	"accept":      `\.AcceptTCP\(`,
	"close":       `sock\.Close\(`,
	"epoll_ctl":   `\.AcceptTCP\(|sock\.Close\(|\.Listen`,
	"getsockname": `\.AcceptTCP\(|\.Listen`,
	"read":        `sock\.Read\(`,
	"setsockopt":  `\.AcceptTCP\(|\.Listen`,
	"shutdown":    `sock\.CloseWrite\(`,
	"write":       `sock\.Write\(`,
}

// TestLines holds that each line that is recorded is in the flavor's source as it is now, and
// makes the call that it claims; and that each of the others calls the function around the
// one before it.
func TestLines(t *testing.T) {
	file, err := os.Open("../../results/trace.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	traces, err := Read(file)
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
				if err := sources[trace.Flavor].check(r, trace.Flavor == "goroutinesrv"); err != nil {
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

// A source has the lines of a flavor, by their names, as in main.go:1.
type source map[string]sourceLine

type sourceLine struct{ text, function string }

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
			s[fmt.Sprintf("%s:%d", filepath.Base(file), i+1)] = sourceLine{line, in}
			if line == "}" {
				in = ""
			}
		}
	}
	return s
}

// check checks the lines of a row.
func (s source) check(r Row, net bool) error {
	name, _, isCall := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.Text, "waits in "), "parked in "), "(")
	if !isCall || len(r.Lines) == 0 {
		if isCall && r.Kind != "runtime" && !strings.HasSuffix(r.Text, "(netpoll)") {
			return fmt.Errorf("it has no lines")
		}
		return nil
	}
	want := made[name]
	if net {
		want = madeByNet[name]
	}
	if want == "" {
		want = `\.Listen`
	}
	in := ""
	for _, line := range r.Lines {
		if !regexp.MustCompile(want).MatchString(s[line].text) {
			return fmt.Errorf("%s does not call %s: %q", line, want, s[line].text)
		}
		in = s[line].function
		want = `\b` + in + `\(`
	}
	last := s[r.Lines[len(r.Lines)-1]].text
	if !slices.Contains([]string{"main", ""}, in) && !strings.Contains(last, "go ") {
		return fmt.Errorf("its lines end in %s", in)
	}
	return nil
}

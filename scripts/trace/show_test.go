//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const left = `resp,stblock,A connects,call,,accept(listener) = A,,
resp,stblock,A connects,call,,"setsockopt(A, TCP_NODELAY)",,
resp,stblock,A connects,wait,,waits in read(A),,
resp,stblock,B sends the other half,none,,no call,,
resp,stblock,B sends the other half,client,,B gets nothing,,
resp,stblock,B sends the other half,wait,,waits in read(A),,
resp,stblock,"A asks for 4 MB, reads nothing",call,,read(A) = 22,,
resp,stblock,,request,,"read 1, write 1",,
resp,stblock,,left,,"futex 5, nanosleep 4, rt_sigprocmask 3, rt_sigreturn 2, getpid 1",,
`

const right = `resp,other,A connects,runtime,,"epoll_ctl(netpoll, ADD listener, IN|OUT|RDHUP|ET)",,
resp,other,A connects,call,1,accept(listener) = A,,
resp,other,A connects,call,1,accept(listener) = EAGAIN,1,"1,234"
resp,other,A connects,call,2,read(A) = EAGAIN,1,8
resp,other,A connects,wait,1,waits in accept(listener),,
resp,other,A connects,wait,2,waits in read(A),,
resp,other,B sends the other half,call,3,read(B) = 14,,
resp,other,B sends the other half,client,,B gets 11 bytes,,
resp,other,B sends the other half,wait,2,waits in read(A),,
resp,other,"A asks for 4 MB, reads nothing",call,2,read(A) = 16,2,9
resp,other,,request,,"epoll_wait 1, read 1, write 1; in vain: read 1",,
resp,other,,left,,futex 5,,
`

func TestShow(t *testing.T) {
	want := `                       other, resp

A connects               ~ epoll_ctl(netpoll, ADD listener, IN|OUT|RDHUP|ET)
                       1 accept(listener) = A
                       1 accept(listener) = EAGAIN ┐ × 1,234
                       2 read(A) = EAGAIN          ┘ × 8
                       1 waits in accept(listener)
                       2 waits in read(A)

B sends the other half 3 read(B) = 14
                         → B gets 11 bytes
                       2 waits in read(A)

A asks for 4 MB,       2 read(A) = 16   × 9
   reads nothing

in a request           epoll_wait 1, read 1, write 1; in vain: read 1

left out               futex 5

`
	if d := cmp.Diff(want, shown(t, false, right)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestShowSides(t *testing.T) {
	want := `                       stblock, resp                          other, resp

A connects                                                  >   ~ epoll_ctl(netpoll, ADD listener,
                                                            >    IN|OUT|RDHUP|ET)
                       accept(listener) = A                   1 accept(listener) = A
                       setsockopt(A, TCP_NODELAY)           | 1 accept(listener) = EAGAIN ┐ × 1,234
                                                            > 2 read(A) = EAGAIN          ┘ × 8
                                                            > 1 waits in accept(listener)
                       waits in read(A)                       2 waits in read(A)

B sends the other half no call                              | 3 read(B) = 14
                       → B gets nothing                     |   → B gets 11 bytes
                       waits in read(A)                       2 waits in read(A)

A asks for 4 MB,       read(A) = 22                           2 read(A) = 16   × 9
   reads nothing

in a request           read 1, write 1                      | epoll_wait 1, read 1, write 1;
                                                            |    in vain: read 1

left out               futex 5, nanosleep 4,                  futex 5
                          rt_sigprocmask 3, rt_sigreturn 2,
                          getpid 1

`
	if d := cmp.Diff(want, shown(t, true, left, right)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestShowFails(t *testing.T) {
	if err := show(&strings.Builder{}, []string{"/no/such/file"}, false); err == nil {
		t.Error("it shows a file that is not there")
	}
	if err := show(&strings.Builder{}, []string{write(t, left)}, true); err == nil || err.Error() != "-sides wants two tables, not 1" {
		t.Errorf("one table side by side: %v", err)
	}
}

// shown returns what show prints of tables, without the legend.
func shown(t *testing.T, sides bool, tables ...string) string {
	t.Helper()
	var files []string
	for _, table := range tables {
		files = append(files, write(t, table))
	}
	var out strings.Builder
	if err := show(&out, files, sides); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutSuffix(out.String(), legend)
	if !ok {
		t.Error("no legend")
	}
	return text
}

func write(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWrap(t *testing.T) {
	for text, want := range map[string][]string{
		"":                      {""},
		"short":                 {"short"},
		"exactly te":            {"exactly te"},
		"one, two, three, four": {"one, two,", "   three,", "   four"},
		"one 1,234, 5":          {"one 1,234,", "   5"},
		"one 21,234, 5":         {"one 21,234, 5"},
		"alltoolongforthis":     {"alltoolongforthis"},
	} {
		if d := cmp.Diff(want, wrap(text, 10)); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
}

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/scripts/trace/recording"
)

const left = `resp,stblock,A connects,call,,accept(listener) = A,,,main.go:45 main.go:37
resp,stblock,A connects,library,,"getsockopt(listener, SO_PROTOCOL)",,,listen.go:42
resp,stblock,A connects,wait,,waits in read(A),,,main.go:89
resp,stblock,B sends the other half,none,,no call,,,
resp,stblock,B sends the other half,client,,B gets nothing,,,
resp,stblock,B sends the other half,wait,,waits in read(A),,,main.go:89
`

const right = `resp,other,A connects,runtime,,"epoll_ctl(netpoll, ADD, listener, IN|OUT|RDHUP|ET)",,,
resp,other,A connects,call,1,accept(listener) = A,,,main.go:51
resp,other,A connects,call,1,accept(listener) = EAGAIN,1,"1,234",main.go:51
resp,other,A connects,call,2,read(A) = EAGAIN,1,n,main.go:9
resp,other,A connects,wait,1,waits in accept(listener),,,main.go:51
resp,other,A connects,wait,2,waits in read(A),,,main.go:9
resp,other,B sends the other half,call,3,read(B) = 14,,,main.go:9
resp,other,B sends the other half,client,,B gets 11 bytes,,,
resp,other,B sends the other half,wait,2,waits in read(A),,,main.go:9
`

func TestShow(t *testing.T) {
	for name, c := range map[string]struct {
		table   string
		lines   bool
		columns string
		want    string
	}{
		"one, with lines": {left, true, "", `  stblock, resp

A connects
  accept(listener) = A                                           main.go:45
  + getsockopt(listener, SO_PROTOCOL)                            listen.go:42
  waits in read(A)                                               main.go:89

B sends the other half
  no call
  → B gets nothing
  waits in read(A)                                               main.go:89

`},
		"two, in 79 columns": {left + right, false, "40", `  stblock, resp                           other, resp

A connects
                                        >   ~ epoll_ctl(netpoll, ADD, listener,
                                        >     IN|OUT|RDHUP|ET)
  accept(listener) = A                    1 accept(listener) = A
  + getsockopt(listener, SO_PROTOCOL)   | 1 accept(listener) = EAGAIN │ × 1,234
                                        > 2 read(A) = EAGAIN          │ × n
                                        > 1 waits in accept(listener)
  waits in read(A)                        2 waits in read(A)

B sends the other half
  no call                               | 3 read(B) = 14
  → B gets nothing                      |   → B gets 11 bytes
  waits in read(A)                        2 waits in read(A)

`},
		"two, in 120 columns": {strings.Split(left, "\n")[0] + "\n" + strings.Split(right, "\n")[0], true, "120",
			`  stblock, resp                                               other, resp

A connects
  accept(listener) = A                       main.go:45     | ~ epoll_ctl(netpoll, ADD, listener, IN|OUT|RDHUP|ET)

`},
	} {
		t.Setenv("COLUMNS", c.columns)
		file := filepath.Join(t.TempDir(), "trace.csv")
		if err := os.WriteFile(file, []byte(recording.Header+"\n"+c.table), 0o666); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		show(&got, file, c.lines)
		if d := cmp.Diff(c.want+legend, got.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

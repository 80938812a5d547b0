package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCosts(t *testing.T) {
	raw := rawHeader + `1,stblock,resp,1,1,SET,9,1000.4,0,0,0,0,0.031,0,14.07,5,6
2,stblock,resp,1,1,SET,9,3000.4,0,0,0,0,0.051,0,14.09,5,6
1,stblock,resp,1,1,GET,9,1,0,0,0,0,1,0,1,5,6
1,epollsrv,resp,1,1,SET,9,20000,0,0,0,0,0.05,0,12,5,6
1,epollsrv,resp,50,1,SET,9,1234567,0,0,0,0,1.999,0,7.25,5,6
1,epollsrv,resp,50,16,SET,9,1,0,0,0,0,1,0,1,5,6
1,epollsrv,kv,500,1,PUT,9,1,0,0,0,0,1,0,1,5,6
`
	tradeoffs := tradeoffsHeader + `memory,stblock,served 100,1,clients,1
memory,stblock,each 100,8.0,KiB,1
memory,epollsrv,served 10,10,clients,1
memory,epollsrv,each 10,9.9,KiB,1
memory,epollsrv,served 100,100,clients,1
memory,epollsrv,each 100,0.44,KiB,1
hold,epollsrv,each 1000,7,KiB,1
memory,busywait,each 10,1,KiB,1
`
	want := `figure,flavor,value
1 client: SETs a second,stblock,"2,000"
1 client: SETs a second,epollsrv,"20,000"
1 client: p99,stblock,0.04 ms
1 client: p99,epollsrv,0.05 ms
1 client: processor time a SET,stblock,14.08 µs
1 client: processor time a SET,epollsrv,12.00 µs
50 clients: SETs a second,stblock,the others wait
50 clients: SETs a second,epollsrv,"1,234,567"
50 clients: p99,stblock,the others wait
50 clients: p99,epollsrv,2.00 ms
50 clients: processor time a SET,stblock,the others wait
50 clients: processor time a SET,epollsrv,7.25 µs
100 idle clients: memory each,stblock,the others wait
100 idle clients: memory each,epollsrv,0.4 KiB
`
	var out strings.Builder
	if err := run([]string{"costs", folder(t, map[string]string{"raw.csv": raw, "tradeoffs.csv": tradeoffs})}, &out); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, args := range [][]string{
		{"costs"},
		{"costs", t.TempDir()},
		{"costs", folder(t, map[string]string{"raw.csv": raw})},
		{"costs", folder(t, map[string]string{"raw.csv": raw, "tradeoffs.csv": tradeoffsHeader + "hold,epollsrv,each 1000,7,KiB,1\n"})},
		{"costs", folder(t, map[string]string{"raw.csv": rawHeader + "1,epollsrv,kv,1,1,PUT,9,1,0,0,0,0,1,0,1,5,6\n", "tradeoffs.csv": tradeoffs})},
	} {
		if err := run(args, &out); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

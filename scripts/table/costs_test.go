package main

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCosts has a flavor that serves one client, two that serve all, and others that were
// not measured.
func TestCosts(t *testing.T) {
	raw := rawHeader + `1,stblock,resp,1,1,SET,9,1000.4,0,0,0,0,0.031,0,14.07,5,6
2,stblock,resp,1,1,SET,9,3000.4,0,0,0,0,0.051,0,14.09,5,6
1,stblock,resp,1,1,GET,9,1,0,0,0,0,1,0,1,5,6
1,busywait,resp,50,1,SET,9,654321,0,0,0,0,0.999,0,8.25,5,6
1,epollsrv,resp,1,1,SET,9,20000,0,0,0,0,0.05,0,12,5,6
1,epollsrv,resp,50,1,SET,9,1234567,0,0,0,0,1.999,0,7.25,5,6
1,epollsrv,resp,50,16,SET,9,1,0,0,0,0,1,0,1,5,6
1,epollsrv,kv,500,1,PUT,9,1,0,0,0,0,1,0,1,5,6
`
	tradeoffs := tradeoffsHeader + `silent,stblock,p99,never,ms,1
silent,epollsrv,p99,0.094,ms,1
idle,busywait,CPU alone,101.6,%,1
idle,epollsrv,CPU alone,0.1,%,1
hold,busywait,rps,6000,requests/s,1
hold,busywait,rps,7000,requests/s,2
hold,epollsrv,rps,170000.4,requests/s,1
memory,stblock,served 100,1,clients,1
memory,stblock,each 100,8.0,KiB,1
memory,stblock,threads 100,6,threads,1
memory,epollsrv,served 10,10,clients,1
memory,epollsrv,each 10,9.9,KiB,1
memory,epollsrv,served 100,100,clients,1
memory,epollsrv,each 100,0.44,KiB,1
memory,epollsrv,threads 100,7,threads,1
calls,stblock,clients,1,clients,1
calls,stblock,total,2.02,calls,1
calls,stblock,switches,1.02,switches,1
calls,busywait,clients,50,clients,1
calls,busywait,total,2.59,calls,1
calls,epollsrv,clients,50,clients,1
calls,epollsrv,total,-,calls,1
calls,epollsrv,switches,0.05,switches,1
`
	want := map[string]string{
		"busywait,epollsrv": `processor time without clients: 102 %, 0 %
requests a second of 50 busy clients among 100: 6,500, 170,000
system calls for a SET: 2.59, not measured
SETs a second, 1 client: the others wait, 20,000
processor time of a SET, 1 client: the others wait, 12.0 µs
SETs a second, 50 clients: 654,321, 1,234,567
p99 of a SET, 50 clients: 0.999 ms, 2.00 ms
processor time of a SET, 50 clients: 8.25 µs, 7.25 µs
`,
		"stblock,epollsrv": `p99 of ten clients beside a silent one: never, 0.094 ms
processor time without clients: not measured, 0 %
requests a second of 50 busy clients among 100: not measured, 170,000
memory of an idle client, one of 100: the others wait, 0.4 KiB
threads with 100 clients: the others wait, 7
context switches for a SET: 1.02 with 1 client, 0.05
system calls for a SET: 2.02 with 1 client, not measured
SETs a second, 1 client: 2,000, 20,000
processor time of a SET, 1 client: 14.1 µs, 12.0 µs
SETs a second, 50 clients: the others wait, 1,234,567
p99 of a SET, 50 clients: the others wait, 2.00 ms
processor time of a SET, 50 clients: the others wait, 7.25 µs
`,
		"epollsrv,kqueuesrv": `SETs a second, 1 client: 20,000, not measured
processor time of a SET, 1 client: 12.0 µs, not measured
SETs a second, 50 clients: 1,234,567, not measured
p99 of a SET, 50 clients: 2.00 ms, not measured
processor time of a SET, 50 clients: 7.25 µs, not measured
`,
	}
	out := prints(t, "costs", folder(t, map[string]string{"raw.csv": raw, "tradeoffs.csv": tradeoffs}))
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range records[1:] {
		got[r[0]+","+r[1]] += strings.ReplaceAll(r[2]+": "+r[3]+", "+r[4]+"\n", "\u00a0", " ")
	}
	if len(got) != 15 || strings.Join(records[0], ",") != "left,right,figure,left value,right value" {
		t.Errorf("%d pairs, want 15; the header is %q", len(got), records[0])
	}
	for pair, text := range want {
		if d := cmp.Diff(text, got[pair]); d != "" {
			t.Errorf("%s (-want +got):\n%s", pair, d)
		}
	}
}

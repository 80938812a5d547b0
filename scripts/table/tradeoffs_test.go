package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const claimsCSV = `claim,flavor,metric,value,unit,round
alone,stblock,p50,never,ms,1
alone,stblock,p99,never,ms,1
alone,mtblock,p50,0.055,ms,1
alone,mtblock,p99,0.254,ms,1
alone,mtblock,p50,0.155,ms,2
alone,mtblock,p99,37.54,ms,2
alone,mtblock,p50,0.065,ms,3
alone,mtblock,p99,never,ms,3
slow,mtblock,growth,502.6,MB,1
slow,mtblock,growth,9.8,MB,2
slow,mtblock,growth,1502.6,MB,3
churn,mtblock,connections,7238.4,connections/s,1
lost,stblock,lost,0,increments,1
lost,mtblock-unlocked,replies,27521,increments,1
lost,mtblock-unlocked,lost,1017,increments,1
lost,mtblock-unlocked,end,fatal error: concurrent map writes,text,1
`

// The median of rounds, one of which has no number, is none.
func TestTradeoffs(t *testing.T) {
	got := prints(t, "tradeoffs", "-span", "0.5", "-churn", "1000", "-skipped", "kqueuesrv: no kqueue", file(t, claimsCSV))
	want := `Ten clients    alone              beside a silent    beside a heavy     beside one that reads nothing  connections  increments
                  p50 ms   p99 ms    p50 ms   p99 ms    p50 ms   p99 ms    p50 ms   p99 ms grows MB   per second        lost
stblock           never    never                                                                                             0
mtblock            0.07    never                                                                  503        7,238
without its lock, mtblock lost 1,017 of 27,521 increments; then: fatal error: concurrent map writes

Latencies and rates are the median of 3 rounds of 0.5 s; never: a client got nothing for 2 s.
alone       ten clients, each asks 100 times a second; a request that is late counts from when it was due
slow        meanwhile, another client has asked for 500 MB, 1 MB at a time, and reads nothing
churn       50 clients, a new connection for each request, 1,000 in all
lost        50 clients increment one key 50,000 times; stblock: 1,000, each on a connection of its own
clients     scripts/kv, in resp; they share the processors with the server
skipped     kqueuesrv: no kqueue
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestTradeoffsCosts has figures of one server that serves one client, and of one that
// does not serve as many as there are.
func TestTradeoffsCosts(t *testing.T) {
	got := prints(t, "tradeoffs", "-many", "2000", "-few", "100", "-busy", "50", file(t, `claim,flavor,metric,value,unit,round
idle,mtblock,CPU alone,0.04,%,1
idle,mtblock,CPU,97.56,%,1
memory,stblock,served 100,1,clients,1
memory,stblock,each 100,3.0,KiB,1
memory,stblock,threads 100,7,threads,1
memory,mtblock,served 2000,1900,clients,1
memory,mtblock,RSS 2000,55.12,MB,1
memory,mtblock,RSS 100,15.12,MB,1
memory,mtblock,each 2000,25.44,KiB,1
memory,mtblock,threads 2000,1909,threads,1
hold,stblock,rps alone,never,requests/s,1
hold,stblock,rps,never,requests/s,1
hold,stblock,clients,2000,clients,1
hold,mtblock,rps alone,50000,requests/s,1
hold,mtblock,p99 alone,2.234,ms,1
hold,mtblock,rps,40000,requests/s,1
hold,mtblock,p99,24.71,ms,1
hold,mtblock,clients,1900,clients,1
cores,stblock,clients,1,clients,1
cores,stblock,cores,0.504,cores,1
cores,mtblock,clients,50,clients,1
cores,mtblock,cores,1.341,cores,1
calls,stblock,clients,1,clients,1
calls,mtblock,clients,50,clients,1
calls,stblock,total,2.00,calls,1
calls,mtblock,total,-,calls,1
calls,mtblock,switches,1.37,switches,1
calls,stblock,read,1.00,calls,1
calls,stblock,futex,0.03,calls at most,1
calls,stblock,others,0.02,calls,1
calls,stblock,nanosleep,0.01,calls,1
clients,mtblock,1,36221.4,requests/s,1
clients,stblock,1,47753,requests/s,1
clients,stblock,2,never,requests/s,1
`))
	got, _, _ = strings.Cut(got, "\nLatencies and rates")
	want := `                idle CPU %        100 idle         2,000 idle          50 busy alone          50 busy of 2,000     full load      a request
               alone     100   KiB each threads   KiB each threads  requests/s  p99 ms  requests/s  p99 ms   ratio   cores      calls  switches
stblock                               -       7                          never               never           never    0.50*      2.00*
mtblock          0.0    97.6                          25.4   1,909      50,000    2.23      40,000    24.7    0.80    1.34          -     1.37
mtblock: 50 busy of 1,900, as it serves no more
* with 1 client, as it serves no more

System calls in a request
stblock       read 1.00, futex < 0.03, nanosleep 0.01, others 0.02

              requests/s with so many clients                                           MB with so many idle clients
                   1       2       5      10      20      50     100     500   1,000         10      100    2,000
stblock       47,753   never
mtblock       36,221                                                                                15.1     55.1
mtblock has served 1,900 of 2,000: the others wait in the backlog
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTradeoffsValues(t *testing.T) {
	got := prints(t, "tradeoffs", file(t, `claim,flavor,metric,value,unit,round
values,redis-server,clients,20,clients,1
values,redis-server,SET rps 3,100000.4,requests/s,1
values,redis-server,SET CPU 3,6.196,us,1
values,redis-server,GET rps 3,200000.4,requests/s,1
values,redis-server,GET CPU 3,5.196,us,1
values,redis-server,SET rps 1000000,400.4,requests/s,1
values,redis-server,SET CPU 1000000,2196.2,us,1
values,redis-server,GET rps 1000000,1400.4,requests/s,1
values,redis-server,GET CPU 1000000,621.62,us,1
`))
	got, _, _ = strings.Cut(got, "\nLatencies and rates")
	want := `Values of so many bytes
             requests/s            CPU µs of a request
SET                  3 1,000,000           3 1,000,000
redis-server   100,000       400        6.20      2196
GET                  3 1,000,000           3 1,000,000
redis-server   200,000     1,400        5.20       622
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

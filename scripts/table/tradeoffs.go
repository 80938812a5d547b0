package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// A claimTable is what is printed of a claim.
type claimTable struct {
	claim, text string
	columns     []column
}

// tradeoffs prints, of a folder with tradeoffs.csv and machine.txt, a table for each claim
// that was measured.
func tradeoffs(args []string, out io.Writer) error {
	f := flag.NewFlagSet("tradeoffs", flag.ContinueOnError)
	many := f.Int("many", 10000, "how many are many clients")
	few := f.Int("few", 1000, "how many are few")
	busy := f.Int("busy", 50, "how many are busy")
	churn := f.Int("churn", 5000, "connections of churn")
	span := f.String("span", "0.7", "seconds for a latency or a rate")
	patience := f.String("patience", "2", "seconds until a figure is never")
	heavy := f.String("heavy", "64", "MiB of the heavy value")
	slow := f.String("slow", "500", "MB that the slow client asks for")
	skipped := f.String("skipped", "", "which flavor is missing, and why")
	if err := f.Parse(args); err != nil {
		return err
	}
	r, err := readResults(filepath.Join(f.Arg(0), "tradeoffs.csv"))
	if err != nil {
		return err
	}
	const ten = "latency in ms of ten clients that ask 100 times a second each, alone and beside one that "
	fewText, manyText := thousands(float64(*few)), thousands(float64(*many))
	var b strings.Builder
	for _, t := range []claimTable{
		{"silent", ten + "has sent half a request", latency("silent")},
		{"heavy", ten + "gets a value of " + *heavy + " MiB, again and again, and reads at full speed", latency("heavy")},
		{"slow", ten + "has asked for " + *slow + " MB, 1 MB at a time, and reads nothing; and how far the server grows",
			append(latency("slow"), column{"growth MB", "slow", "growth", fixed(0)})},
		{"idle", "processor time that the server uses, in percent of a processor", []column{
			{"no client", "idle", "CPU alone", fixed(1)}, {fewText + " idle", "idle", "CPU", fixed(1)}}},
		{"memory", "MB that the server has resident with idle clients", r.byNumber("memory", "RSS ", fixed(1))},
		{"memory", "KiB that each idle client has added, once it was served", r.byNumber("memory", "each ", fixed(1))},
		{"memory", "threads of the server with idle clients", r.byNumber("memory", "threads ", thousands)},
		{"hold", fmt.Sprintf("%d clients without a pause, alone and with idle ones, %s together", *busy, manyText), []column{
			{"req/s alone", "hold", "rps alone", thousands}, {"p99 ms", "hold", "p99 alone", digits},
			{"req/s", "hold", "rps", thousands}, {"p99 ms", "hold", "p99", digits}, {"ratio", "hold", "ratio", fixed(2)}}},
		{"churn", fmt.Sprintf("%d clients, a new connection for each request, %s in all", *busy, thousands(float64(*churn))),
			[]column{{"connections/s", "churn", "connections", thousands}}},
		{"cores", fmt.Sprintf("processors that the server uses while %d clients get 100,000 bytes in each request", *busy),
			[]column{{"processors", "cores", "cores", fixed(2)}, {"req/s", "cores", "rps", thousands}}},
		{"calls", fmt.Sprintf("system calls and context switches for a SET, with %d clients; futex is not in the sum, since strace causes some", *busy),
			[]column{{"calls", "calls", "total", fixed(2)}, {"switches", "calls", "switches", fixed(2)}}},
		{"lost", fmt.Sprintf("increments of one key by %d clients, 50,000 in all; stblock: %s, each on a new connection", *busy, thousands(float64(*churn))),
			[]column{{"lost", "lost", "lost", thousands}, {"of", "lost", "replies", thousands}}},
		{"clients", "requests/s by number of clients", r.byNumber("clients", "", short)},
		{"values", "SET: requests/s by bytes of the value, with 20 clients", r.byNumber("values", "SET rps ", thousands)},
		{"values", "GET: requests/s", r.byNumber("values", "GET rps ", thousands)},
		{"values", "SET: the server's processor time for a request, in microseconds", r.byNumber("values", "SET CPU ", digits)},
		{"values", "GET: the server's processor time for a request", r.byNumber("values", "GET CPU ", digits)},
	} {
		if r.has(t.claim) {
			r.claimTable(&b, t)
		}
	}
	wrap(&b, "figures", fmt.Sprintf("latencies and rates: %s of %s s; never: a client got nothing for %s s", r.fromRounds(), *span, *patience))
	wrap(&b, "clients", "scripts/kv, in resp; they share the processors with the server")
	if err := where(&b, f.Arg(0), *skipped); err != nil {
		return err
	}
	_, err = io.WriteString(out, b.String())
	return err
}

func latency(claim string) []column {
	return []column{{"p50 alone", "alone", "p50", digits}, {"p99 alone", "alone", "p99", digits},
		{"p50", claim, "p50", digits}, {"p99", claim, "p99", digits}}
}

// byNumber returns a column for each metric that is a prefix and a number.
func (r results) byNumber(claim, prefix string, layout func(float64) string) (list []column) {
	for _, p := range r.points(claim, "", prefix) {
		list = append(list, column{thousands(p.x), claim, prefix + decimal(p.x), layout})
	}
	return list
}

// claimTable prints a table, and what is to be said of single servers.
func (r results) claimTable(b *strings.Builder, t claimTable) {
	wrap(b, t.claim, t.text)
	b.WriteString("\n")
	r.grid(b, "  ", "", r.servers, t.columns)
	for _, s := range r.servers {
		if n, ok := r.number(t.claim, s, "clients"); ok && n < r.most(t.claim, "clients") {
			clients := load{clients: thousands(n), pipeline: "1"}.workload()
			wrap(b, s, "with "+clients+", because it serves no more")
		}
		if t.claim == "calls" {
			r.kinds(b, s)
		}
		n, _ := strconv.ParseFloat(strings.TrimPrefix(t.columns[len(t.columns)-1].metric, "RSS "), 64)
		if served, ok := r.number(t.claim, s, "served "+decimal(n)); ok && served < n {
			wrap(b, s, fmt.Sprintf("has served %s of %s: the others wait in the backlog", thousands(served), thousands(n)))
		}
	}
	if lost, ok := r.number(t.claim, unlocked, "lost"); ok {
		wrap(b, "mtblock", fmt.Sprintf("without its lock lost %s of %s, and %s", thousands(lost),
			r.text(t.claim, unlocked, "replies", thousands), r.text(t.claim, unlocked, "end", thousands)))
	}
	b.WriteString("\n")
}

const unlocked = "mtblock-unlocked" // mtblock without its lock

// figure returns a figure of a claim as text. The ratio is computed; and what an idle client
// adds cannot be told of a server that serves one.
func (r results) figure(claim, server, metric string, layout func(float64) string) string {
	if claim == "hold" && metric == "ratio" {
		before, ok := r.number(claim, server, "rps alone")
		if !ok || before == 0 {
			return r.text(claim, server, "rps alone", layout)
		}
		return r.text(claim, server, "rps", func(x float64) string { return layout(x / before) })
	}
	if n, ok := strings.CutPrefix(metric, "each "); ok {
		if served, _ := r.number(claim, server, "served "+n); served == 1 {
			return "-"
		}
	}
	return r.text(claim, server, metric, layout)
}

// kinds prints which system calls a server makes for a request.
func (r results) kinds(b *strings.Builder, server string) {
	var list []string
	for _, line := range r.rows {
		if line["claim"] == "calls" && line["flavor"] == server && strings.HasPrefix(line["unit"], "calls") && line["metric"] != "total" {
			list = append(list, line["metric"]+" "+line["value"])
		}
	}
	if list != nil {
		wrap(b, server, strings.ReplaceAll(strings.Join(list, ", "), "futex ", "futex < "))
	}
}

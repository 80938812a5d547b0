package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A figures has the figures of tradeoffs.csv, by claim, server and metric: of each round
// one, a number or a word.
type figures struct {
	values  map[key][]string
	servers []string
	rows    []row

	many, few, busy, churn      int
	span, patience, heavy, slow string
}

// tradeoffs prints the tables of tradeoffs.sh.
func tradeoffs(args []string, out io.Writer) error {
	f := flag.NewFlagSet("tradeoffs", flag.ContinueOnError)
	t := figures{values: map[key][]string{}}
	f.IntVar(&t.many, "many", 10000, "how many are many clients")
	f.IntVar(&t.few, "few", 1000, "how many are few")
	f.IntVar(&t.busy, "busy", 50, "how many are busy")
	f.StringVar(&t.span, "span", "0.7", "seconds for a latency or a rate")
	f.StringVar(&t.patience, "patience", "2", "seconds until a figure is never")
	f.StringVar(&t.heavy, "heavy", "64", "MiB of the heavy value")
	f.StringVar(&t.slow, "slow", "500", "MB that the slow client asks for")
	f.IntVar(&t.churn, "churn", 5000, "connections of churn")
	skipped := f.String("skipped", "", "which flavor is missing, and why")
	err := f.Parse(args)
	if err != nil {
		return err
	}
	if t.rows, err = readRows(f.Arg(0)); err != nil {
		return err
	}
	t.index()
	var b strings.Builder
	for _, table := range []struct {
		claims string
		print  func(b *strings.Builder)
	}{
		{"alone churn lost", t.ten},
		{"idle memory hold cores calls", t.costs},
		{"calls", t.calls},
		{"clients memory", t.numbers},
		{"values", t.sizes},
	} {
		if slices.ContainsFunc(strings.Fields(table.claims), t.has) {
			table.print(&b)
			b.WriteString("\n")
		}
	}
	t.legend(&b)
	writeSkipped(&b, *skipped)
	_, err = io.WriteString(out, trimLines(b.String()))
	return err
}

// index sorts the figures by what they are of.
func (t *figures) index() {
	for _, r := range t.rows {
		k := key{r["claim"], r["flavor"], r["metric"]}
		t.values[k] = append(t.values[k], r["value"])
	}
	t.servers = inOrder(t.rows)
}

// legend says in a line what each claim is.
func (t figures) legend(b *strings.Builder) {
	few, many, churn := thousands(float64(t.few)), thousands(float64(t.many)), thousands(float64(t.churn))
	rounds := "from one measurement"
	if n := len(distinct(t.rows, func(r row) string { return r["round"] })); n > 1 {
		rounds = fmt.Sprintf("the median of %d rounds", n)
	}
	fmt.Fprintf(b, "Latencies and rates are %s of %s s; never: a client got nothing for %s s.\n", rounds, t.span, t.patience)
	for _, l := range []struct{ claim, text string }{
		{"alone", "ten clients, each asks 100 times a second; a request that is late counts from when it was due"},
		{"silent", "meanwhile, another client has sent half a request, and no more"},
		{"heavy", "meanwhile, another client gets a value of " + t.heavy + " MiB again and again, and reads at full speed"},
		{"slow", "meanwhile, another client has asked for " + as(thousands, t.slow) + " MB, 1 MB at a time, and reads nothing"},
		{"churn", fmt.Sprintf("%d clients, a new connection for each request, %s in all", t.busy, churn)},
		{"lost", fmt.Sprintf("%d clients increment one key 50,000 times; stblock: %s, each on a connection of its own", t.busy, churn)},
		{"idle", "processor time that the server uses, without clients and with " + few + " idle ones"},
		{"memory", "what an idle client that has been served once adds to the server's resident memory"},
		{"hold", fmt.Sprintf("%d clients without a pause, alone and with as many idle ones as make it %s", t.busy, many)},
		{"cores", fmt.Sprintf("processor seconds of the server in a second; %d clients get 100,000 bytes each time", t.busy)},
		{"calls", fmt.Sprintf("system calls and context switches for a SET, with %d clients; futex, which strace makes more of, is not added up", t.busy)},
		{"values", "20 clients, stblock with 1; processor time of the server for a request, in microseconds"},
	} {
		if t.has(l.claim) {
			fmt.Fprintf(b, "%-11s %s\n", l.claim, l.text)
		}
	}
	b.WriteString("clients     scripts/kv, in resp; they share the processors with the server\n")
}

// trimLines takes the spaces from the ends of lines.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

func (t figures) has(claim string) bool {
	return slices.ContainsFunc(t.rows, func(r row) bool { return r["claim"] == claim })
}

// get returns the median of a figure's rounds; a word, if there is one; or nothing.
func (t figures) get(claim, server, metric string) string {
	var v []float64
	for _, value := range t.values[key{claim, server, metric}] {
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return value
		}
		v = append(v, x)
	}
	if v == nil {
		return ""
	}
	return decimal(median(v))
}

// as lays out a figure that is a number, and leaves a word.
func as(layout func(float64) string, figure string) string {
	x, err := strconv.ParseFloat(figure, 64)
	if err != nil {
		return figure
	}
	return layout(x)
}

func fixed(decimals int) func(float64) string {
	return func(x float64) string { return strconv.FormatFloat(x, 'f', decimals, 64) }
}

// few3 leaves a number three digits or so.
func few3(x float64) string {
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// ten prints what ten clients feel.
func (t figures) ten(b *strings.Builder) {
	b.WriteString("Ten clients    alone              beside a silent    beside a heavy     beside one that reads nothing  connections  increments\n")
	b.WriteString("                  p50 ms   p99 ms    p50 ms   p99 ms    p50 ms   p99 ms    p50 ms   p99 ms grows MB   per second        lost\n")
	for _, s := range t.servers {
		fmt.Fprintf(b, "%-12s", s)
		for _, claim := range []string{"alone", "silent", "heavy", "slow"} {
			fmt.Fprintf(b, "   %8s %8s", as(few3, t.get(claim, s, "p50")), as(few3, t.get(claim, s, "p99")))
		}
		fmt.Fprintf(b, " %8s %12s %11s\n", as(fixed(0), t.get("slow", s, "growth")),
			as(thousands, t.get("churn", s, "connections")), as(thousands, t.get("lost", s, "lost")))
	}
	const unlocked = "mtblock-unlocked"
	if lost := t.get("lost", unlocked, "lost"); lost != "" {
		fmt.Fprintf(b, "without its lock, mtblock lost %s of %s increments; then: %s\n", as(thousands, lost),
			as(thousands, t.get("lost", unlocked, "replies")), t.get("lost", unlocked, "end"))
	}
}

// costs prints what idle clients cost, and what busy ones do.
func (t figures) costs(b *strings.Builder) {
	few, many := thousands(float64(t.few)), thousands(float64(t.many))
	fmt.Fprintf(b, "%-12s %15s %18s %18s %19s %27s %8s %18s\n", "", "idle CPU %  ", few+" idle     ", many+" idle     ",
		fmt.Sprintf("%d busy alone  ", t.busy), fmt.Sprintf("%d busy of %s    ", t.busy, many), "full load", "a request    ")
	layout := "%-12s %7s %7s %10s %7s %10s %7s %11s %7s %11s %7s %7s %8s %10s %8s\n"
	fmt.Fprintf(b, layout, "", "alone", few, "KiB each", "threads", "KiB each", "threads", "requests/s", "p99 ms",
		"requests/s", "p99 ms", "ratio", "cores ", "calls ", "switches")
	for _, s := range t.servers {
		fmt.Fprintf(b, layout, s, as(fixed(1), t.get("idle", s, "CPU alone")), as(fixed(1), t.get("idle", s, "CPU")),
			t.each(s, t.few), as(thousands, t.get("memory", s, fmt.Sprint("threads ", t.few))),
			t.each(s, t.many), as(thousands, t.get("memory", s, fmt.Sprint("threads ", t.many))),
			as(thousands, t.get("hold", s, "rps alone")), as(few3, t.get("hold", s, "p99 alone")),
			as(thousands, t.get("hold", s, "rps")), as(few3, t.get("hold", s, "p99")), t.ratio(s),
			t.star("cores", s, as(fixed(2), t.get("cores", s, "cores"))),
			t.star("calls", s, as(few3, t.get("calls", s, "total"))),
			t.star("calls", s, as(fixed(2), t.get("calls", s, "switches"))))
	}
	for _, s := range t.servers {
		if n := t.get("hold", s, "clients"); n != "" && n != strconv.Itoa(t.many) {
			fmt.Fprintf(b, "%s: %d busy of %s, as it serves no more\n", s, t.busy, as(thousands, n))
		}
	}
	if strings.Contains(b.String(), "*") {
		b.WriteString("* with 1 client, as it serves no more\n")
	}
}

// each returns the memory of one of n idle clients, if the server serves more than one.
func (t figures) each(server string, n int) string {
	if t.get("memory", server, fmt.Sprint("served ", n)) == "1" {
		return "-"
	}
	return as(fixed(1), t.get("memory", server, fmt.Sprint("each ", n)))
}

// ratio returns how much of its requests/s a server has left beside idle clients.
func (t figures) ratio(server string) string {
	before := t.get("hold", server, "rps alone")
	x, err := strconv.ParseFloat(before, 64)
	if err != nil || x == 0 {
		return before
	}
	return as(func(y float64) string { return fmt.Sprintf("%.2f", y/x) }, t.get("hold", server, "rps"))
}

// star marks a figure that was measured with one client, as the server serves no more.
func (t figures) star(claim, server, figure string) string {
	switch {
	case figure == "":
		return ""
	case t.busy > 1 && t.get(claim, server, "clients") == "1":
		return figure + "*"
	}
	return figure + " "
}

// calls prints which system calls a server makes in a request.
func (t figures) calls(b *strings.Builder) {
	b.WriteString("System calls in a request\n")
	names := distinct(t.rows, func(r row) string {
		if r["claim"] == "calls" && strings.HasPrefix(r["unit"], "calls") {
			return r["metric"]
		}
		return ""
	})
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" || s == "total" || s == "others" })
	for _, s := range t.servers {
		var list []string
		for _, name := range append(names, "others") {
			figure := as(fixed(2), t.get("calls", s, name))
			switch {
			case figure == "":
			case name == "futex":
				list = append(list, "futex < "+figure)
			default:
				list = append(list, name+" "+figure)
			}
		}
		if list != nil {
			fmt.Fprintf(b, "%-12s  %s\n", s, strings.Join(list, ", "))
		}
	}
}

// numbers prints requests/s and memory by number of clients.
func (t figures) numbers(b *strings.Builder) {
	busy := []string{"1", "2", "5", "10", "20", "50", "100", "500", "1000"}
	var idle []string
	for _, n := range []int{10, 100, 1000, t.many} {
		if n <= t.few || n == t.many {
			idle = append(idle, strconv.Itoa(n))
		}
	}
	line := func(name string, busyFigure, idleFigure func(n string) string) {
		fmt.Fprintf(b, "%-12s", name)
		for _, n := range busy {
			fmt.Fprintf(b, " %7s", busyFigure(n))
		}
		b.WriteString("  ")
		for _, n := range idle {
			fmt.Fprintf(b, " %8s", idleFigure(n))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "%-12s %-71s   %s\n", "", " requests/s with so many clients", " MB with so many idle clients")
	name := func(n string) string { return as(thousands, n) }
	line("", func(n string) string {
		if x, _ := strconv.Atoi(n); x > t.many {
			return ""
		}
		return name(n)
	}, name)
	for _, s := range t.servers {
		line(s, func(n string) string { return as(thousands, t.get("clients", s, n)) },
			func(n string) string { return as(fixed(1), t.get("memory", s, "RSS "+n)) })
	}
	for _, s := range t.servers {
		served, err := strconv.Atoi(t.get("memory", s, fmt.Sprint("served ", t.many)))
		if err == nil && served < t.many {
			fmt.Fprintf(b, "%s has served %s of %s: the others wait in the backlog\n", s, thousands(float64(served)), thousands(float64(t.many)))
		}
	}
}

// sizes prints requests/s and processor time by size of the value.
func (t figures) sizes(b *strings.Builder) {
	var sizes []string
	for _, metric := range distinct(t.rows, func(r row) string { return r["metric"] }) {
		if size, ok := strings.CutPrefix(metric, "SET rps "); ok {
			sizes = append(sizes, size)
		}
	}
	b.WriteString("Values of so many bytes\n")
	fmt.Fprintf(b, "%-12s %-*s  %s\n", "", 10*len(sizes), "requests/s", "CPU µs of a request")
	for _, test := range []string{"SET", "GET"} {
		fmt.Fprintf(b, "%-12s", test)
		for range 2 {
			for _, size := range sizes {
				fmt.Fprintf(b, " %9s", as(thousands, size))
			}
			b.WriteString("  ")
		}
		fmt.Fprintf(b, "\n")
		for _, s := range t.servers {
			fmt.Fprintf(b, "%-12s", s)
			for _, size := range sizes {
				fmt.Fprintf(b, " %9s", as(thousands, t.get("values", s, test+" rps "+size)))
			}
			b.WriteString("  ")
			for _, size := range sizes {
				fmt.Fprintf(b, " %9s", as(few3, t.get("values", s, test+" CPU "+size)))
			}
			b.WriteString("\n")
		}
	}
}

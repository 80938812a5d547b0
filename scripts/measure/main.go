//go:build unix

// Measure starts a server, runs a client against it, and prints as CSV what both did.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: measure -server PROGRAM -print FIGURES [options] [--before CLIENT]... [--beside CLIENT] [--run CLIENT]

Starts a server, waits until it is ready, runs clients, ends the server, and prints the
FIGURES (names with commas between them) as a line of CSV. Each CLIENT is a command line,
in which the word PORT stands for the server's port.

  --before CLIENT  runs first, to its end, and is in no figure
  --beside CLIENT  runs from then on: kv burden, which says when it is "in effect"
  --run CLIENT     is what is measured; without it, the server is watched for a while

  -server PROGRAM  the program of a flavor, or redis-server
  -proto P         resp or kv                                   (default resp)
  -print FIGURES   of those below; with -calls none are wanted
  -n N             the requests that --run sends                (default 1)
  -for SECONDS     how long to watch, without --run             (default 0.1)
  -accept STATUS   the client of --run may end with this exit status. If it has then
                   printed no figures, they are "never".
  -stall SECONDS   end a client that makes no progress for so long (default 10)
  -crash           the server may end: the figure end tells how
  -calls           print the calls to the system in a request, a line for each; all but
                   read and write need strace
  -in TEXT         what is measured, for messages

The client's figures are the columns of the CSV that it prints: rps, avg_ms, min_ms,
p50_ms, p95_ms, p99_ms, max_ms; or requests, replies, value, lost. The server's, while
the client runs:

  cpu_us_per_req   processor time, user and system, for each of -n requests
  cores, percent   and in a second: processors, percent of a processor
  rss_mb, threads  the most memory that it had resident, the most threads
  now_mb           what is resident at the end
  growth_mb        how much the most is more than before --beside
  each_kib         what each client that --beside has served adds to the memory
  served           the number of those clients

Exit status: 0 all is well; 1 a server or a client failed; 2 usage.
`

// options are the flags of measure.
type options struct {
	program, proto, in  string
	figures             []string
	requests            int64
	watch, stall        time.Duration
	accept              int
	crash               bool
	calls               bool
	preparations        [][]string
	companion, measured []string
}

func main() {
	runtime.LockOSThread() // on Linux, children die with the thread that has started them
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "measure: %v\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	text, err := report(ctx, o)
	if err == nil {
		_, err = os.Stdout.WriteString(text)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "measure: %v\n", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("measure", flag.ContinueOnError)
	f.SetOutput(new(strings.Builder))
	f.StringVar(&o.program, "server", "", "")
	f.StringVar(&o.proto, "proto", "resp", "")
	f.StringVar(&o.in, "in", "a measurement", "")
	f.Int64Var(&o.requests, "n", 1, "")
	f.IntVar(&o.accept, "accept", 0, "")
	f.BoolVar(&o.crash, "crash", false, "")
	f.BoolVar(&o.calls, "calls", false, "")
	figures := f.String("print", "", "")
	watch := f.Float64("for", 0.1, "")
	stall := f.Float64("stall", 10, "")
	if err := f.Parse(o.takeClients(args)); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	o.watch, o.stall = seconds(*watch), seconds(*stall)
	o.figures = strings.Split(*figures, ",")
	return o, o.check()
}

func seconds(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }

// takeClients takes the command lines of the clients from args, and returns what is
// before them.
func (o *options) takeClients(args []string) (flags []string) {
	kinds := []string{"--before", "--beside", "--run"}
	begin := func(arg string) bool { return slices.Contains(kinds, arg) }
	end := len(args)
	for i := len(args) - 1; i >= 0; i-- {
		if !begin(args[i]) {
			continue
		}
		switch client := args[i+1 : end]; args[i] {
		case "--before":
			o.preparations = slices.Insert(o.preparations, 0, client)
		case "--beside":
			o.companion = client
		case "--run":
			o.measured = client
		}
		end = i
	}
	return args[:end]
}

func (o *options) check() error {
	for _, client := range append([][]string{o.companion, o.measured}, o.preparations...) {
		if client != nil && len(client) == 0 {
			return errors.New("a client has no command line")
		}
	}
	switch {
	case o.program == "":
		return errors.New("-server is missing")
	case o.requests < 1:
		return fmt.Errorf("invalid value %d for -n: want 1 or more", o.requests)
	case o.proto != "resp" && o.proto != "kv":
		return fmt.Errorf("invalid value %q for -proto: want resp or kv", o.proto)
	case o.calls && o.measured == nil:
		return errors.New("-calls wants --run")
	}
	return nil
}

// report measures, and returns what is to be printed.
func report(ctx context.Context, o *options) (string, error) {
	r, err := measure(ctx, o)
	if err != nil {
		return "", err
	}
	if o.calls {
		return reportCalls(ctx, o, r)
	}
	return r.line(o)
}

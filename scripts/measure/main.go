//go:build unix

// Measure starts a server, waits until it is ready, runs clients against it, ends it, and
// prints rows with figures of what they did.
package main

import (
	"context"
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

const usage = `usage: measure -server PROGRAM -row TEXT... [options]
               [--before CLIENT]... [--beside CLIENT] [--run CLIENT]

Prints each TEXT in a line, with figures in place of {NAME}. A CLIENT is a
command line; an argument PORT in it becomes the port of the server.
  --before CLIENT   runs first, to its end, and is not measured
  --beside CLIENT   runs from then on: kv burden, which says "in effect"
  --run CLIENT      is measured; without it, the server is measured alone

The client's figures are the columns of the CSV that it prints, without
"_latency" in their names. Those of the server, while the client runs:
  cpu_us_per_req    processor time, user and system, for each request
  cores, percent    processors in use, and the same in percent
  rss_mb, threads   the most memory that was resident, the most threads
  now_mb            the memory that is resident at the end
  growth_mb         how far the most memory exceeds that before --beside
  served, each_kib  the clients that --beside has had served; what each added
  end               whether, and how, the server has crashed
  switches, calls   context switches and system calls for each request
  call, count       a row with these is printed for each kind of system call

`

// options are the flags of measure.
type options struct {
	program, proto, in  string
	rows                []string
	requests            int64
	watch, stall        time.Duration
	accept              int
	crash               bool
	preparations        [][]string
	companion, measured []string
}

func main() {
	runtime.LockOSThread() // on Linux, children die with the thread that has started them
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	text, err := report(ctx, parse(os.Args[1:]))
	if err == nil {
		_, err = os.Stdout.WriteString(text)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "measure: %v\n", err)
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string) *options {
	o := &options{}
	f := flag.NewFlagSet("measure", flag.ExitOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.program, "server", "", "the `PROGRAM` of a flavor, or redis-server")
	f.StringVar(&o.proto, "proto", "resp", "the server's `PROTOCOL`, resp or kv")
	f.StringVar(&o.in, "in", "a measurement", "what is measured, for messages: `TEXT`")
	f.Func("row", "print this `TEXT`", func(text string) error {
		o.rows = append(o.rows, text)
		return nil
	})
	f.Int64Var(&o.requests, "n", 1, "the `NUMBER` of requests that --run sends")
	f.DurationVar(&o.watch, "for", 100*time.Millisecond, "how `LONG` to measure, without --run")
	f.DurationVar(&o.stall, "stall", 10*time.Second, "how `LONG` a client may make no progress")
	f.IntVar(&o.accept, "accept", 0, "a `STATUS` with which --run may end. If it then printed no figures, they are \"never\"")
	f.BoolVar(&o.crash, "crash", false, "let the server end before the client")
	f.Parse(o.takeClients(args))
	return o
}

// takeClients takes the clients' command lines from args, and returns what comes before.
func (o *options) takeClients(args []string) (flags []string) {
	end := len(args)
	for i, arg := range slices.Backward(args) {
		switch client := args[i+1 : end]; arg {
		case "--before":
			o.preparations = slices.Insert(o.preparations, 0, client)
		case "--beside":
			o.companion = client
		case "--run":
			o.measured = client
		default:
			continue
		}
		end = i
	}
	return args[:end]
}

// report measures, and returns the rows. The system calls take a second measurement.
func report(ctx context.Context, o *options) (string, error) {
	r, err := measure(ctx, o)
	if err == nil && strings.Contains(strings.Join(o.rows, ""), "{call") {
		err = r.countCalls(ctx, o)
	}
	if err != nil {
		return "", err
	}
	return r.fill(o)
}

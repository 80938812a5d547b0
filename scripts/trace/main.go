//go:build linux

// Trace holds a small conversation with a server that runs under strace, and tells
// which system calls the server makes in answer to each event.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

const usage = `usage:
  trace talk [options] >EVENTS             hold the conversation
  trace rows FLAVOR PROTO CALLS EVENTS     cut the calls into events, as CSV
  trace show [-sides] CSV ...              lay out tables, or two of them side by side

trace.sh runs them. CALLS is the output of strace -f -ttt -T -o CALLS. Options of talk:
`

func main() {
	err := run(os.Args[1:])
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "trace:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(args []string) error {
	var t talker
	flags := flag.NewFlagSet("trace", flag.ContinueOnError)
	flags.StringVar(&t.proto, "proto", "resp", "speak `protocol` resp or kv")
	flags.StringVar(&t.addr, "addr", "", "`host:port` of the server")
	flags.IntVar(&t.pid, "pid", 0, "process `id` of the server")
	flags.StringVar(&t.calls, "calls", "", "`file` that strace writes to")
	sides := flags.Bool("sides", false, "show: two tables side by side")
	flags.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		flags.PrintDefaults()
	}
	if len(args) == 0 || flags.Parse(args[1:]) != nil {
		flags.Usage()
		return errUsage
	}
	switch rest := flags.Args(); {
	case args[0] == "talk" && len(rest) == 0 && dialects[t.proto].set != nil:
		return t.talk(os.Stdout)
	case args[0] == "rows" && len(rest) == 4:
		return printRows(os.Stdout, rest[0], rest[1], rest[2], rest[3])
	case args[0] == "show" && len(rest) > 0:
		return show(os.Stdout, rest, *sides)
	}
	flags.Usage()
	return errUsage
}

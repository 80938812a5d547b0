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
  trace talk [options] >CSV       hold the conversation with a server, and print its calls
  trace show [-sides] CSV ...     lay out the calls of servers, or of two side by side

trace.sh runs them. Options:
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
	flags.StringVar(&t.flavor, "flavor", "", "`name` of the server")
	flags.StringVar(&t.proto, "proto", "resp", "speak `protocol` resp or kv")
	flags.StringVar(&t.addr, "addr", "", "`host:port` of the server")
	flags.IntVar(&t.pid, "pid", 0, "process `id` of the server")
	flags.StringVar(&t.calls, "calls", "", "`file` to which strace -f -ttt -T writes")
	sides := flags.Bool("sides", false, "set two servers side by side")
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
	case args[0] == "show" && len(rest) > 0:
		return show(os.Stdout, rest, *sides)
	}
	flags.Usage()
	return errUsage
}

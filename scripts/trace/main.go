//go:build linux

// Trace holds a small conversation with a server that runs under strace, and tells
// which system calls the server makes in answer to each event.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"ioflavors/scripts/trace/recording"
)

const usage = `usage:
  trace talk [-proto resp|kv] PROGRAM   talk to a server, and print its calls as
                                        lines of trace.csv
  trace show [-lines] CSV               lay out the traces of a trace.csv; if there
                                        are two, side by side
`

func main() {
	err := run(os.Args[1:])
	if errors.Is(err, errUsage) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "trace:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(args []string) error {
	flags := flag.NewFlagSet("trace", flag.ContinueOnError)
	flags.Usage = func() {}
	proto := flags.String("proto", "resp", "")
	lines := flags.Bool("lines", false, "")
	if len(args) == 0 || flags.Parse(args[1:]) != nil || flags.NArg() != 1 {
		return errUsage
	}
	file := flags.Arg(0)
	switch {
	case args[0] == "talk" && dialects[*proto].get != nil:
		trace, err := talk(file, *proto)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		return trace.Write(os.Stdout)
	case args[0] == "show":
		in, err := os.Open(file)
		if err != nil {
			return err
		}
		defer in.Close()
		traces, err := recording.Read(in)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		return show(os.Stdout, traces, columns(), *lines)
	}
	return errUsage
}

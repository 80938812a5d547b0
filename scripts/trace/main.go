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
)

const usage = `usage:
  trace talk [-proto resp|kv] PROGRAM    talk to a server, and print its calls as CSV
  trace show [-sides] CSV ...            lay them out; or those of two, side by side
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
	sides := flags.Bool("sides", false, "")
	if len(args) == 0 || flags.Parse(args[1:]) != nil {
		return errUsage
	}
	switch {
	case args[0] == "talk" && flags.NArg() == 1 && dialects[*proto].get != nil:
		if err := talk(os.Stdout, flags.Arg(0), *proto); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(flags.Arg(0)), err)
		}
		return nil
	case args[0] == "show" && flags.NArg() > 0:
		return show(os.Stdout, flags.Args(), *sides)
	}
	return errUsage
}

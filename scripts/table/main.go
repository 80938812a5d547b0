// Table computes what bench.sh, tradeoffs.sh and plot.sh show of the figures that they
// have measured: it reads CSV, and prints medians.
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// commands are what table can do. Each gets the arguments behind its name.
var commands = map[string]func(args []string, out io.Writer) error{
	"bench":     bench,
	"gobench":   gobench,
	"machine":   describeMachine,
	"plot":      plot,
	"readme":    readme,
	"summary":   summary,
	"tradeoffs": tradeoffs,
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	known := strings.Join(slices.Sorted(maps.Keys(commands)), ", ")
	if len(args) == 0 {
		return fmt.Errorf("want a command: %s", known)
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("unknown command %q: want %s", args[0], known)
	}
	return command(args[1:], out)
}

// Table computes what bench.sh, tradeoffs.sh and plot.sh show of the figures that they
// have measured: it reads CSV, and prints medians.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

// run runs the command that is the first argument.
func run(args []string, out io.Writer) error {
	commands := map[string]func(args []string, out io.Writer) error{
		"bench":     bench,
		"costs":     costs,
		"gobench":   gobench,
		"machine":   describeMachine,
		"plot":      plot,
		"readme":    readme,
		"tradeoffs": tradeoffs,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		return fmt.Errorf("want one of bench, costs, gobench, machine, plot, readme, tradeoffs, not %q", args)
	}
	return commands[args[0]](args[1:], out)
}

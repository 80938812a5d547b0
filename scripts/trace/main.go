//go:build linux

// Trace holds a small conversation with a server that runs under strace, and prints which
// system calls the server makes in answer to each event, as lines of trace.csv. With -show,
// it lays such lines out for a reader.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("trace: ")
	proto := flag.String("proto", "resp", "talk to PROGRAM in this protocol, resp or kv")
	file := flag.String("show", "", "lay out this trace.csv; if it has two traces, side by side")
	lines := flag.Bool("lines", false, "show which line makes each call")
	flag.Parse()
	switch {
	case *file != "":
		show(os.Stdout, *file, *lines)
	case flag.NArg() == 1 && dialects[*proto].get != nil:
		log.SetPrefix("trace: " + filepath.Base(flag.Arg(0)) + ": ")
		check(talk(flag.Arg(0), *proto).Write(os.Stdout))
	default:
		log.Fatal("usage: trace [-proto resp|kv] PROGRAM, or trace [-lines] -show CSV")
	}
}

// end is what to do before the program ends.
var end = func() {}

// check ends the program if there is an error.
func check(err error) {
	if err != nil {
		end()
		log.Fatal(err)
	}
}

//go:build unix

// Kv is a client for key-value servers that speak the protocol of package
// kvproto or the Redis protocol. It reads and writes single keys, measures a
// server under load, and keeps a server busy while others measure it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const usage = `usage:
  kv get [options] KEY         print the value of KEY
  kv put [options] KEY VALUE   store VALUE; "-" reads it from standard input
  kv bench [options]           measure a server under load
  kv incr [options]            count the increments that a server loses
  kv burden [options] KIND     hold connections that make a server work
  kv help                      print this text, as -help does

get and put speak the kv protocol, incr and burden the Redis protocol, bench
either of them. Options come before KEY and KIND. All commands have these:

  -h HOST     name or IP address of the server        (default 127.0.0.1)
  -p PORT     its TCP port                            (default 6379)
  -w SECONDS  give up when a connection waits this long and nothing is sent
              or received on it                       (default 30)

Options of bench. Those that redis-benchmark has too are named as there.

  -proto P    kv, or resp for the Redis protocol      (default kv)
  -t TESTS    tests to run, in this order; set is put (default put,get)
  -c N        connections                             (default 50)
  -n N        requests in a test                      (default 100000;
              with -T no limit)
  -T SECONDS  end each test after this time
  -R N        send N requests per second, not as many as possible. A request
              that is late because its connection still waits for a reply is
              timed from when it was due.
  -P N        requests that are sent together in a pipeline  (default 1)
  -d BYTES    size of a value                         (default 3)
  -r N        use N different keys at random          (default: one key)
  -key KEY    the key, without -r                    (default key:000000000000)
  -k 0|1      1: keep connections open; 0: open a new one for each pipeline,
              which -R does not allow                 (default 1)
  -fill 0|1   before a get test, 1: store the keys;
              0: assume that they exist               (default 1)
  -csv        print the format of redis-benchmark --csv

A latency is the time from sending a pipeline until its replies begin to
arrive. Each request in the pipeline gets this latency; connecting is not
included. Latencies are in milliseconds.

Every reply is checked. Wrong replies count in no figure; they are reported on
standard error. Before a get test all keys are stored, and that is not
measured. With more than 1000000 keys or 1 GiB of values none is stored, and
a reply that says that the key is missing is right.

incr sets key:000000000000 to 0, increments it, and prints CSV: requests,
replies, the value at the end, and how many increments are lost. If the server
ends before that, the value is -1, and each reply that repeats an earlier one
counts as a lost increment. Its options -c, -n (default 50000), -P and -k are
those of bench.

burden opens connections of a KIND and keeps them open:

  idle        they have sent PING and got the reply
  silent      they have sent half a request
  slow        they have asked for a value many times, and read no reply
  heavy       they get a value again and again, and read at full speed

When all are set up, or nothing has happened for the time of -w (some servers
serve only so many clients), it prints "in effect", the number of connections,
and how many of them have got a reply. Options of burden:

  -c N        connections                             (default 1)
  -d BYTES    size of the value                       (default 1000000)
  -n N        how often slow asks for it              (default 500)
  -key KEY    its key                                 (default burden)
  -T SECONDS  how long to keep them open              (default 60)

Exit status: 0 all is well; 1 missing key, wrong reply, lost increment, or
network error; 2 wrong usage; 3 the server did not answer for the time of -w.
`

var commands = map[string]func(args []string, s streams) error{
	"get":    getCommand,
	"put":    putCommand,
	"bench":  benchCommand,
	"burden": burdenCommand,
	"incr":   incrCommand,
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// A sink remembers the first error of a writer.
type sink struct {
	io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.Writer.Write(b)
	if s.err == nil {
		s.err = err
	}
	return n, err
}

// run executes the command line args and returns the exit status.
func run(args []string, s streams) int {
	if len(args) == 0 {
		fmt.Fprint(s.err, usage)
		return 2
	}
	out := &sink{Writer: s.out}
	s.out = out
	err := execute(args[0], args[1:], s)
	if err == flag.ErrHelp {
		fmt.Fprint(s.out, usage)
		err = nil
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", cause(out.err))
	}
	if err != nil && err != errReported {
		fmt.Fprintf(s.err, "kv: %v\n", err)
	}
	var own statusError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.status
	}
	return 1
}

func execute(name string, args []string, s streams) error {
	switch name {
	case "help", "-help", "--help":
		return flag.ErrHelp
	case "-h":
		return usageError("-h is the host, and comes after a command" + seeHelp)
	}
	command, ok := commands[name]
	if !ok {
		return usageError("unknown command %q: want get, put, bench, incr or burden%s", name, seeHelp)
	}
	return command(args, s)
}

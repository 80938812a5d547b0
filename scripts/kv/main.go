//go:build unix

// Kv is a client for key-value servers that speak the protocol of package
// kvproto. It reads and writes single keys, and it measures a server under load,
// also one that speaks RESP. It can be a burden to a server, too, while others
// measure that.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const usage = `usage:
  kv get [-h HOST] [-p PORT] KEY          print the value of KEY
  kv put [-h HOST] [-p PORT] KEY VALUE    store VALUE; "-" reads it from standard input
  kv bench [options]                      measure a server under load
  kv incr [options]                       count the increments that a server loses
  kv burden [options] KIND                make it hard for a server to serve others
  kv help                                 print this text, as -help does

Options come before KEY and KIND. Note that -h is the host.

  -h HOST    name or IP address of the server   (default 127.0.0.1)
  -p PORT    its TCP port                       (default 6379)
  -w SECONDS give up when a connection that waits gets nothing for so long (default 30)

Options of bench, named as in redis-benchmark where that has them:

  -proto P   kv, or resp for the Redis protocol (default kv)
  -t TESTS   the tests to run, in this order    (default put,get; with resp set,get)
  -c N       connections                        (default 50)
  -n N       requests in a test                 (default 100000; with -T no limit)
  -T SECONDS end a test after so long. Connections stay open until all are done.
  -R N       send N requests per second, not as many as possible. A request that is
             late, as its client still waits for a reply, counts from when it was due.
  -P N       requests in a pipeline: sent in one write, before the first reply (default 1)
  -d BYTES   size of a value                    (default 3)
  -r N       use random keys, N different ones  (default: one key)
  -key KEY   the key, without -r                (default key:000000000000)
  -k 0|1     1: keep connections open, 0: a new connection for each pipeline (default 1)
  -fill 0|1  1: store the keys before a get test, 0: they are there     (default 1)
  -q         one line for a test: requests per second and p50
  -csv       the format of redis-benchmark --csv; latencies are in milliseconds

A latency is the time from the write of a pipeline until its replies begin to
arrive. It counts for each request in the pipeline and leaves out connecting.

Every reply is checked. Before a get test all keys are stored, unmeasured, if
they are 1000000 at the most and their values 1 GiB together; with more keys a
missing key is a right reply. Wrong replies count in no figure. They are reported
on standard error.

incr and burden speak RESP. incr sets key:000000000000 to 0, increments it, and
prints CSV: requests, replies, the value at the end, and how many increments are
lost. If the server ends before that, the value is -1, and lost are the replies that
repeat an earlier one. Options of incr: -c N, -n N (default 50000), -P N and -k 0|1, as
those of bench.

burden prints a line when it is in effect, with the number of its connections and of
those that have got a reply. Then it stays until its time is over. Of a KIND:

  idle       connections that have had a PING answered, and ask no more
  silent     connections that have sent half a request
  slow       connections that have asked for a value many times, and read nothing
  heavy      connections that get a value again and again, and read at full speed

  -c N       connections                        (default 1)
  -d BYTES   size of the value                  (default 1000000)
  -n N       how often slow asks for it         (default 500)
  -key KEY   its key                            (default burden)
  -T SECONDS time to stay                       (default 60)

Exit status: 0 all is well; 1 missing key, wrong reply, lost increment or network
error; 2 usage; 3 the server was silent for -w seconds.
`

// streams are where a command reads and prints.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // err is a terminal
}

// errReported is an error that the command has printed already.
var errReported = errors.New("reported")

// usageError is a mistake in the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

var commands = map[string]func(args []string, s streams) error{
	"get":    getCommand,
	"put":    putCommand,
	"bench":  benchCommand,
	"burden": burdenCommand,
	"incr":   incrCommand,
}

func main() {
	_, err := unix.IoctlGetWinsize(int(os.Stderr.Fd()), unix.TIOCGWINSZ)
	s := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: err == nil}
	os.Exit(run(os.Args[1:], s))
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
	out := &sink{Writer: s.out}
	s.out = out
	status := execute(args, s)
	if status == 0 && out.err != nil {
		fmt.Fprintf(s.err, "kv: standard output: %v\n", cause(out.err))
		return 1
	}
	return status
}

func execute(args []string, s streams) int {
	if len(args) == 0 {
		fmt.Fprint(s.err, usage)
		return 2
	}
	switch args[0] {
	case "help", "-help", "--help":
		fmt.Fprint(s.out, usage)
		return 0
	}
	command, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(s.err, "kv: unknown command %q: want get, put, bench, incr, burden or help\n", args[0])
		return 2
	}
	err := command(args[1:], s)
	switch err {
	case nil:
		return 0
	case errHelp:
		fmt.Fprint(s.out, usage)
		return 0
	case errReported:
		return 1
	}
	fmt.Fprintf(s.err, "kv: %v\n", err)
	var usage usageError
	var silence silenceError
	switch {
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &silence):
		return 3
	}
	return 1
}

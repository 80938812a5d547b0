//go:build unix

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// streams are where a command reads and prints.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errReported is an error that the command has printed already.
var errReported = errors.New("reported")

// A statusError is an error with its own exit status.
type statusError struct {
	text   string
	status int
}

func (e statusError) Error() string { return e.text }

// usageError is for a mistake in the command line.
func usageError(format string, a ...any) error { return statusError{fmt.Sprintf(format, a...), 2} }

// silenceError is for a server that does not answer in time.
func silenceError(format string, a ...any) error { return statusError{fmt.Sprintf(format, a...), 3} }

// seeHelp ends the errors of those who may look for help.
const seeHelp = `; "kv help" explains all commands and options`

// flags is a flag set whose errors are one line that names the flag and what it
// accepts. The usage string of each flag says what it accepts.
type flags struct {
	*flag.FlagSet
	host     string
	port     int64
	patience time.Duration
	to       endpoint // set by parse
}

// newFlags returns the flags of the command name that all commands have.
func newFlags(name string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), host: "127.0.0.1", port: 6379, patience: 30 * time.Second}
	f.SetOutput(io.Discard)
	f.text("h", &f.host, "want a host name or an IP address")
	f.number("p", &f.port, 65535)
	f.seconds("w", &f.patience)
	return f
}

// define defines a flag that accepts the values for which set returns true.
func (f *flags) define(name, accepts string, set func(s string) bool) {
	f.Func(name, accepts, func(s string) error {
		if !set(s) {
			return errors.New(accepts)
		}
		return nil
	})
}

// number defines a flag that accepts whole numbers from 1 to most.
func (f *flags) number(name string, p *int64, most int64) {
	f.define(name, fmt.Sprintf("want a whole number from 1 to %d", most), func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 64)
		*p = n
		return err == nil && 1 <= n && n <= most
	})
}

// seconds defines a flag that accepts a time in seconds, up to an hour.
func (f *flags) seconds(name string, p *time.Duration) {
	f.define(name, "want seconds from 0.001 to 3600", func(s string) bool {
		x, err := strconv.ParseFloat(s, 64)
		*p = time.Duration(x * float64(time.Second))
		return err == nil && 0.001 <= x && x <= 3600
	})
}

// text defines a flag that accepts any text except the empty one.
func (f *flags) text(name string, p *string, accepts string) {
	f.define(name, accepts, func(s string) bool {
		*p = s
		return s != ""
	})
}

// zeroOne defines a flag that accepts 0 for false and 1 for true.
func (f *flags) zeroOne(name string, p *bool) {
	f.define(name, "want 0 or 1", func(s string) bool {
		*p = s == "1"
		return *p || s == "0"
	})
}

// parse reads the flags from args and finds the server. What is left must be as
// many arguments as there are words in want.
func (f *flags) parse(args []string, want ...string) error {
	if err := f.Parse(args); err != nil {
		return f.explain(err)
	}
	if f.NArg() != len(want) {
		form := strings.Join(append([]string{"kv", f.Name(), "[options]"}, want...), " ")
		return usageError("wrong number of arguments, %d: want %s", f.NArg(), form)
	}
	addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(f.host, strconv.FormatInt(f.port, 10)))
	if err != nil {
		return err
	}
	f.to = endpoint{addr.String(), f.patience}
	return nil
}

// explain completes the errors of package flag that do not say what is accepted.
func (f *flags) explain(err error) error {
	if err == flag.ErrHelp {
		return err
	}
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag needs an argument: -"); ok {
		msg += ": " + f.Lookup(name).Usage
		if name == "h" {
			msg += seeHelp
		}
	}
	if strings.HasPrefix(msg, "flag provided but not defined") {
		msg += ": " + f.Name() + " accepts"
		f.VisitAll(func(known *flag.Flag) { msg += " -" + known.Name })
	}
	return usageError("%s", msg)
}

//go:build unix

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errHelp asks for the usage text.
const errHelp = usageError("help")

// flags is a flag set whose errors are one line that names the flag and what it
// accepts. The usage string of each flag says what it accepts.
type flags struct {
	*flag.FlagSet
	host string
	port int64
}

// newFlags returns the flags of the command name: those that all commands have.
func newFlags(name string) *flags {
	f := &flags{flag.NewFlagSet(name, flag.ContinueOnError), "127.0.0.1", 6379}
	f.SetOutput(io.Discard)
	f.text("h", &f.host, "want a host name or an IP address")
	f.number("p", &f.port, 1, 65535)
	f.seconds("w", &patience)
	return f
}

// number defines a flag that accepts whole numbers from lo to hi.
func (f *flags) number(name string, p *int64, lo, hi int64) {
	f.Func(name, fmt.Sprintf("want a whole number from %d to %d", lo, hi), func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < lo || n > hi {
			return f.wants(name)
		}
		*p = n
		return nil
	})
}

// seconds defines a flag that accepts a time in seconds, up to an hour.
func (f *flags) seconds(name string, p *time.Duration) {
	f.Func(name, "want seconds from 0.001 to 3600", func(s string) error {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || !(x >= 0.001 && x <= 3600) {
			return f.wants(name)
		}
		*p = time.Duration(x * float64(time.Second))
		return nil
	})
}

// text defines a flag that accepts any text but none.
func (f *flags) text(name string, p *string, accepts string) {
	f.Func(name, accepts, func(s string) error {
		if s == "" {
			return f.wants(name)
		}
		*p = s
		return nil
	})
}

// choice defines a flag that accepts the words in names.
func (f *flags) choice(name string, p *string, names ...string) {
	f.Func(name, "want "+strings.Join(names, " or "), func(s string) error {
		if !slices.Contains(names, s) {
			return f.wants(name)
		}
		*p = s
		return nil
	})
}

// on defines a flag without a value.
func (f *flags) on(name string, p *bool) {
	f.BoolFunc(name, "want no value, or true or false", func(s string) error {
		on, err := strconv.ParseBool(s)
		if err != nil {
			return f.wants(name)
		}
		*p = on
		return nil
	})
}

func (f *flags) wants(name string) error { return errors.New(f.Lookup(name).Usage) }

// parse reads the flags from args. What is left must be as many arguments as
// there are words in want.
func (f *flags) parse(args []string, want ...string) error {
	if err := f.Parse(args); err != nil {
		return f.explain(err)
	}
	if f.NArg() == len(want) {
		return nil
	}
	form := strings.Join(append([]string{"kv", f.Name(), "[options]"}, want...), " ")
	return usageError(fmt.Sprintf("wrong number of arguments, %d: want %s", f.NArg(), form))
}

// explain completes the errors of package flag that do not say what is accepted.
func (f *flags) explain(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return errHelp
	}
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag needs an argument: -"); ok {
		msg += ": " + f.Lookup(name).Usage
	}
	if strings.HasPrefix(msg, "flag provided but not defined") {
		msg += ": " + f.Name() + " accepts"
		for _, name := range f.names() {
			msg += " -" + name
		}
	}
	return usageError(msg)
}

// names returns the names of all flags.
func (f *flags) names() (names []string) {
	f.VisitAll(func(known *flag.Flag) { names = append(names, known.Name) })
	return names
}

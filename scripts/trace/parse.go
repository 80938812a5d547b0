//go:build linux

package main

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A call is a system call of a thread. Its times are in microseconds since 1970.
type call struct {
	thread      string
	enter, exit int64 // exit is never for a call that has not returned
	name        string
	args        []string
	result      string // as strace has it; "?" or "" if the call has not returned
}

// plain has names from the manual for calls that have newer forms.
var plain = map[string]string{"accept4": "accept", "epoll_create1": "epoll_create", "epoll_pwait": "epoll_wait"}

const never = math.MaxInt64

var (
	callLine = regexp.MustCompile(`^(\d+) +(\d+)\.(\d{6}) (?:(\w+)\(|<\.\.\. (\w+) resumed>)(.*)$`)
	callEnd  = regexp.MustCompile(`^(.*)\) += (.*?)(?: <(\d+)\.(\d{6})>)?$`)
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	noCall   = regexp.MustCompile(`^\d+ +[0-9.]+ (\+\+\+ |--- |\?\?\?\()`) // an end, a signal, a thread that is killed
)

// parse reads the output of strace -f -ttt -T, in which a call that another thread's
// interrupts is in two halves. It returns the calls in the order in which they return.
// Output that is still being written may end within a line.
func parse(output string) ([]call, error) {
	var calls []call
	open := map[string]call{} // by thread; args[0] is the text so far
	for text := range strings.Lines(output) {
		text, whole := strings.CutSuffix(text, "\n")
		m := callLine.FindStringSubmatch(text)
		if m == nil && whole && !noCall.MatchString(text) {
			return nil, fmt.Errorf("not a line of strace -f -ttt -T: %q", text)
		}
		if m == nil {
			continue
		}
		c := call{thread: m[1], enter: micros(m[2], m[3]), exit: never, name: cmp.Or(plain[m[4]], m[4]), args: []string{""}}
		if m[5] != "" {
			c = open[c.thread]
		}
		if len(c.args) == 0 {
			continue // it began before the first line
		}
		delete(open, c.thread)
		text = quoted.ReplaceAllString(m[6], `""`)
		end := callEnd.FindStringSubmatch(text)
		if end == nil {
			c.args = []string{strings.TrimSuffix(text, "<unfinished ...>")}
			open[c.thread] = c
			continue
		}
		if end[3] != "" {
			c.exit = c.enter + micros(end[3], end[4])
		}
		c.args, c.result = split(c.args[0]+end[1]), end[2]
		calls = append(calls, c)
	}
	for _, c := range open {
		c.args = split(c.args[0])
		calls = append(calls, c)
	}
	slices.SortStableFunc(calls, func(a, b call) int {
		return cmp.Or(cmp.Compare(a.exit, b.exit), cmp.Compare(a.enter, b.enter))
	})
	return calls, nil
}

func micros(seconds, fraction string) int64 {
	n, _ := strconv.ParseInt(seconds+fraction, 10, 64) // the pattern has only digits
	return n
}

// split cuts arguments at the commas that are in no brackets.
func split(args string) (list []string) {
	depth, from := 0, 0
	for i, b := range args + "," {
		switch {
		case strings.ContainsRune("([{", b):
			depth++
		case strings.ContainsRune(")]}", b):
			depth--
		case b == ',' && depth == 0:
			list = append(list, strings.TrimSpace(args[from:i]))
			from = i + 1
		}
	}
	return list
}

func (c call) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

// ended tells whether a call has returned; one that is restarted after a signal has not.
func (c call) ended() bool { return c.exit != never && !strings.HasPrefix(c.result, "?") }

func (c call) failed() bool { return strings.HasPrefix(c.result, "-1 ") }

// again tells whether a call found nothing to do.
func (c call) again() bool { return strings.HasPrefix(c.result, "-1 EAGAIN ") }

//go:build linux

package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// A call is a system call of a thread. What began and ended it are places in strace's
// output, in bytes: strace prints before it lets the thread go on.
type call struct {
	thread      string
	enter, exit int // exit is never for a call that has not returned
	name        string
	args        []string
	result      string // as strace has it; "" or "?" if the call has not returned
}

const never = math.MaxInt

// plain has names from the manual for calls that have newer forms.
var plain = map[string]string{"accept4": "accept", "epoll_create1": "epoll_create", "epoll_pwait": "epoll_wait"}

var (
	callLine = regexp.MustCompile(`^(\d+) +(?:(\w+)\(|<\.\.\. \w+ resumed>)(.*)$`)
	callEnd  = regexp.MustCompile(`^(.*)\) += (.*)$`)
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	noCall   = regexp.MustCompile(`^\d+ +(\+\+\+ |--- |\?\?\?\()`) // an end, a signal, a thread that is killed
)

// parse reads the output of strace -f, in which a call that another thread's interrupts is
// in two halves. It returns the calls in the order in which they return. Output that is
// still being written may end within a line.
func parse(output string) (calls []call, err error) {
	open := map[string]call{} // by thread; args[0] is the text so far
	end := 0
	for text := range strings.Lines(output) {
		begin := end
		end += len(text)
		text, whole := strings.CutSuffix(text, "\n")
		m := callLine.FindStringSubmatch(text)
		if m == nil && whole && !noCall.MatchString(text) {
			return nil, fmt.Errorf("not a line of strace -f: %q", text)
		}
		if m == nil {
			continue
		}
		c, begun := open[m[1]]
		if m[2] != "" {
			c, begun = call{m[1], begin, never, cmp.Or(plain[m[2]], m[2]), []string{""}, ""}, true
		}
		if !begun {
			continue // it began before the output
		}
		delete(open, c.thread)
		text = quoted.ReplaceAllString(m[3], `""`)
		last := callEnd.FindStringSubmatch(text)
		if last == nil || !whole {
			c.args = []string{strings.TrimSuffix(text, "<unfinished ...>")}
			open[c.thread] = c
			continue
		}
		c.args, c.result, c.exit = split(c.args[0]+last[1]), last[2], end
		calls = append(calls, c)
	}
	for _, thread := range slices.Sorted(maps.Keys(open)) {
		c := open[thread]
		c.args = split(c.args[0])
		calls = append(calls, c)
	}
	return calls, nil
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

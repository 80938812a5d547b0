//go:build linux

package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A call is a system call of a thread. What began and ended it are places in strace's
// output, in bytes: strace prints before it lets the thread go on.
type call struct {
	thread      string
	enter, exit int // exit is never for a call that has not returned
	name        string
	args        []string
	result      string   // as strace has it; "" or "?" if the call has not returned
	stack       []frame  // of a call that has returned; innermost first
	lines       []string // of the stack, in the flavor's source: see source
}

// A frame is a function of package main, and where in it a call returns to.
type frame struct {
	function string // main.(*conn).flush
	offset   uint64
}

const never = math.MaxInt

// plain has names from the manual for calls that have other forms.
var plain = map[string]string{
	"accept4": "accept", "clone3": "clone", "epoll_create1": "epoll_create", "epoll_pwait": "epoll_wait", "fcntl64": "fcntl",
}

var (
	callLine  = regexp.MustCompile(`^(\d+) +(?:(\w+)\(|<\.\.\. \w+ resumed>)(.*)$`)
	callEnd   = regexp.MustCompile(`^(.*)\) += (.*)$`)
	stackLine = regexp.MustCompile(`^ > (?:.*?\((main\..+)\+0x([0-9a-f]+)\) \[)?`)
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	noCall    = regexp.MustCompile(`^\d+ +(\+\+\+ |--- |\?\?\?\()|^\[ Process .* runs in .* mode`) // an end, a signal, a thread that is killed
)

// parse reads the output of strace -f -k, in which a call that another thread's interrupts
// is in two halves. It returns the calls in the order in which they return. Output that is
// still being written may end within a line.
func parse(output string) (calls []call, err error) {
	open := map[string]call{} // by thread; args[0] is the text so far
	end, ended := 0, false    // ended: the line before ended a call
	for text := range strings.Lines(output) {
		begin := end
		end += len(text)
		text, whole := strings.CutSuffix(text, "\n")
		if m := stackLine.FindStringSubmatch(text); m != nil {
			if ended && whole && m[1] != "" {
				offset, _ := strconv.ParseUint(m[2], 16, 64)
				last := &calls[len(calls)-1]
				last.stack = append(last.stack, frame{m[1], offset})
			}
			continue
		}
		ended = false
		m := callLine.FindStringSubmatch(text)
		if m == nil && whole && !noCall.MatchString(text) {
			return nil, fmt.Errorf("not a line of strace -f: %q", text)
		}
		if m == nil {
			continue
		}
		c, begun := open[m[1]]
		if m[2] != "" {
			c, begun = call{thread: m[1], enter: begin, exit: never, name: cmp.Or(plain[m[2]], m[2]), args: []string{""}}, true
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
		ended = true
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

// ended tells whether a call has done its work. One that a signal interrupts has not: it is
// made once more.
func (c call) ended() bool {
	interrupted := strings.HasPrefix(c.result, "? ERESTART") || strings.HasPrefix(c.result, "-1 EINTR ")
	return c.exit != never && !interrupted
}

func (c call) failed() bool { return strings.HasPrefix(c.result, "-1 ") }

// again tells whether a call found nothing to do.
func (c call) again() bool { return strings.HasPrefix(c.result, "-1 EAGAIN ") }

//go:build linux

package main

import (
	"cmp"
	"math"
	"regexp"
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
	stack       []string // of a call that has returned: main.(*conn).flush+0x4c, innermost first
	lines       []string // of the stack: see findLines
}

const never = math.MaxInt

// plain has names from the manual for calls that have other forms.
var plain = map[string]string{
	"accept4": "accept", "clone3": "clone", "epoll_create1": "epoll_create", "epoll_pwait": "epoll_wait", "fcntl64": "fcntl",
}

var (
	callLine  = regexp.MustCompile(`^(\d+) +(?:(\w+)\(|<\.\.\. \w+ resumed>)(.*)$`)
	callEnd   = regexp.MustCompile(`^(.*)\) += (.*)$`)
	stackLine = regexp.MustCompile(`^ > (?:.*?\((main\..+\+0x[0-9a-f]+)\) \[)?`)
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	argument  = regexp.MustCompile(`(?:\[[^\]]*\]|\{(?:[^{}]|\{[^{}]*\})*\}|[^,\[{])+`) // up to a comma that is in no brackets
)

// parse reads the output of strace -f -k, in which a call that another thread's interrupts
// is in two halves, and below a call that has returned is its stack. It returns the calls in
// the order in which they return.
func parse(output string) (calls []call) {
	open := map[string]call{} // by thread; args[0] is the text so far
	end, returned := 0, false
	for text := range strings.Lines(output) {
		begin := end
		end += len(text)
		text, whole := strings.CutSuffix(text, "\n")
		if m := stackLine.FindStringSubmatch(text); m != nil {
			if returned && m[1] != "" {
				last := &calls[len(calls)-1]
				last.stack = append(last.stack, m[1])
			}
			continue
		}
		returned = false
		m := callLine.FindStringSubmatch(text)
		if m == nil {
			continue // it tells of a signal, or of a thread's end
		}
		c := open[m[1]]
		if m[2] != "" {
			c = call{thread: m[1], enter: begin, exit: never, name: cmp.Or(plain[m[2]], m[2]), args: []string{""}}
		}
		if len(c.args) == 0 {
			continue // it began before the output
		}
		c.args[0] += quoted.ReplaceAllString(strings.TrimSuffix(m[3], "<unfinished ...>"), `""`)
		open[c.thread] = c
		if last := callEnd.FindStringSubmatch(c.args[0]); last != nil && whole {
			delete(open, c.thread)
			c.args, c.result, c.exit = argument.FindAllString(last[1], -1), last[2], end
			calls, returned = append(calls, c), true
		}
	}
	for _, c := range open {
		c.args = argument.FindAllString(c.args[0], -1)
		calls = append(calls, c)
	}
	return calls
}

func (c call) arg(i int) string {
	if i < len(c.args) {
		return strings.TrimSpace(c.args[i])
	}
	return ""
}

// done tells whether a call has done its work. One that a signal interrupts has not: it is
// made once more.
func (c call) done() bool {
	return c.exit != never && !strings.HasPrefix(c.result, "? ERESTART") && !strings.HasPrefix(c.result, "-1 EINTR ")
}

func (c call) failed() bool { return strings.HasPrefix(c.result, "-1 ") }

// again tells whether a call found nothing to do.
func (c call) again() bool { return strings.HasPrefix(c.result, "-1 EAGAIN ") }

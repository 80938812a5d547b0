//go:build linux

package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A line is a call as a reader wants to see it.
type line struct {
	call
	kind   string // call or runtime; "" for one that is none of the model's
	on     string // listener, A, B, epoll, netpoll
	text   string // read(A)
	result string // EAGAIN, A, A IN; "" for a plain success
	n, of  int    // bytes moved, of so many; n is -1 for other calls
}

// A namer knows what the file descriptors are, as of the last call.
type namer struct {
	fds      map[string]string
	events   map[string]string // epoll's data: whose it is
	listens  bool
	clients  string // those still to come, in order
	inPoller bool   // clients are in the runtime's own poller
}

// name puts names in place of the numbers. C, who comes first, is no part of the
// conversation.
func name(calls []call) (lines []line, goroutines bool) {
	n := namer{fds: map[string]string{}, events: map[string]string{}, clients: "CAB"}
	for _, c := range calls {
		lines = append(lines, n.line(c))
	}
	for i, l := range lines {
		if l.on == "netpoll" && !n.inPoller {
			lines[i].kind = ""
		}
	}
	return lines, n.inPoller
}

func (n *namer) line(c call) line {
	n.learn(c)
	l := line{call: c, on: n.fds[c.arg(0)], n: -1}
	if c.name == "epoll_create1" && n.listens {
		l.kind, l.on, l.text, l.result = "call", "epoll", "epoll_create()", "epoll"
		return l
	}
	if l.on == "" || l.on == "eventfd" {
		return l
	}
	l.kind = "call"
	l.text = strings.TrimRight(strings.TrimSuffix(c.name, "_pwait"), "14")
	if c.name == "epoll_pwait" {
		l.text = "epoll_wait"
	}
	l.text += "(" + strings.Join(append([]string{l.on}, n.details(c)...), ", ") + ")"
	l.result = n.outcome(c)
	if moved, err := strconv.Atoi(c.result); err == nil && moves[c.name] {
		l.n, l.of = moved, moved
		if c.name == "write" {
			l.of, _ = strconv.Atoi(c.arg(2))
		}
	}
	if l.on == "netpoll" {
		l.kind = "runtime"
	}
	if l.on == "netpoll" && c.ended() && !n.forSocket(l) {
		l.kind = ""
	}
	return l
}

// forSocket tells whether a call on a poller is about a socket that has a name.
func (n *namer) forSocket(l line) bool {
	if l.name == "epoll_ctl" {
		on := n.fds[l.arg(2)]
		return on != "" && on != "eventfd"
	}
	return l.result != ""
}

// moves has the calls whose result is a number of bytes.
var moves = map[string]bool{"read": true, "write": true}

// learn takes note of what a call has opened.
func (n *namer) learn(c call) {
	fd := c.arg(0)
	switch {
	case !c.ended() || strings.HasPrefix(c.result, "-1"):
	case c.name == "listen":
		n.fds[fd], n.listens = "listener", true
	case c.name == "accept4" && n.clients != "":
		n.fds[c.result], n.clients = n.clients[:1], n.clients[1:]
	case c.name == "epoll_create1":
		n.fds[c.result] = "epoll"
	case c.name == "eventfd2":
		n.fds[c.result] = "eventfd"
	case c.name == "epoll_ctl" && n.fds[c.arg(2)] == "eventfd":
		n.fds[fd] = "netpoll" // which is woken through an eventfd
	case c.name == "epoll_ctl":
		for _, e := range pollEvents(c.arg(3)) {
			n.events[n.fds[fd]+e.data] = n.fds[c.arg(2)]
		}
		n.inPoller = n.inPoller || n.fds[fd] == "netpoll" && n.fds[c.arg(2)] != ""
	}
}

// details are the arguments, after the first, that tell something.
func (n *namer) details(c call) []string {
	switch c.name {
	case "listen", "shutdown":
		return []string{c.arg(1)}
	case "setsockopt", "getsockopt":
		return []string{strings.TrimSuffix(c.arg(2), "_OLD")}
	case "fcntl":
		return append([]string{c.arg(1)}, flags(c.arg(2))...)
	case "epoll_ctl":
		list := []string{strings.TrimPrefix(c.arg(1), "EPOLL_CTL_") + " " + n.fds[c.arg(2)]}
		for _, e := range pollEvents(c.arg(3)) {
			list = append(list, e.what)
		}
		return list
	}
	return nil
}

// flags leaves out how the file was opened.
func flags(arg string) []string {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "O_RDWR"), "|")
	if arg == "" {
		return nil
	}
	return []string{arg}
}

// outcome is what a call returned, if that tells something.
func (n *namer) outcome(c call) string {
	if failed, ok := strings.CutPrefix(c.result, "-1 "); ok {
		errno, _, _ := strings.Cut(failed, " ")
		return errno
	}
	switch c.name {
	case "accept4":
		return n.fds[c.result]
	case "epoll_wait", "epoll_pwait":
		var ready []string
		for _, e := range pollEvents(c.arg(1)) {
			if who := n.events[n.fds[c.arg(0)]+e.data]; who != "" {
				ready = append(ready, who+" "+e.what)
			}
		}
		return strings.Join(ready, ", ")
	}
	return ""
}

// A pollEvent is one of epoll's events: IN|OUT and so on, of what has this data.
type pollEvent struct{ what, data string }

var pollEventPattern = regexp.MustCompile(`events=([A-Z|]+|0), data=\{u32=\d+, u64=(\d+)\}`)

func pollEvents(arg string) (events []pollEvent) {
	for _, m := range pollEventPattern.FindAllStringSubmatch(arg, -1) {
		events = append(events, pollEvent{strings.ReplaceAll(m[1], "EPOLL", ""), m[2]})
	}
	return events
}

func (c call) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

// ended tells whether a call has returned; one that is restarted after a signal has not.
func (c call) ended() bool { return c.exit != never && !strings.HasPrefix(c.result, "?") }

// again tells whether a call found nothing to do.
func (c call) again() bool { return strings.HasPrefix(c.result, "-1 EAGAIN ") }

// threads tells which thread of the model makes each call: 1 is the one that accepts, and
// 2 is that of the client C, and so on. A client's thread makes calls for nobody else.
func threads(lines []line) map[string]string {
	serves := map[string]string{} // thread: whom
	for _, l := range lines {
		if l.kind != "call" {
			continue
		}
		if whom, ok := serves[l.thread]; ok && whom != l.on {
			serves[l.thread] = "listener"
		} else {
			serves[l.thread] = l.on
		}
	}
	number := map[string]string{}
	for thread, whom := range serves {
		number[thread] = strconv.Itoa(1 + max(0, slices.Index([]string{"listener", "A", "B"}, whom)))
	}
	return number
}

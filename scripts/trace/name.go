//go:build linux

package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A line is a call as a reader wants to see it.
type line struct {
	call
	kind   string // as in recording.Row; "" for one that the model has nothing to do with
	role   string // the model's thread: 1 accepts, 2 is A's, 3 is B's
	on     string // listener, A, B, epoll or netpoll, which is the runtime's poller
	text   string // read(A)
	result string // EAGAIN, A, A IN; "" for a plain success
	n, of  int    // bytes moved, of so many if it is a write; n is -1 for other calls
	times  int    // how often, if it stands for several: see gather
}

// A namer knows what the file descriptors are, as of the last call.
type namer struct {
	fds        map[string]string
	data       map[string]string // what an epoll instance has to say of whom
	roles      map[string]string // of the system's threads
	clients    string            // those still to come, in order
	goroutines bool              // the runtime's poller has a socket
	threads    bool              // threads end with their clients
}

// name puts names in place of numbers. C, who comes last, is no part of the conversation.
func name(calls []call) (n *namer, lines []line) {
	n = &namer{fds: map[string]string{}, data: map[string]string{}, roles: map[string]string{}, clients: "ABC"}
	n.threads = slices.ContainsFunc(calls, func(c call) bool { return c.name == "exit" })
	for _, c := range calls {
		switch {
		case !c.done() || c.failed():
		case c.name == "socket":
			n.fds[c.result] = "listener"
		case c.name == "epoll_create":
			n.fds[c.result] = map[string]string{"0": "epoll", "EPOLL_CLOEXEC": "netpoll"}[c.arg(0)]
		case c.name == "accept" && n.clients != "":
			n.fds[c.result], n.clients = n.clients[:1], n.clients[1:]
		case c.name == "epoll_ctl" && n.fds[c.arg(2)] != "":
			if m := pollEvent.FindStringSubmatch(c.arg(3)); m != nil {
				n.data[n.fds[c.arg(0)]+m[2]] = n.fds[c.arg(2)]
			}
			n.goroutines = n.goroutines || n.fds[c.arg(0)] == "netpoll"
		}
		lines = append(lines, n.line(c))
	}
	if n.clients != "" {
		check(fmt.Errorf("strace saw nobody accept %s", n.clients[:1]))
	}
	return n, lines
}

// line describes a call on something that has a name.
func (n *namer) line(c call) line {
	l := line{call: c, on: n.fds[c.arg(0)], n: -1, times: 1, result: n.outcome(c)}
	role := cmp.Or(n.roles[c.thread], "1") // Go may move the one that accepts to another thread
	switch {
	case c.name == "socket", c.name == "epoll_create":
		l.on = n.fds[c.result]
	case c.name == "clone" && n.threads:
		l.kind, l.text = "runtime", "clone()"
	case c.name == "exit":
		l.kind, l.text, l.role = "runtime", "exit()", role
	case c.name == "accept", c.name == "read", c.name == "write":
		role = strconv.Itoa(1 + max(0, slices.Index([]string{"listener", "A", "B"}, l.on)))
	}
	if l.on == "" {
		return l
	}
	n.roles[c.thread] = role
	if n.threads {
		l.role = role
	}
	l.text = c.name + "(" + strings.Join(n.args(c), ", ") + ")"
	if moved, err := strconv.Atoi(c.result); err == nil && (c.name == "read" || c.name == "write") {
		l.n = moved
	}
	if c.name == "write" {
		l.of, _ = strconv.Atoi(c.arg(2))
	}
	switch {
	case slices.Contains(c.args, " SO_PROTOCOL"):
		l.kind = "library"
	case l.on != "netpoll":
		l.kind = "call"
	case n.goroutines && (c.name != "epoll_ctl" || n.fds[c.arg(2)] != "") && l.result != "0":
		l.kind = "runtime"
	}
	return l
}

// What arguments after the first tell something, and what in them tells nothing.
var (
	telling = regexp.MustCompile(`^(SHUT_|F_|SO_|TCP_|IPV6_|EPOLL_CTL_|{events=)|O_NONBLOCK`)
	untold  = regexp.MustCompile(`EPOLL_CTL_|EPOLL|^{events=|, data=.*|_OLD$|O_RDWR\||\|O_LARGEFILE`)
)

func (n *namer) args(c call) (args []string) {
	for i := range c.args {
		arg := c.arg(i)
		switch {
		case i == 0 || c.name == "epoll_ctl" && i == 2:
			arg = n.fds[arg]
		case telling.MatchString(arg):
			arg = untold.ReplaceAllString(arg, "")
		default:
			continue
		}
		args = append(args, arg)
	}
	return args
}

// pollEvent is one of epoll's events, such as EPOLLIN|EPOLLOUT, and whose it is.
var pollEvent = regexp.MustCompile(`events=([A-Z|]+|0), data=(\{[^}]*\}|\w+)`)

// outcome is what a call returned, if that tells something.
func (n *namer) outcome(c call) string {
	switch {
	case !c.done():
		return ""
	case c.failed():
		return strings.Fields(c.result)[1]
	case c.name == "socket", c.name == "epoll_create", c.name == "accept":
		return n.fds[c.result]
	case c.name == "epoll_wait":
		var ready []string
		for _, m := range pollEvent.FindAllStringSubmatch(c.arg(1), -1) {
			if on := n.data[n.fds[c.arg(0)]+m[2]]; on != "" {
				ready = append(ready, on+" "+strings.ReplaceAll(m[1], "EPOLL", ""))
			}
		}
		return cmp.Or(strings.Join(ready, ", "), "0")
	}
	return ""
}

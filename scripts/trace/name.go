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
	role   string // the model's thread: see role
	on     string // listener, A, B, epoll or netpoll, which is the runtime's poller
	text   string // read(A)
	result string // EAGAIN, A, A IN; "" for a plain success
	n, of  int    // bytes moved, of so many; n is -1 for other calls
}

// A namer knows what the file descriptors are, as of the last call.
type namer struct {
	fds        map[string]string
	data       map[string]string // what an epoll instance has to say of whom
	roles      map[string]string // of the system's threads
	clients    string            // those still to come, in order
	goroutines bool              // the runtime's poller has a socket
	threads    bool              // threads are born and end with clients
}

// name puts names in place of numbers. C, who comes last, is no part of the conversation.
func name(calls []call) (n *namer, lines []line, err error) {
	n = &namer{fds: map[string]string{}, data: map[string]string{}, roles: map[string]string{}, clients: "ABC"}
	n.threads = slices.ContainsFunc(calls, func(c call) bool { return c.name == "exit" })
	for i, c := range calls {
		n.learn(c, calls[i+1:])
		lines = append(lines, n.line(c))
	}
	if n.clients != "" {
		return nil, nil, fmt.Errorf("strace saw nobody accept %s", n.clients[:1])
	}
	return n, lines, nil
}

// learn takes note of what a call has opened.
func (n *namer) learn(c call, later []call) {
	fd := c.arg(0)
	switch {
	case !c.ended() || c.failed():
	case c.name == "socket", c.name == "epoll_create":
		n.fds[c.result] = what(c.result, later)
	case c.name == "accept" && n.clients != "":
		n.fds[c.result], n.clients = n.clients[:1], n.clients[1:]
	case c.name == "eventfd2":
		n.fds[c.result] = "eventfd"
	case c.name == "epoll_ctl":
		for _, e := range pollEvents(c.arg(3)) {
			if n.socket(c.arg(2)) {
				n.data[n.fds[fd]+e.data] = n.fds[c.arg(2)]
			}
		}
		n.goroutines = n.goroutines || n.fds[fd] == "netpoll" && n.socket(c.arg(2))
	}
}

// what tells what a file descriptor is by what is done with it later. The runtime's poller
// is woken through an eventfd.
func what(fd string, later []call) string {
	eventfd := ""
	for _, c := range later {
		switch {
		case c.name == "eventfd2":
			eventfd = c.result
		case c.arg(0) != fd:
		case c.name == "listen":
			return "listener"
		case c.name == "epoll_ctl" && c.arg(2) == eventfd:
			return "netpoll"
		case c.name == "epoll_ctl":
			return "epoll"
		case c.name == "close":
			return ""
		}
	}
	return ""
}

// line describes a call on something that has a name.
func (n *namer) line(c call) line {
	l := line{call: c, on: n.fds[c.arg(0)], n: -1}
	switch {
	case c.name == "socket", c.name == "epoll_create":
		l.on = n.fds[c.result]
	case n.threads && c.name == "clone":
		l.kind, l.text = "runtime", "clone()"
		return l
	case n.threads && c.name == "exit":
		l.kind, l.text, l.role = "runtime", "exit()", n.roles[c.thread]
		return l
	}
	if l.on == "" || l.on == "eventfd" {
		return l
	}
	l.role = n.role(l)
	l.text = c.name + "(" + strings.Join(n.details(c), ", ") + ")"
	l.result = n.outcome(c)
	if moved, err := strconv.Atoi(c.result); err == nil && moves[c.name] && !c.failed() {
		l.n, l.of = moved, moved
		if c.name == "write" {
			l.of, _ = strconv.Atoi(c.arg(2))
		}
	}
	l.kind = n.kind(l)
	return l
}

// moves has the calls whose result is a number of bytes.
var moves = map[string]bool{"read": true, "write": true}

// kind tells whose a call is. The runtime's poller is of interest if it has sockets.
func (n *namer) kind(l line) string {
	switch {
	case slices.Contains(l.args, "SO_PROTOCOL"):
		return "library"
	case l.on != "netpoll":
		return "call"
	case !n.goroutines, l.name == "epoll_ctl" && !n.socket(l.arg(2)), l.name == "epoll_wait" && l.result == "0":
		return ""
	}
	return "runtime"
}

func (n *namer) socket(fd string) bool { return n.fds[fd] != "" && n.fds[fd] != "eventfd" }

// role tells which of the model's threads makes a call: 1 accepts, 2 is A's, 3 is B's. Go
// may move the one that accepts to another thread of the system.
func (n *namer) role(l line) string {
	role := cmp.Or(n.roles[l.thread], "1")
	if l.name == "accept" || moves[l.name] {
		role = strconv.Itoa(1 + max(0, slices.Index([]string{"listener", "A", "B"}, l.on)))
	}
	n.roles[l.thread] = role
	return role
}

// details are the arguments that tell something.
func (n *namer) details(c call) []string {
	on := n.fds[c.arg(0)]
	switch c.name {
	case "socket", "epoll_create":
		return nil
	case "listen", "shutdown":
		return []string{on, c.arg(1)}
	case "setsockopt", "getsockopt":
		return []string{on, strings.TrimSuffix(c.arg(2), "_OLD")}
	case "fcntl":
		plain := func(flag string) bool { return flag == "" || flag == "O_RDWR" || flag == "O_LARGEFILE" }
		return append([]string{on, c.arg(1)}, slices.DeleteFunc(strings.Split(c.arg(2), "|"), plain)...)
	case "epoll_ctl":
		list := []string{on, strings.TrimPrefix(c.arg(1), "EPOLL_CTL_") + " " + n.fds[c.arg(2)]}
		for _, e := range pollEvents(c.arg(3)) {
			list = append(list, e.what)
		}
		return list
	}
	return []string{on}
}

// outcome is what a call returned, if that tells something.
func (n *namer) outcome(c call) string {
	switch {
	case !c.ended():
		return ""
	case c.failed():
		return strings.Fields(c.result)[1]
	}
	switch c.name {
	case "socket", "epoll_create", "accept":
		return n.fds[c.result]
	case "epoll_wait":
		var ready []string
		for _, e := range pollEvents(c.arg(1)) {
			if on := n.data[n.fds[c.arg(0)]+e.data]; on != "" {
				ready = append(ready, on+" "+e.what)
			}
		}
		return cmp.Or(strings.Join(ready, ", "), "0")
	}
	return ""
}

// A pollEvent is one of epoll's events: IN|OUT and so on, of what has this data.
type pollEvent struct{ what, data string }

var pollEventPattern = regexp.MustCompile(`events=([A-Z|]+|0), data=(\{[^}]*\}|\w+)`)

func pollEvents(arg string) (events []pollEvent) {
	for _, m := range pollEventPattern.FindAllStringSubmatch(arg, -1) {
		events = append(events, pollEvent{strings.ReplaceAll(m[1], "EPOLL", ""), m[2]})
	}
	return events
}

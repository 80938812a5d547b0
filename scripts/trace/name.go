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
	kind   string // call or runtime; "" for one that the model has nothing to do with
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
}

// name puts names in place of numbers. C, who comes first, is no part of the conversation.
func name(calls []call) (lines []line, goroutines bool, err error) {
	n := namer{fds: map[string]string{}, data: map[string]string{}, roles: map[string]string{}, clients: "CAB"}
	for _, c := range calls {
		n.learn(c)
		lines = append(lines, n.line(c))
	}
	for i, l := range lines {
		if l.name == "epoll_create" && n.fds[l.call.result] == "epoll" {
			lines[i].kind, lines[i].text, lines[i].result = "call", "epoll_create()", "epoll"
		}
	}
	if n.clients != "" {
		return nil, false, fmt.Errorf("strace saw nobody accept %s", n.clients[:1])
	}
	return lines, n.goroutines, nil
}

// learn takes note of what a call has opened.
func (n *namer) learn(c call) {
	fd := c.arg(0)
	switch {
	case !c.ended() || c.failed():
	case c.name == "listen":
		n.fds[fd] = "listener"
	case c.name == "accept" && n.clients != "":
		n.fds[c.result], n.clients = n.clients[:1], n.clients[1:]
	case c.name == "epoll_create":
		n.fds[c.result] = "epoll"
	case c.name == "eventfd2":
		n.fds[c.result] = "eventfd"
	case c.name == "epoll_ctl" && n.fds[c.arg(2)] == "eventfd":
		n.fds[fd] = "netpoll" // which is woken through an eventfd
	case c.name == "epoll_ctl":
		for _, e := range pollEvents(c.arg(3)) {
			n.data[n.fds[fd]+e.data] = n.fds[c.arg(2)]
		}
		n.goroutines = n.goroutines || n.fds[fd] == "netpoll" && n.fds[c.arg(2)] != ""
	}
}

// line describes a call on something that has a name.
func (n *namer) line(c call) line {
	l := line{call: c, on: n.fds[c.arg(0)], n: -1}
	if l.on == "" || l.on == "eventfd" {
		return l
	}
	l.role = n.role(l)
	l.text = c.name + "(" + strings.Join(append([]string{l.on}, n.details(c)...), ", ") + ")"
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

// kind tells whose a call is. The runtime's poller is of interest if it has sockets, and
// the runtime's signals interrupt calls.
func (n *namer) kind(l line) string {
	switch {
	case l.on != "netpoll" && l.result != "EINTR":
		return "call"
	case l.on != "netpoll":
		return "runtime"
	case !n.goroutines, l.name == "epoll_ctl" && n.fds[l.arg(2)] == "", l.name == "epoll_wait" && l.result == "0":
		return ""
	}
	return "runtime"
}

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

// details are the arguments, after the first, that tell something.
func (n *namer) details(c call) []string {
	switch c.name {
	case "listen", "shutdown":
		return []string{c.arg(1)}
	case "setsockopt", "getsockopt":
		return []string{strings.TrimSuffix(c.arg(2), "_OLD")}
	case "fcntl":
		opened := func(flag string) bool { return flag == "" || flag == "O_RDWR" }
		return append([]string{c.arg(1)}, slices.DeleteFunc(strings.Split(c.arg(2), "|"), opened)...)
	case "epoll_ctl":
		list := []string{strings.TrimPrefix(c.arg(1), "EPOLL_CTL_") + " " + n.fds[c.arg(2)]}
		for _, e := range pollEvents(c.arg(3)) {
			list = append(list, e.what)
		}
		return list
	}
	return nil
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
	case "accept":
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

//go:build linux

package main

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestClient has a client get what a server sends, and its end, but not while it pauses.
func TestClient(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	talk := talker{a: client{name: "A"}, b: client{name: "B"}}
	talk.a.dial(ln.Addr().String())
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	gains := func() {
		for _, r := range talk.gains(&talk.a) {
			got = append(got, r.Text)
		}
	}
	talk.a.read(unix.MSG_DONTWAIT)
	gains()
	server.Write([]byte(strings.Repeat("x", 1234)))
	server.Close()
	talk.a.paused = true
	talk.a.read(0)
	gains()
	talk.a.paused = false
	talk.a.read(0)
	gains()
	if d := cmp.Diff([]string{"A gets nothing", "A gets nothing", "A gets 1,234 bytes and the end"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

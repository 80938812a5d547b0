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
	var talk talker
	talk.a.name, talk.b.name = "A", "B"
	if err := talk.a.dial(ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := talk.a.drain(); n != 0 || err != nil {
		t.Errorf("before the server sends: %d bytes, %v", n, err)
	}
	if got, want := talk.gains(&talk.a), "A gets nothing\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	server.Write([]byte(strings.Repeat("x", 1234)))
	server.Close()
	raw, err := talk.a.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Read(func(fd uintptr) bool { // waits until something is there
		n, _, _ := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK)
		return n > 0
	})
	talk.a.paused = true
	if n, err := talk.a.drain(); n != 0 || err != nil {
		t.Errorf("while it pauses: %d bytes, %v", n, err)
	}
	talk.a.paused = false
	for !talk.a.ended {
		if _, err := talk.a.drain(); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"A gets 1,234 bytes and the end\n", ""}, []string{talk.gains(&talk.a), talk.gains(&talk.a)}); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDialects(t *testing.T) {
	for proto, want := range map[string][]string{
		"resp": {"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"},
		"kv":   {"\r\x00\x00\x00\n\x01k\x12\x01v\x18\x03@EOF@", "\n\x00\x00\x00\n\x01k\x18\x01@EOF@"},
	} {
		d := dialects[proto]
		if diff := cmp.Diff(want, []string{string(d.set("k", "v")), string(d.get("k", ""))}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", proto, diff)
		}
	}
}

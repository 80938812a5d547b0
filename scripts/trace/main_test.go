//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, args := range []string{"", "talk", "talk -proto http server", "talk a b", "talk -x server", "show", "show -sides", "tell"} {
		if err := run(strings.Fields(args)); err != errUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestTalkFails names the server that it cannot start.
func TestTalkFails(t *testing.T) {
	err := run([]string{"talk", "/no/such/server"})
	if err == nil || !strings.HasPrefix(err.Error(), "server: ") {
		t.Errorf("%v", err)
	}
}

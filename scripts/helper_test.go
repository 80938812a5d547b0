// Package scripts tests the scripts. What tests the servers is in blackbox.
package scripts

import (
	"testing"
	"time"
)

// patience is how long a test waits for anything before it fails. It is not a
// bound on speed: what hangs fails here, with a word on what was awaited.
const patience = 30 * time.Second

// await polls until ok is true.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s after %v", what, patience)
		}
	}
}

// Package scripts tests the scripts. What tests the servers is in blackbox.
package scripts

import (
	"os"
	"path/filepath"
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

// flavors are the servers, in reading order.
var flavors = []struct{ name string }{
	{"stblock"}, {"mtblock"}, {"goroutinesrv"}, {"busywait"}, {"epollsrv"}, {"kqueuesrv"},
}

// maxDiff are the steps of the reading order.
var maxDiff = []struct{ from, to string }{
	{"stblock", "mtblock"},
	{"mtblock", "goroutinesrv"},
	{"stblock", "busywait"},
	{"busywait", "epollsrv"},
	{"epollsrv", "kqueuesrv"},
}

func mainFile(flavor string) string { return filepath.Join("..", flavor, "main.go") }

func sourceOf(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

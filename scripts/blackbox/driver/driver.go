// Package driver starts the servers and talks to them, for tests that look at them
// from the outside: each case meets every flavor that this system can run, in each
// protocol that it is about.
package driver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is how long a test waits for anything before it fails. It is not a
// bound on speed: what hangs fails here, with a word on what was awaited.
const Patience = 30 * time.Second

// MiB is 2^20 bytes.
const MiB = 1 << 20

// Big is a value such that a few of them fill all buffers on the way.
var Big = strings.Repeat("0123456789abcdef", 1<<16)

// Race tells whether the tests, and so the flavors, have the race detector.
var Race bool

// Root is the module's folder, as the packages of tests beside this one see it.
const Root = "../../.."

// A Flavor is one of the servers.
type Flavor struct {
	Name   string
	Serial bool // serves one client after the other
	Spins  bool // burns a core when it has nothing to do
}

// Flavors are in reading order.
var Flavors = []Flavor{
	{Name: "stblock", Serial: true},
	{Name: "mtblock"},
	{Name: "goroutinesrv"},
	{Name: "busywait", Spins: true},
	{Name: "epollsrv"},
	{Name: "kqueuesrv"},
}

// All, Concurrent and Sleeping say which flavors a test is about.
func All(Flavor) bool          { return true }
func Concurrent(f Flavor) bool { return !f.Serial }
func Sleeping(f Flavor) bool   { return !f.Spins }

// emulated has what builds a flavor that this system can't run as it is.
var emulated = map[string]func(dir string, race bool) (binary string, err error){}

// runs tells whether this system can run a flavor.
func (f Flavor) runs() bool { return f.Name != "epollsrv" || runtime.GOOS == "linux" }

// Binary is the flavor's program.
func (f Flavor) Binary() string { return filepath.Join(binDir, f.Name) }

var binDir string // has the servers, once build has been called

// build builds all flavors, the first time that it is called.
var build = sync.OnceValue(func() error {
	var err error
	if binDir, err = os.MkdirTemp("", "ioflavors-"); err != nil {
		return err
	}
	if err := os.Chmod(binDir, 0o755); err != nil { // for servers of another user
		return err
	}
	var names []string
	for _, f := range Flavors {
		if emulated[f.Name] != nil {
			if _, err := emulated[f.Name](binDir, Race); err != nil {
				return err
			}
		} else if f.runs() {
			names = append(names, "./"+f.Name)
		}
	}
	return Build(Root, binDir, names...)
})

// Build builds programs of the module in root, each with its name in dir.
func Build(root, dir string, packages ...string) error {
	args := []string{"build", "-o", dir}
	if Race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %v\n%s", strings.Join(cmd.Args, " "), err, output)
	}
	return nil
}

// Main is the TestMain of each package that has EachFlavor build the servers.
func Main(m *testing.M) {
	code := m.Run()
	if binDir != "" {
		os.RemoveAll(binDir)
	}
	os.Exit(code)
}

// EachFlavor runs a test once a flavor.
func EachFlavor(t *testing.T, which func(Flavor) bool, test func(t *testing.T, f Flavor)) {
	if err := build(); err != nil {
		t.Fatal(err)
	}
	for _, f := range Flavors {
		if !which(f) {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			if !f.runs() {
				t.Skipf("%s does not run on %s", f.Name, runtime.GOOS)
			}
			t.Parallel()
			test(t, f)
		})
	}
}

// EachServer runs a test once a flavor and protocol, each with a server of its own.
func EachServer(t *testing.T, ds []Dialect, test func(t *testing.T, s *Server, d Dialect)) {
	EachFlavor(t, All, func(t *testing.T, f Flavor) {
		for _, d := range ds {
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				test(t, Start(t, f, d.Name), d)
			})
		}
	})
}

// Await polls until ok is true.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s after %v", what, Patience)
		}
	}
}

// Together calls work n times at once and waits for all.
func Together(n int, work func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { work(i) })
	}
	wg.Wait()
}

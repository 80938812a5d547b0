// Package driver starts the servers and talks to them, for tests that look at them
// from the outside: each case meets every flavor that this system can run, in each
// protocol that it is about.
package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// Patience is how long a test waits for anything before it fails. It is not a
	// bound on speed: what hangs fails here, with a word on what was awaited.
	Patience = 60 * time.Second

	MiB  = 1 << 20
	Root = "../../.." // the module's folder, as the packages of tests see it
)

// Big is a value such that a few of them fill all buffers on the way.
var Big = strings.Repeat("0123456789abcdef", 1<<16)

// Race tells whether the tests, and so the flavors, have the race detector.
var Race = func() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}()

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
	errs := make([]error, len(Flavors))
	Together(len(Flavors), func(i int) {
		if Flavors[i].runs() {
			errs[i] = Flavors[i].Build(Flavors[i].Binary(), nil)
		}
	})
	return errors.Join(errs...)
})

// runs tells whether this system can run a flavor.
func (f Flavor) runs() bool { return f.Name != "epollsrv" || runtime.GOOS == "linux" }

var kqueueNames = regexp.MustCompile(`\bunix\.(Kqueue|Kevent|SetKevent|EV|Shutdown)`)

// onEpoll has kqueuesrv use an emulation of kqueue, for Linux.
func onEpoll(source string) string {
	source = strings.Replace(source, "import (", `import ("ioflavors/scripts/blackbox/driver/testdata/kqueue"`+"\n", 1)
	return kqueueNames.ReplaceAllString(source, "kqueue.$1")
}

// Build builds f as binary, with its main.go as change makes it, if there is change. It is
// go run that builds it, because that links only what has changed.
func (f Flavor) Build(binary string, change func(source string) string, env ...string) error {
	args := []string{"run", "-exec=cp"}
	if Race {
		args = append(args, "-race")
	}
	if f.Name == "kqueuesrv" && runtime.GOOS == "linux" {
		args, change = append(args, "-tags=kqueue_on_epoll"), onEpoll
	}
	if change != nil {
		overlay, err := overlay(f.Name+"/main.go", binary, change)
		if err != nil {
			return err
		}
		args = append(args, "-overlay="+overlay)
	}
	cmd := exec.Command("go", append(args, "./"+f.Name, binary)...)
	cmd.Dir = Root
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %v\n%s", cmd, err, output)
	}
	return nil
}

// overlay changes a source file for go's -overlay, with files whose names begin with base.
func overlay(file, base string, change func(string) string) (name string, err error) {
	file, err1 := filepath.Abs(filepath.Join(Root, file))
	source, err2 := os.ReadFile(file)
	err3 := os.WriteFile(base+".go", []byte(change(string(source))), 0o644)
	replace, _ := json.Marshal(map[string]any{"Replace": map[string]string{file: base + ".go"}})
	err4 := os.WriteFile(base+".json", replace, 0o644)
	return base + ".json", errors.Join(err1, err2, err3, err4)
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
	if conn, err := net.Dial("udp", "127.0.0.1:1"); err != nil {
		t.Skipf("the loopback network is down: %v", err)
	} else {
		conn.Close()
	}
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

//go:build unix

// Package scripts tests the scripts. What tests the servers is in blackbox.
package scripts

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for anything before it fails. It is no bound on speed.
const patience = time.Minute

// await polls until ok is true.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s after %v", what, patience)
		}
	}
}

// built is a folder with all programs that the scripts build. They are built once.
var built string

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "scripts-test"); err != nil {
		panic(err)
	}
	flag.Set("test.parallel", "4") // many of these tests wait
	code := m.Run()
	os.RemoveAll(built)
	os.Exit(code)
}

var buildAll = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", built+"/", "./stblock", "./mtblock", "./goroutinesrv", "./busywait",
		"./epollsrv", "./kqueuesrv", "./scripts/kv", "./scripts/measure", "./scripts/table", "./scripts/trace")
	cmd.Dir = ".."
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %s", err, output)
	}
	return nil
})

// A go that puts links to what is built, or to a fake program, where go build would put a
// program. It does not know all of go: what it does not know, the real one does.
const fakeGo = `for arg; do [ "$previous" = -o ] && out=$arg; previous=$arg; done
[ -d "$out" ] || exec '%s' "$@"
while [ "$1" != "$out" ]; do shift; done
shift
for name; do
  program='%s'/${name##*/}
  [ -e "$program" ] || program='%s'/${name##*/}
  ln -s "$program" "$out" || exit 1
done`

// A benchRun is a run of a script. Whatever it makes has base in its name: the folders tmp
// and out, and so the command lines of its processes.
type benchRun struct {
	cmd                 *exec.Cmd
	base, bin, tmp, out string
	stdout, stderr      bytes.Buffer
}

func newScript(t *testing.T, name string, args ...string) *benchRun {
	return prepare(t, name, nil, args...)
}

// prepare prepares a run in a process group of its own, through a symbolic link. It finds
// the programs in fakes, a map of names to shell scripts, before others of the same name.
func prepare(t *testing.T, name string, fakes map[string]string, args ...string) *benchRun {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skipf("the scripts need bash: %v", err)
	}
	if err := buildAll(); err != nil {
		t.Fatal(err)
	}
	realGo, _ := exec.LookPath("go")
	base := filepath.Join(t.TempDir(), "a b")
	r := &benchRun{base: base, bin: filepath.Join(base, "bin"), tmp: filepath.Join(base, "tmp"), out: filepath.Join(base, "out")}
	r.write(t, "bin/go", "#!/bin/sh\n"+fmt.Sprintf(fakeGo, realGo, r.bin, built))
	for name, script := range fakes {
		r.write(t, "bin/"+name, "#!/bin/sh\n"+script)
	}
	if err := os.Mkdir(r.tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(base, name)
	if err := os.Symlink(filepath.Join(here, name), link); err != nil {
		t.Fatal(err)
	}
	if name != "trace.sh" && !slices.Contains(args, "-h") {
		args = append([]string{"-o", r.out}, args...)
	}
	r.cmd = exec.Command(bash, append([]string{link}, args...)...)
	r.cmd.Dir = base
	r.cmd.Env = append(os.Environ(), "TMPDIR="+r.tmp, "PATH="+r.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.cmd.WaitDelay = patience // for a process that is left with our pipes
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return r
}

// first has bash do something before the script.
func (r *benchRun) first(command string) {
	r.cmd.Args = append([]string{r.cmd.Args[0], "-c", command + "\n" + `exec "$0" "$@"`}, r.cmd.Args...)
}

// write writes a file in base, and its folder.
func (r *benchRun) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(r.base, name)
	err := os.MkdirAll(filepath.Dir(name), 0o777)
	if err == nil {
		syscall.ForkLock.RLock() // what another process has open for writing cannot be run
		err = os.WriteFile(name, []byte(text), 0o777)
		syscall.ForkLock.RUnlock()
	}
	if err != nil {
		t.Fatal(err)
	}
}

var here, _ = os.Getwd()

// only leaves in PATH only the fakes and these programs.
func (r *benchRun) only(names string) {
	for name := range strings.FieldsSeq(names) {
		if program, err := exec.LookPath(name); err == nil {
			os.Remove(filepath.Join(r.bin, name))
			os.Symlink(program, filepath.Join(r.bin, name))
		}
	}
	r.cmd.Env = append(r.cmd.Env, "PATH="+r.bin)
}

func (r *benchRun) start(t *testing.T) {
	t.Helper()
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
}

// kill ends what is there of the process group, after a test that failed.
func (r *benchRun) kill() { syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) }

// finish waits for the end and checks the exit status, and that nothing is left.
func (r *benchRun) finish(t *testing.T, code int) {
	t.Helper()
	hangs := time.AfterFunc(5*patience, r.kill)
	r.cmd.Wait()
	hangs.Stop()
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%v, want exit status %d; standard error:\n%s", r.cmd.ProcessState, code, &r.stderr)
	}
	left, err := filepath.Glob(filepath.Join(r.tmp, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := exec.LookPath("ps"); err == nil {
		await(t, "the end of all processes", func() bool { return len(r.processes(t, "")) == 0 })
	}
}

// runs runs the script to its end, and returns what it has printed.
func (r *benchRun) runs(t *testing.T, code int) string {
	t.Helper()
	r.start(t)
	r.finish(t, code)
	return r.stdout.String()
}

// processes returns the ids of the run's processes whose command line has text in it. The
// program measure has the command lines of others in its own.
func (r *benchRun) processes(t *testing.T, text string) (pids []int) {
	t.Helper()
	lines, err := exec.Command("ps", "-A", "-ww", "-o", "pid=", "-o", "args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	for line := range strings.Lines(string(lines)) {
		if !strings.Contains(line, r.base) || !strings.Contains(line, text) || text != "" && strings.Contains(line, "/bin/measure ") {
			continue
		}
		var pid int
		fmt.Sscan(line, &pid)
		pids = append(pids, pid)
	}
	return pids
}

func (r *benchRun) expectError(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(r.stderr.String(), text) {
		t.Errorf("no %q in standard error:\n%s", text, &r.stderr)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

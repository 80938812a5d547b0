//go:build linux

package scripts

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const xsys = "golang.org/x/sys"

// buildKqueueOnEpoll builds kqueuesrv for Linux as dir/kqueuesrv, against a copy
// of golang.org/x/sys that has kqueue and kevent emulated over epoll.
func buildKqueueOnEpoll(dir string, race bool) (binary string, err error) {
	tmp, err := os.MkdirTemp("", "kqueue-on-epoll-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	module, err := moduleWithKqueue(tmp)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "kqueuesrv")
	args := []string{"-tags=kqueue_on_epoll", "-buildvcs=false", "-o", binary}
	if race {
		args = append(args, "-race")
	}
	_, err = module.run("build", append(args, "ioflavors/kqueuesrv")...)
	return binary, err
}

// A goModule is this module as the go command sees it through another go.mod.
type goModule struct{ root, modfile string }

// moduleWithKqueue makes, in tmp, a go.mod that replaces x/sys by a copy with the
// emulation and its tests.
func moduleWithKqueue(tmp string) (goModule, error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return goModule{}, err
	}
	m := goModule{root, filepath.Join(tmp, "kqueue.mod")}
	for from, to := range map[string]string{"go.mod": "kqueue.mod", "go.sum": "kqueue.sum"} {
		if err := copyFile(filepath.Join(root, from), filepath.Join(tmp, to)); err != nil {
			return m, err
		}
	}
	dirs, err := m.run("list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}\t{{$.Dir}}{{end}}", xsys+"/unix")
	if err != nil {
		return m, err
	}
	sys := filepath.Join(tmp, "sys")
	if err := copyPackages(sys, dirs); err != nil {
		return m, err
	}
	emulation, err := filepath.Glob("testdata/kqueue/*.go")
	if err != nil {
		return m, err
	}
	for _, file := range emulation {
		if err := copyFile(file, filepath.Join(sys, "unix", filepath.Base(file))); err != nil {
			return m, err
		}
	}
	_, err = goCommand(root, "mod", "edit", "-replace="+xsys+"="+sys, m.modfile)
	return m, err
}

// copyPackages copies go.mod and the packages of x/sys, without their tests. Each
// line of dirs is a module's path, the module's folder and a package's folder.
func copyPackages(to, dirs string) error {
	for line := range strings.Lines(dirs) {
		field := strings.Split(strings.TrimSpace(line), "\t")
		if len(field) != 3 || field[0] != xsys {
			continue
		}
		if err := copyFile(filepath.Join(field[1], "go.mod"), filepath.Join(to, "go.mod")); err != nil {
			return err
		}
		pkg, err := filepath.Rel(field[1], field[2])
		if err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(field[2], "*.*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			if err := copyFile(file, filepath.Join(to, pkg, filepath.Base(file))); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyFile makes a writable copy, and its folder; those of the module cache are
// read-only, and could not be removed with the temporary folder.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// run gives the go command to this module. -trimpath keeps the name of the
// temporary folder out of the build, so that the next finds it in the cache.
func (m goModule) run(verb string, args ...string) (output string, err error) {
	flags := []string{verb, "-modfile=" + m.modfile, "-trimpath"}
	return goCommand(m.root, append(flags, args...)...)
}

// goCommand returns the standard output of go; with an error, all it said.
func goCommand(dir string, args ...string) (output string, err error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off") // a workspace does not take -modfile
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// underRace tells whether this test runs with the race detector.
func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// TestKqueueEmulation runs vet and the emulation's own tests.
func TestKqueueEmulation(t *testing.T) {
	module, err := moduleWithKqueue(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// x/sys as such has uses of unsafe.Pointer that vet does not like.
	if _, err := module.run("vet", "-unsafeptr=false", xsys+"/unix"); err != nil {
		t.Error(err)
	}
	args := []string{"-count=1", "-timeout=2m"}
	if underRace() {
		args = append(args, "-race")
	}
	if _, err := module.run("test", append(args, xsys+"/unix")...); err != nil {
		t.Error(err)
	}
}

// TestKqueueBuild builds kqueuesrv twice, the second time without the network
// and with -mod=mod, and looks for what was left behind.
func TestKqueueBuild(t *testing.T) {
	before := moduleFiles(t)
	for _, env := range []map[string]string{
		{},
		{"GOPROXY": "off", "GOFLAGS": "-mod=mod"},
	} {
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp)
		for name, value := range env {
			t.Setenv(name, value)
		}
		binary, err := buildKqueueOnEpoll(t.TempDir(), underRace())
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(binary); err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("no program at %s: %v", binary, err)
		}
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("left in the temporary folder: %v, %v", left, err)
		}
	}
	if diff := cmp.Diff(before, moduleFiles(t)); diff != "" {
		t.Errorf("the module's files changed (-before +after):\n%s", diff)
	}
}

// moduleFiles returns go.mod, go.sum and what else lies in the module's folder.
func moduleFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../*")
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, file := range files {
		data, _ := os.ReadFile(file) // a folder has a name and no data
		content[file] = string(data)
	}
	return content
}

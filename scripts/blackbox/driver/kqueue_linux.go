package driver

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

func init() {
	emulated["kqueuesrv"] = buildKqueueOnEpoll
	procAttr = syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

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
	root, err := filepath.Abs(Root)
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
	if err := renameShutdown(filepath.Join(sys, "unix")); err != nil {
		return m, err
	}
	emulation, err := filepath.Glob(filepath.Join(root, "scripts/blackbox/driver/testdata/kqueue/*.go"))
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

// renameShutdown makes room for the emulation's Shutdown in a copy of package unix.
func renameShutdown(dir string) error {
	const name, other = "func Shutdown(fd int, how int)", "func linuxShutdown(fd int, how int)"
	file := filepath.Join(dir, "zsyscall_linux_"+runtime.GOARCH+".go")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if bytes.Count(data, []byte(name)) != 1 {
		return fmt.Errorf("%s has no %s", file, name)
	}
	return os.WriteFile(file, bytes.Replace(data, []byte(name), []byte(other), 1), 0o644)
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

// Package source tests what the servers and codecs look like.
package source

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/kvproto"
	"ioflavors/respproto"
	"ioflavors/scripts/blackbox/driver"
)

// How many lines main.go may have.
var maxLines = map[string]int{
	"stblock": 125, "mtblock": 125, "goroutinesrv": 125, "busywait": 125,
	"epollsrv": 185, "kqueuesrv": 185,
}

// The files that are the same in all flavors, and the one that goroutinesrv has for itself.
var shared = []string{"start.go", "answer.go", "buffer.go", "listen.go"}

// How many lines they may have together.
const maxShared = 300

// How many lines of main.go may change, from one flavor to the next, as diff shows them.
var maxDiff = []struct {
	from, to string
	lines    int
}{
	{"stblock", "mtblock", 24},
	{"mtblock", "goroutinesrv", 74},
	{"stblock", "busywait", 38},
	{"busywait", "epollsrv", 72},
	{"epollsrv", "kqueuesrv", 54},
}

// source returns what is in a flavor's file.
func source(t *testing.T, flavor, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(driver.Root, flavor, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestSame checks that the files which are not about the model are the same.
func TestSame(t *testing.T) {
	for _, name := range shared {
		want := source(t, "stblock", name)
		for _, f := range driver.Flavors {
			if name == "listen.go" && f.Name == "goroutinesrv" {
				continue
			}
			if d := cmp.Diff(want, source(t, f.Name, name)); d != "" {
				t.Errorf("%s differs (-stblock +%s):\n%s", name, f.Name, d)
			}
		}
	}
}

// TestSize counts the lines of each flavor.
func TestSize(t *testing.T) {
	lines := func(flavor, name string) int { return strings.Count(source(t, flavor, name), "\n") }
	for flavor, most := range maxLines {
		if n := lines(flavor, "main.go"); n > most {
			t.Errorf("%s/main.go has %d lines; want at most %d", flavor, n, most)
		}
	}
	n := 0
	for _, name := range shared {
		n += lines("stblock", name)
	}
	if n > maxShared {
		t.Errorf("%v have %d lines; want at most %d", shared, n, maxShared)
	}
}

// TestDiff counts the lines that change from one flavor to the next.
func TestDiff(t *testing.T) {
	for _, d := range maxDiff {
		cmd := exec.Command("diff", d.from+"/main.go", d.to+"/main.go")
		cmd.Dir = driver.Root
		output, _ := cmd.Output()
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			t.Fatalf("diff %s %s: exit status %d", d.from, d.to, code)
		}
		n := len(regexp.MustCompile(`(?m)^[<>]`).FindAll(output, -1))
		t.Logf("%s to %s: %d lines", d.from, d.to, n)
		if n > d.lines {
			t.Errorf("%s to %s: %d lines change; want at most %d", d.from, d.to, n, d.lines)
		}
	}
}

// TestImports checks what the flavors and codecs are made of.
func TestImports(t *testing.T) {
	codecs := []string{"ioflavors/kvproto", "ioflavors/respproto"}
	for _, f := range driver.Flavors {
		if f.Name == "goroutinesrv" { // leaves the system calls to package net
			checkImports(t, f.Name, codecs)
		} else {
			checkImports(t, f.Name, append(codecs, "golang.org/x/sys/unix"))
		}
	}
	checkImports(t, "kvproto", nil)
	checkImports(t, "respproto", nil)
}

// checkImports checks that the package in dir, without its tests, imports nothing
// but the standard library and what is allowed.
func checkImports(t *testing.T, dir string, allowed []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(driver.Root, dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no source in %s: %v", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(path, "/")
			standard := !strings.Contains(first, ".") && first != "ioflavors"
			if !standard && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// TestModules checks what go.mod requires.
func TestModules(t *testing.T) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{if not .Indirect}}{{.Path}}{{end}}", "all")
	cmd.Dir, cmd.Env = driver.Root, append(os.Environ(), "GOWORK=off")
	output, err := cmd.Output()
	if d := cmp.Diff("ioflavors\ngithub.com/google/go-cmp\ngolang.org/x/sys\n", string(output)); d != "" || err != nil {
		t.Errorf("this module, and direct requirements: %v (-want +got):\n%s", err, d)
	}
}

// TestLimitsInCodecs checks that the limits of the protocols are numbers in the
// codecs only.
func TestLimitsInCodecs(t *testing.T) {
	limits := []string{fmt.Sprint(kvproto.MaxFrame), fmt.Sprint(respproto.MaxBulk)}
	found := map[string]bool{}
	check := func(name string) {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		codec := filepath.Base(filepath.Dir(name))
		ast.Inspect(file, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.BasicLit, *ast.BinaryExpr:
				v, err := types.Eval(fset, nil, token.NoPos, types.ExprString(n.(ast.Expr)))
				switch {
				case err != nil || v.Value == nil || !slices.Contains(limits, v.Value.ExactString()):
				case codec == "kvproto" || codec == "respproto":
					found[v.Value.ExactString()] = true
				default:
					t.Errorf("%v: the number is a limit of a protocol, whose codec has a name for it", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	err := filepath.WalkDir(driver.Root, func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".go") {
			check(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(limits) {
		t.Errorf("limits %v, found in the codecs %v", limits, found)
	}
}

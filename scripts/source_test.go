package scripts

import (
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/kvproto"
	"ioflavors/respproto"
)

// How long a flavor may be, in lines.
var maxLines = map[string]int{
	"stblock": 240, "mtblock": 240, "goroutinesrv": 240,
	"busywait": 260, "epollsrv": 290, "kqueuesrv": 290,
}

// How far a flavor may be from the one that is read before it, in lines of
// diff -u that begin with + or -.
var maxDiff = []struct {
	from, to string
	lines    int
}{
	{"stblock", "mtblock", 25},
	{"mtblock", "goroutinesrv", 100},
	{"stblock", "busywait", 70},
	{"busywait", "epollsrv", 75},
	{"epollsrv", "kqueuesrv", 55},
}

// Functions that are the same in several flavors, to the byte.
var frozen = []struct {
	function string
	flavors  []string
}{
	{"answerRESP", flavorNames("")},
	{"answerKV", flavorNames("")},
	{"keep", flavorNames("")},
	{"listen", flavorNames("goroutinesrv")},
}

// flavorNames returns the names of all flavors but one.
func flavorNames(but string) []string {
	var names []string
	for _, f := range flavors {
		if f.name != but {
			names = append(names, f.name)
		}
	}
	return names
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

// TestFrozen checks that frozen functions are the same, comments included.
func TestFrozen(t *testing.T) {
	for _, f := range frozen {
		want := function(t, f.flavors[0], f.function)
		for _, flavor := range f.flavors[1:] {
			if d := cmp.Diff(want, function(t, flavor, f.function)); d != "" {
				t.Errorf("%s differs (-%s +%s):\n%s", f.function, f.flavors[0], flavor, d)
			}
		}
	}
}

// function returns the source of a flavor's function, with its comment.
func function(t *testing.T, flavor, name string) string {
	t.Helper()
	source := sourceOf(t, mainFile(flavor))
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, mainFile(flavor), source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == name {
			if fn.Doc == nil {
				t.Fatalf("%s: %s has no comment", flavor, name)
			}
			return source[fset.Position(fn.Doc.Pos()).Offset:fset.Position(fn.End()).Offset]
		}
	}
	t.Fatalf("%s has no function %s", flavor, name)
	return ""
}

// TestSize counts the lines of each flavor.
func TestSize(t *testing.T) {
	for _, f := range flavors {
		n := strings.Count(sourceOf(t, mainFile(f.name)), "\n")
		t.Logf("%s: %d lines", f.name, n)
		if n > maxLines[f.name] {
			t.Errorf("%s/main.go has %d lines; want at most %d", f.name, n, maxLines[f.name])
		}
	}
}

// TestDiff counts the lines that change from one flavor to the next.
func TestDiff(t *testing.T) {
	for _, d := range maxDiff {
		output, err := exec.Command("diff", "-u", mainFile(d.from), mainFile(d.to)).Output()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
			t.Fatalf("diff -u %s %s: %v", d.from, d.to, err)
		}
		n := 0
		for line := range strings.Lines(string(output)) {
			if line[0] == '+' || line[0] == '-' {
				n++
			}
		}
		t.Logf("%s to %s: %d lines", d.from, d.to, n)
		if n > d.lines {
			t.Errorf("%s to %s: %d lines change; want at most %d", d.from, d.to, n, d.lines)
		}
	}
}

// TestImports checks what the flavors and codecs are made of.
func TestImports(t *testing.T) {
	codecs := []string{"ioflavors/kvproto", "ioflavors/respproto"}
	for _, f := range flavors {
		checkImports(t, filepath.Join("..", f.name), append([]string{"golang.org/x/sys/unix"}, codecs...))
	}
	checkImports(t, "../kvproto", nil)
	checkImports(t, "../respproto", nil)
}

// checkImports checks that the package in dir, without its tests, imports nothing
// but the standard library and what is allowed.
func checkImports(t *testing.T, dir string, allowed []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
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
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = ".."
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(output, &mod); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	if d := cmp.Diff([]string{"github.com/google/go-cmp", "golang.org/x/sys"}, direct); d != "" {
		t.Errorf("direct requirements (-want +got):\n%s", d)
	}
}

// TestLimitsInCodecs checks that the limits of the protocols are numbers in the
// codecs only.
func TestLimitsInCodecs(t *testing.T) {
	limits := []constant.Value{constant.MakeInt64(kvproto.MaxFrame), constant.MakeInt64(respproto.MaxBulk)}
	found := map[string]bool{}
	check := func(name string) {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		codec := filepath.Base(filepath.Dir(name))
		ast.Inspect(file, func(n ast.Node) bool {
			v := number(n)
			for _, limit := range limits {
				if v == nil || !constant.Compare(v, token.EQL, limit) {
					continue
				}
				if codec == "kvproto" || codec == "respproto" {
					found[limit.String()] = true
				} else {
					t.Errorf("%v: the number is a limit of a protocol, whose codec has a name for it", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	err := filepath.WalkDir("..", func(name string, _ fs.DirEntry, err error) error {
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

// number returns the value of a number, or of a shift or product of numbers.
func number(n ast.Node) constant.Value {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.INT {
			return constant.MakeFromLiteral(n.Value, n.Kind, 0)
		}
	case *ast.BinaryExpr:
		x, y := number(n.X), number(n.Y)
		if x == nil || y == nil {
			return nil
		}
		if bits, ok := constant.Uint64Val(y); n.Op == token.SHL && ok && bits < 64 {
			return constant.Shift(x, n.Op, uint(bits))
		}
		if n.Op == token.MUL {
			return constant.BinaryOp(x, n.Op, y)
		}
	}
	return nil
}

package replies

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"ioflavors/scripts/blackbox/driver"
)

// TestPython runs README's client in Python against each flavor.
func TestPython(t *testing.T) {
	program := pythonOfReadme(t)
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		t.Skip("protoc is missing: it is in the package protobuf-compiler, or protobuf")
	}
	python := pythonWithProtobuf(t)
	dir := t.TempDir()
	if output, err := exec.Command(protoc, "--python_out="+dir, "-I", "../../../kvproto", "keyvalue.proto").CombinedOutput(); err != nil {
		t.Fatalf("protoc: %v\n%s", err, output)
	}
	driver.EachServer(t, []driver.Dialect{driver.KV}, func(t *testing.T, s *driver.Server, d driver.Dialect) {
		_, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "client.py")
		if err := os.WriteFile(file, []byte(strings.Replace(program, "6379", port, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), driver.Patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, python, file)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+dir)
		output, err := cmd.CombinedOutput()
		if diff := cmp.Diff("hello\n", string(output)); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// pythonOfReadme returns the program in README.
func pythonOfReadme(t *testing.T) string {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```python\n")
	program, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed || !strings.Contains(program, "6379") {
		t.Fatal("README.md has no program in Python that connects to port 6379")
	}
	return program
}

// pythonWithProtobuf returns a Python that can read what protoc writes for it.
func pythonWithProtobuf(t *testing.T) string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import google.protobuf").Run() == nil {
			return python
		}
	}
	t.Skip("Python lacks protobuf: it is in the package python3-protobuf")
	return ""
}

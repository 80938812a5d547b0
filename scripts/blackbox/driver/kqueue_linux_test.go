package driver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	if Race {
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
		binary, err := buildKqueueOnEpoll(t.TempDir(), Race)
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
	files, err := filepath.Glob(Root + "/*")
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

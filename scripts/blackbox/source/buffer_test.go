package source

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ioflavors/scripts/blackbox/driver"
)

// TestBuffer runs the tests in testdata as if they stood beside buffer.go. They do not stand
// there, so that diff -r shows nothing but the model.
func TestBuffer(t *testing.T) {
	root, err := filepath.Abs(driver.Root)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "stblock/buffer_test.go"): filepath.Join(root, "scripts/blackbox/source/testdata/buffer_test.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-count=1", "-overlay", file, "./stblock")
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go test ./stblock: %v\n%s", err, output)
	}
}

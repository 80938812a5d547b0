package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"testing"
	"time"
)

// A browser is a session of chromedriver. See https://www.w3.org/TR/webdriver2/.
type browser struct {
	t       *testing.T
	session string // its address
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	driver, err := exec.LookPath("chromedriver")
	if err != nil {
		t.Skip("chromedriver is not installed")
	}
	cmd := exec.Command(driver, "--port=0")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	b := &browser{t: t}
	started := regexp.MustCompile(`successfully on port (\d+)`)
	for lines := bufio.NewScanner(stdout); b.session == "" && lines.Scan(); {
		if m := started.FindStringSubmatch(lines.Text()); m != nil {
			b.session = "http://127.0.0.1:" + m[1] + "/session"
		}
	}
	options := map[string]any{"args": []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-ipc-flooding-protection", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir()}}
	if chromium, err := exec.LookPath("chromium"); err == nil {
		options["binary"] = chromium
	}
	var created struct{ SessionID string }
	b.call("POST", "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"goog:chromeOptions": options, "goog:loggingPrefs": map[string]string{"browser": "ALL"},
	}}}, &created)
	b.session += "/" + created.SessionID
	t.Cleanup(func() { b.call("DELETE", "", struct{}{}, nil) })
	return b
}

// call sends one command of the WebDriver protocol.
func (b *browser) call(method, path string, body, result any) {
	b.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequest(method, b.session+path, bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	client := http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Value json.RawMessage }
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err == nil && response.StatusCode == http.StatusOK && result != nil {
		err = json.Unmarshal(answer.Value, result)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %.300s: %s: %v", path, data, answer.Value, err)
	}
}

// run executes a script in the page.
func (b *browser) run(script string, result any) {
	b.t.Helper()
	b.call("POST", "/execute/sync", map[string]any{"script": script, "args": []any{}}, result)
}

// await waits until an expression is true of the page.
func (b *browser) await(what, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var done bool
		if b.run("return Boolean("+expression+")", &done); done {
			return
		}
	}
	b.t.Fatalf("waited in vain for %s: %s", what, expression)
}

// check checks that an expression is true of the page.
func (b *browser) check(what, expression string) {
	b.t.Helper()
	var got any
	if b.run("return "+expression, &got); got != true {
		b.t.Errorf("%s: %v: %s", what, got, expression)
	}
}

// open shows what an address names.
func (b *browser) open(address string) {
	b.t.Helper()
	b.run(fmt.Sprintf("location.hash = %q", address), nil)
	b.await(address, fmt.Sprintf("decodeURI(location.hash) === %q && view.address === location.hash", address))
}

// devtools sends a command of https://chromedevtools.github.io/devtools-protocol.
func (b *browser) devtools(command string, params map[string]any) {
	b.t.Helper()
	b.call("POST", "/goog/cdp/execute", map[string]any{"cmd": command, "params": params}, nil)
}

// resize sets the size of the window, in CSS pixels.
func (b *browser) resize(width, height int) {
	b.t.Helper()
	b.devtools("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
}

// press presses keys, by WebDriver's names of them, and releases them.
func (b *browser) press(keys ...string) {
	b.t.Helper()
	var actions []any
	for _, key := range keys {
		actions = append(actions, map[string]any{"type": "keyDown", "value": key})
	}
	for _, key := range slices.Backward(keys) {
		actions = append(actions, map[string]any{"type": "keyUp", "value": key})
	}
	b.call("POST", "/actions", map[string]any{"actions": []any{map[string]any{"type": "key", "id": "keyboard", "actions": actions}}}, nil)
}

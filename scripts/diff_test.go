package scripts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diffSh runs scripts/diff.sh and returns its output and exit status.
func diffSh(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	var out, errs bytes.Buffer
	cmd := exec.Command("./diff.sh", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestDiffUsage(t *testing.T) {
	stdout, _, status := diffSh(t, "-h")
	if status != 0 || !strings.HasPrefix(stdout, "usage: diff.sh") {
		t.Errorf("-h: status %d, %q", status, stdout)
	}
	for _, args := range [][]string{{"nosuch", "mtblock"}, {"-x"}, {"stblock"}, {"stblock", "mtblock", "busywait"}, {"-html"}} {
		stdout, stderr, status := diffSh(t, args...)
		if status != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "diff.sh: ") {
			t.Errorf("%q: status %d, output %q, error %q; want status 2 and one line", args, status, stdout, stderr)
		}
	}
}

// TestDiffSteps checks the reading order and its numbers of lines.
func TestDiffSteps(t *testing.T) {
	stdout, _, _ := diffSh(t)
	for _, step := range maxDiff {
		want := fmt.Sprintf("%-27s %3d lines\n", step.from+" -> "+step.to, len(unified(t, step.from, step.to)))
		if !strings.Contains(stdout, want) {
			t.Errorf("no line %q in:\n%s", want, stdout)
		}
	}
}

// unified returns the lines of diff -u that begin with + or -.
func unified(t *testing.T, from, to string) []string {
	t.Helper()
	out, _ := exec.Command("diff", "-u", mainFile(from), mainFile(to)).Output() // status 1: they differ
	return regexp.MustCompile(`(?m)^[+-].*$`).FindAllString(string(out), -1)
}

// TestDiffTwo checks that two flavors are shown with all that differs, and that the
// unified form is a patch from one to the other.
func TestDiffTwo(t *testing.T) {
	t.Setenv("COLUMNS", "200")
	stdout, _, status := diffSh(t, "stblock", "mtblock")
	for _, part := range []string{"c.serve()", "go c.serve()", "mu.Lock()"} {
		if status != 0 || !strings.Contains(stdout, part) {
			t.Errorf("side by side, status %d: no %q", status, part)
		}
	}
	if strings.Contains(stdout, "\x1b") {
		t.Error("colour without a terminal")
	}
	patch, _, _ := diffSh(t, "-w", "stblock", "mtblock")
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("patch is not installed")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(sourceOf(t, mainFile("stblock"))), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("patch", "-s", file)
	cmd.Stdin = strings.NewReader(patch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("patch: %v: %s", err, out)
	}
	if d := cmp.Diff(sourceOf(t, mainFile("mtblock")), sourceOf(t, file)); d != "" {
		t.Errorf("stblock, patched (-want +got):\n%s", d)
	}
}

// TestDiffHead checks that a reader may stop before the end.
func TestDiffHead(t *testing.T) {
	diffSh(t, "-h") // skips the test if something is missing
	for _, flag := range []string{"", "-w"} {
		out, err := exec.Command("bash", "-c", "./diff.sh "+flag+" stblock mtblock 2>&1 | head -n 1 | wc -l; exit 0").CombinedOutput()
		if strings.TrimSpace(string(out)) != "1" || err != nil {
			t.Errorf("%s: %v: %q", flag, err, out)
		}
		stderr, _ := exec.Command("bash", "-c", "{ ./diff.sh "+flag+" stblock goroutinesrv | head -n 1 >/dev/null; } 2>&1").CombinedOutput()
		if len(stderr) > 0 {
			t.Errorf("%s: %q on standard error", flag, stderr)
		}
	}
}

// makePage writes the page and returns its file.
func makePage(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if _, stderr, status := diffSh(t, "-html", file); status != 0 {
		t.Fatalf("-html: status %d: %s", status, stderr)
	}
	return file
}

// TestPageIsWhole checks that the page has every line of every flavor, and loads
// nothing.
func TestPageIsWhole(t *testing.T) {
	page := sourceOf(t, makePage(t))
	if load := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?(https?:)?//|@import|url\(`).FindString(page); load != "" {
		t.Errorf("the page loads something: %q", load)
	}
	text := html.UnescapeString(page)
	for _, f := range flavors {
		for line := range strings.Lines(sourceOf(t, mainFile(f.name))) {
			if !strings.Contains(text, line) {
				t.Fatalf("%s is not whole: no %q", f.name, line)
			}
		}
	}
}

// TestPage opens the page in Chromium, wide and narrow, and steps through it.
func TestPage(t *testing.T) {
	b := openBrowser(t)
	b.call("POST", "/url", map[string]any{"url": "file://" + makePage(t)}, nil)
	for _, width := range []int{1400, 390} {
		b.call("POST", "/goog/cdp/execute", map[string]any{
			"cmd":    "Emulation.setDeviceMetricsOverride",
			"params": map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false},
		}, nil)
		for i, from := range flavors {
			for _, to := range flavors[i+1:] {
				lines := changedLines(t, from.name, to.name)
				b.checkPair(from.name, to.name, width, lines)
				b.checkPair(to.name, from.name, width, [2][]int{lines[1], lines[0]})
			}
		}
		b.checkWays()
		b.checkFolds()
		b.checkTheme()
	}
	var entries []struct{ Level, Message string }
	b.call("POST", "/se/log", map[string]any{"type": "browser"}, &entries)
	for _, e := range entries {
		t.Errorf("console: %s: %s", e.Level, e.Message)
	}
}

// checkPair shows a pair and compares the lines that it marks with diff(1)'s.
func (b *browser) checkPair(from, to string, width int, want [2][]int) {
	b.t.Helper()
	b.run(fmt.Sprintf("location.hash = '#%s..%s'", from, to), nil)
	b.awaitPair(from, to)
	var got [2][]int
	b.run(`return ["left", "right"].map(side =>
		[...document.querySelectorAll("td.number." + side + "[data-sign]")].map(cell => Number(cell.textContent)))`, &got)
	if d := cmp.Diff(want, got); d != "" {
		b.t.Errorf("%d wide: %s and %s: marked lines (-want +got):\n%s", width, from, to, d)
	}
	var overflow bool
	b.run("return document.documentElement.scrollWidth > innerWidth", &overflow)
	if overflow {
		b.t.Errorf("%d wide: %s and %s: the page is wider than the window", width, from, to)
	}
}

func (b *browser) awaitPair(from, to string) {
	b.t.Helper()
	want := from + " → " + to + " · ioflavors"
	await(b.t, "the page to show "+want, func() bool {
		var title string
		b.run("return document.title", &title)
		return title == want
	})
}

// changedLines returns the numbers of the lines that differ, as diff(1) has them.
func changedLines(t *testing.T, from, to string) (lines [2][]int) {
	t.Helper()
	out, _ := exec.Command("diff", mainFile(from), mainFile(to)).Output() // status 1: they differ
	for _, m := range regexp.MustCompile(`(?m)^(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?$`).FindAllStringSubmatch(string(out), -1) {
		if m[3] != "a" {
			lines[0] = append(lines[0], span(m[1], m[2])...)
		}
		if m[3] != "d" {
			lines[1] = append(lines[1], span(m[4], m[5])...)
		}
	}
	return lines
}

func span(first, last string) (numbers []int) {
	from, _ := strconv.Atoi(first)
	to, _ := strconv.Atoi(last)
	for n := from; n <= max(from, to); n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// checkWays goes along the reading order with the keys, and back with a button.
func (b *browser) checkWays() {
	b.t.Helper()
	const left, right = "\uE012", "\uE014" // WebDriver's names of the arrow keys
	b.run(fmt.Sprintf("location.hash = '#%s..%s'", maxDiff[0].from, maxDiff[0].to), nil)
	b.awaitPair(maxDiff[0].from, maxDiff[0].to)
	for _, step := range maxDiff[1:] {
		b.press(right)
		b.awaitPair(step.from, step.to)
	}
	b.press(left)
	b.awaitPair(maxDiff[3].from, maxDiff[3].to)
	b.run(`document.querySelector(".previous").click()`, nil)
	b.awaitPair(maxDiff[2].from, maxDiff[2].to)
	b.run(`document.querySelector(".next").click()`, nil)
	b.awaitPair(maxDiff[3].from, maxDiff[3].to)
}

func (b *browser) press(key string) {
	b.t.Helper()
	b.call("POST", "/actions", map[string]any{"actions": []any{map[string]any{
		"type": "key", "id": "keyboard",
		"actions": []any{map[string]any{"type": "keyDown", "value": key}, map[string]any{"type": "keyUp", "value": key}},
	}}}, nil)
}

// checkFolds unfolds all, and folds all again.
func (b *browser) checkFolds() {
	b.t.Helper()
	const hidden = `document.getElementById("folds").click();
		return [...document.querySelectorAll("tbody")].filter(lines => lines.hidden).length`
	var none, some int
	b.run(hidden, &none)
	b.run(hidden, &some)
	if none != 0 || some == 0 {
		b.t.Errorf("%d stretches are hidden when all is unfolded, %d when all is folded", none, some)
	}
}

// checkTheme changes the theme, which must change the colours.
func (b *browser) checkTheme() {
	b.t.Helper()
	const color = `return getComputedStyle(document.body).backgroundColor`
	var before, after string
	b.run(color, &before)
	b.run(`document.getElementById("theme").click();`+color, &after)
	if before == after {
		b.t.Errorf("both themes have the background %s", before)
	}
}

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
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	b := &browser{t: t}
	lines := bufio.NewScanner(stdout)
	started := regexp.MustCompile(`successfully on port (\d+)`)
	for b.session == "" && lines.Scan() {
		if m := started.FindStringSubmatch(lines.Text()); m != nil {
			b.session = "http://127.0.0.1:" + m[1] + "/session"
		}
	}
	if b.session == "" {
		t.Fatal("chromedriver did not start")
	}
	options := map[string]any{"args": []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir()}}
	if chromium, err := exec.LookPath("chromium"); err == nil {
		options["binary"] = chromium
	}
	var created struct{ SessionID string }
	b.call("POST", "", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"goog:chromeOptions": options,
		"goog:loggingPrefs":  map[string]string{"browser": "ALL"},
	}}}, &created)
	b.session += "/" + created.SessionID
	t.Cleanup(func() { b.call("DELETE", "", struct{}{}, nil) })
	return b
}

// run executes a script in the page.
func (b *browser) run(script string, result any) {
	b.t.Helper()
	b.call("POST", "/execute/sync", map[string]any{"script": script, "args": []any{}}, result)
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
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	if response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s", path, answer.Value)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer.Value, result); err != nil {
		b.t.Fatalf("%s: %s: %v", path, answer.Value, err)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var picture = flag.String("picture", "", "write a picture of the page to this `file`")

// loaded returns the flavors.
func loaded(t *testing.T) *module {
	t.Helper()
	m, err := load("../..")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// makePage writes the page and returns its file.
func makePage(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := loaded(t).writePage(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPageIsWhole checks that the page has every line of every flavor, and loads
// nothing.
func TestPageIsWhole(t *testing.T) {
	text, err := os.ReadFile(makePage(t))
	if err != nil {
		t.Fatal(err)
	}
	if load := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?(https?:)?//|@import|url\(`).Find(text); load != nil {
		t.Errorf("the page loads something: %q", load)
	}
	_, rest, _ := strings.Cut(string(text), `<script id="data" type="application/json">`)
	rest, _, _ = strings.Cut(rest, "</script>")
	var data struct{ Flavors []pageFlavor }
	if err := json.Unmarshal([]byte(rest), &data); err != nil {
		t.Fatalf("the data: %v", err)
	}
	for _, f := range data.Flavors {
		if d := cmp.Diff(source(t, f.Name), strings.Join(f.Lines, "\n")+"\n"); d != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, d)
		}
	}
}

// TestPage opens the page in Chromium and reads it.
func TestPage(t *testing.T) {
	b := openBrowser(t)
	b.call("POST", "/url", map[string]any{"url": "file://" + makePage(t)}, nil)
	m := loaded(t)
	for _, test := range []struct {
		name  string
		check func(*browser, *module)
	}{
		{"pairs", (*browser).checkPairs},
		{"order", (*browser).checkOrder},
		{"kernel", (*browser).checkKernel},
		{"costs", (*browser).checkCosts},
		{"unknown", (*browser).checkUnknown},
		{"folds", (*browser).checkFolds},
		{"find", (*browser).checkFind},
		{"scroll", (*browser).checkScroll},
		{"lines", (*browser).checkLines},
		{"selection", (*browser).checkSelection},
		{"contrast", (*browser).checkContrast},
		{"theme", (*browser).checkTheme},
		{"text size", (*browser).checkTextSize},
		{"picture", (*browser).checkPicture},
		{"without JavaScript", (*browser).checkWithoutScript},
	} {
		b.resize(1400)
		t.Run(test.name, func(t *testing.T) {
			sub := *b
			sub.t = t
			test.check(&sub, m)
		})
	}
	var entries []struct{ Level, Message string }
	b.call("POST", "/se/log", map[string]any{"type": "browser"}, &entries)
	for _, e := range entries {
		t.Errorf("console: %s: %s", e.Level, e.Message)
	}
}

// open shows what an address names, from the top.
func (b *browser) open(address string) {
	b.t.Helper()
	b.run(fmt.Sprintf("location.hash = %q", address), nil)
	b.await(address, fmt.Sprintf("view.name === parse(%q).name && decodeURI(location.hash) === %[1]q", address))
}

// checkPairs shows all pairs, wide and narrow.
func (b *browser) checkPairs(m *module) {
	for _, width := range []int{1400, 390} {
		b.resize(width)
		for _, from := range m.flavors {
			for _, to := range m.flavors {
				if from != to {
					b.checkPair(m, from, to, width)
				}
			}
		}
	}
}

// checkPair shows a pair and compares the lines that it marks with diff(1)'s.
func (b *browser) checkPair(m *module, from, to string, width int) {
	b.t.Helper()
	b.open("#" + from + ".." + to)
	hunks, err := m.hunks(from, to, "main.go")
	if err != nil {
		b.t.Fatal(err)
	}
	var want, got [2][]int
	for _, r := range compare(m.lines[from]["main.go"], m.lines[to]["main.go"], hunks) {
		for side, n := range r.lines {
			if r.changed && n > 0 {
				want[side] = append(want[side], n)
			}
		}
	}
	b.run(`return ["left", "right"].map(side =>
		[...document.querySelectorAll("td.number." + side + "[data-sign]")].map(cell => Number(cell.textContent)))`, &got)
	if d := cmp.Diff(want, got); d != "" {
		b.t.Errorf("%d wide: %s and %s: marked lines (-want +got):\n%s", width, from, to, d)
	}
	var where string
	b.run(`return document.querySelector(".where").textContent`, &where)
	if want := fmt.Sprintf(" · %d lines change: ", count(hunks)); !strings.Contains(where, want) {
		b.t.Errorf("%s and %s: %q; want %q in it", from, to, where, want)
	}
	b.checkWidth(fmt.Sprintf("%d wide: %s and %s", width, from, to))
}

// checkWidth checks that nothing is wider than the window.
func (b *browser) checkWidth(what string) {
	b.t.Helper()
	var wide []string
	b.run(`return [...document.querySelectorAll("#page *")].filter(e => e.checkVisibility() && !e.matches(".hidden, .tabs, select, option") &&
		(e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")).map(e => e.outerHTML.slice(0, 120))`, &wide)
	if len(wide) > 0 {
		b.t.Errorf("%s: too wide: %q", what, wide)
	}
}

// texts returns the texts of the elements that a selector names and a reader sees.
func (b *browser) texts(selector string) (texts []string) {
	b.t.Helper()
	b.run(fmt.Sprintf("return [...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.innerText)", selector), &texts)
	return texts
}

// checkOrder goes along the reading order with the keys, and back with the links.
func (b *browser) checkOrder(m *module) {
	const left, right = "\uE012", "\uE014" // WebDriver's names of the arrow keys
	address := func(s step) string { return "#" + strings.ReplaceAll(s.name(), " -> ", "..") }
	at := func(s step) string { return fmt.Sprintf("view.name === %q", address(s)[1:]) }
	arrows := func(s step) string { return strings.ReplaceAll(s.name(), "->", "→") }
	b.open("")
	last := len(m.steps) - 1
	for i, s := range m.steps {
		if i > 0 {
			b.press(right)
		}
		b.await(s.name(), at(s))
		var ways []string
		if i > 0 {
			ways = append(ways, "← "+arrows(m.steps[i-1]))
		}
		if i < last {
			ways = append(ways, arrows(m.steps[i+1])+" →")
		}
		if d := cmp.Diff(slices.Concat(ways, ways), b.texts(".way")); d != "" {
			b.t.Errorf("%s: ways (-want +got):\n%s", s.name(), d)
		}
		where := strings.Join(b.texts(".where"), "")
		returns := i > 1 && s.left != m.steps[i-1].last()
		if !strings.HasPrefix(where, fmt.Sprintf("Step %d of %d", i, last)) || strings.Contains(where, "back to "+s.left) != returns {
			b.t.Errorf("%s: %q", s.name(), where)
		}
		if ends := b.texts(".end"); len(ends) > 0 != (i == last) {
			b.t.Errorf("%s: it ends with %q", s.name(), ends)
		}
	}
	b.press(left)
	b.await("the step before", at(m.steps[last-1]))
	b.run(`document.querySelector(".way").click()`, nil)
	b.await("the step before that", at(m.steps[last-2]))
	b.run(`document.querySelector("nav a").click()`, nil)
	b.await("the first flavor", at(m.steps[0]))
	if got := b.texts("#code tr"); len(got) != len(m.lines["stblock"]["main.go"]) {
		b.t.Errorf("step 0 shows %d lines", len(got))
	}
	b.open(address(m.steps[2]))
	b.open("#kqueuesrv..stblock")
	if d := cmp.Diff([]string{"← " + arrows(m.steps[2]), "← " + arrows(m.steps[2])}, b.texts(".way")); d != "" {
		b.t.Errorf("ways from a pair outside the order (-want +got):\n%s", d)
	}
}

// checkKernel checks that each step has the traces of its flavors, or says that there are
// none.
func (b *browser) checkKernel(m *module) {
	traces, err := readTraces(m.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range m.steps {
		b.open("#" + strings.ReplaceAll(s.name(), " -> ", ".."))
		if calls := b.texts("#trace table"); len(calls) > 0 {
			b.t.Errorf("%s: the traces are not folded", s.name())
		}
		b.run(`$("trace").open = true`, nil)
		text := strings.Join(b.texts("#trace"), "")
		var events []string
		for _, name := range []string{s.left, s.right} {
			if name != "" && strings.Contains(text, "no trace of "+name) == (traces[name] != nil) {
				b.t.Errorf("%s: %s has %d events; the page says %.300q", s.name(), name, len(traces[name]), text)
			}
			for _, e := range traces[name] {
				if len(events) < len(traces[name]) {
					events = append(events, e.Name)
				}
				for _, r := range e.Rows {
					if !strings.Contains(text, r.Text) {
						b.t.Errorf("%s: %s, %s: no %q", s.name(), name, e.Name, r.Text)
					}
				}
			}
		}
		if d := cmp.Diff(events, b.texts("#trace th")); d != "" {
			b.t.Errorf("%s: events (-want +got):\n%s", s.name(), d)
		}
		b.checkWidth(s.name() + ", with traces")
		b.run(`$("trace").open = false`, nil)
	}
}

// checkCosts checks that each step has the figures of its flavors.
func (b *browser) checkCosts(m *module) {
	costs, err := readCosts(m.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range m.steps {
		b.open("#" + strings.ReplaceAll(s.name(), " -> ", ".."))
		var want []string
		for _, c := range costs {
			row := c.Figure
			for _, name := range []string{s.left, s.right} {
				if name != "" {
					row += "|" + orDash(c.Values[name])
				}
			}
			want = append(want, row)
		}
		var got []string
		b.run(`return [...document.querySelectorAll("#costs tbody tr")].map(row => [...row.cells].map(c => c.innerText).join("|"))`, &got)
		if d := cmp.Diff(want, got); d != "" || len(got) == 0 {
			b.t.Errorf("%s: %d costs (-want +got):\n%s", s.name(), len(got), d)
		}
	}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// checkUnknown checks that an address that names nothing is said to, and what does.
func (b *browser) checkUnknown(m *module) {
	for _, address := range []string{"#100%", "#nosuch", "#stblock..nosuch", "#stblock..stblock", "#stblock..mtblock..busywait", "#..stblock", "#constructor"} {
		b.run(fmt.Sprintf("location.hash = %q", address), nil)
		b.await(address, fmt.Sprintf(`document.querySelector("h1").textContent === "Nothing here is named “" + %q + "”"`, address[1:]))
		if code, steps := b.texts("main, [aria-current]"), b.texts("#notes li"); len(code) > 0 || len(steps) != len(m.steps) {
			b.t.Errorf("%s: code %q, steps %q", address, code, steps)
		}
		b.run(`document.querySelector("#notes li a").click()`, nil)
		b.await("the first step", `view.name === "stblock" && document.querySelector("main").checkVisibility()`)
	}
}

// open folds, of all
const foldsOpen = `return [folds().filter(f => f.open).length, folds().length]`

// checkFolds checks that "Unfold all" lasts, and so does a fold alone.
func (b *browser) checkFolds(*module) {
	var open [2]int
	all := func() bool { b.run(foldsOpen, &open); return open[0] == open[1] && open[1] > 0 }
	none := func() bool { b.run(foldsOpen, &open); return open[0] == 0 && open[1] > 0 }
	b.open("#mtblock..goroutinesrv")
	if !none() {
		b.t.Errorf("at first, %d folds of %d are open", open[0], open[1])
	}
	b.run(`document.getElementById("folds").click()`, nil)
	b.await("all folds to open", `folds().every(f => f.open)`)
	b.open("#epollsrv..kqueuesrv")
	if !all() {
		b.t.Errorf("in the next step, %d folds of %d are open", open[0], open[1])
	}
	b.call("POST", "/refresh", struct{}{}, nil)
	if !all() {
		b.t.Errorf("after a reload, %d folds of %d are open", open[0], open[1])
	}
	b.run(`document.getElementById("folds").click()`, nil)
	b.await("all folds to close", `folds().every(f => !f.open)`)
	b.call("POST", "/refresh", struct{}{}, nil)
	if !none() {
		b.t.Errorf("after another reload, %d folds of %d are open", open[0], open[1])
	}
}

// checkFind checks that what is searched for is found in a fold, and unfolds it.
func (b *browser) checkFind(m *module) {
	b.open("#epollsrv..kqueuesrv")
	var line string
	b.run(`return folds()[0].querySelector("td.code").textContent`, &line)
	var url string
	b.run(`return location.href`, &url)
	file, _, _ := strings.Cut(url, "#")
	b.call("POST", "/url", map[string]any{"url": "about:blank"}, nil)
	b.call("POST", "/url", map[string]any{"url": file + "#epollsrv..kqueuesrv:~:text=" + strings.ReplaceAll(line, " ", "%20")}, nil)
	b.await("the fold with "+line+" to open", `view.name === "epollsrv..kqueuesrv" && folds()[0].open`)
}

// checkScroll checks that choosing a flavor moves neither the code nor the folds, and
// that Back finds both as they were.
func (b *browser) checkScroll(*module) {
	b.open("#epollsrv..kqueuesrv")
	b.run(`folds()[1].open = true; folds()[1].querySelector("tr").scrollIntoView({block: "center"})`, nil)
	type place struct {
		Line string
		Top  float64
	}
	var before, after, back place
	var y [2]float64
	b.await("the fold to be known", `opened.size > 0`)
	b.run(`const a = anchor("L"); return {line: a.at, top: a.top}`, &before)
	b.run(`return [scrollY, folds()[1].open ? 1 : 0]`, &y)
	if y[0] == 0 || y[1] == 0 {
		b.t.Fatalf("not scrolled, or not unfolded: %v", y)
	}
	b.run(`$("right").value = "busywait"; $("right").dispatchEvent(new Event("change"))`, nil)
	b.await("the other flavor", `view.right === "busywait" && !keep`)
	b.run(fmt.Sprintf(`const a = find(%q), fold = a.closest("details:not([open])"); // it may be in a fold now
		return {line: a.dataset.at, top: (fold ? fold.firstChild : a).getBoundingClientRect().top}`, before.Line), &after)
	if d := after.Top - before.Top; d < -2 || d > 2 {
		b.t.Errorf("line %s was at %v, and is at %v", before.Line, before.Top, after.Top)
	}
	b.run("scrollTo(0, 0); history.back()", nil)
	b.await("the first flavor", `view.right === "kqueuesrv"`)
	b.run(`const a = anchor("L"); return {line: a.at, top: a.top}`, &back)
	if d := cmp.Diff(before, back); d != "" {
		b.t.Errorf("Back leads elsewhere (-want +got):\n%s", d)
	}
	var open bool
	if b.run(`return folds()[1].open`, &open); !open {
		b.t.Error("Back closes the fold")
	}
	b.run(`history.forward()`, nil)
	b.await("the second pair", `view.right === "busywait"`)
	b.await("the place in it", `scrollY === 0`)
	b.run(`scrollTo(0, 321)`, nil)
	b.call("POST", "/refresh", struct{}{}, nil)
	b.await("the place after a reload", `scrollY === 321`)
}

// checkLines follows the links in the notes, and one to a line in a fold.
func (b *browser) checkLines(m *module) {
	for _, s := range m.steps {
		b.open("#" + strings.ReplaceAll(s.name(), " -> ", ".."))
		var places []string
		b.run(`return [...document.querySelectorAll("#notes a")].map(a => a.hash.replace(/.*?:/, ""))`, &places)
		for i, at := range places {
			b.run(fmt.Sprintf(`document.querySelectorAll("#notes a")[%d].click()`, i), nil)
			b.await(s.name()+", line "+at, fmt.Sprintf(`find(%q).closest("tr.target")?.checkVisibility()`, at))
			b.checkInSight("tr.target")
		}
		if len(places) == 0 && len(s.paragraphs) > 0 {
			b.t.Errorf("%s: no note leads to the code", s.name())
		}
	}
	b.open("#epollsrv..kqueuesrv")
	var at string
	b.run(`return folds()[0].querySelectorAll("[data-at]")[4].hash`, &at)
	b.open("#stblock")
	b.open(at)
	b.await("line "+at, `document.querySelector("tr.target")?.checkVisibility()`)
	b.checkInSight("tr.target")
	b.run("scrollTo(0, 0); document.querySelector('tr.target a').click()", nil)
	b.checkInSight("tr.target")
}

// checkInSight checks that an element is within the window.
func (b *browser) checkInSight(selector string) {
	b.t.Helper()
	var top int
	b.run(fmt.Sprintf("return Math.round(document.querySelector(%q).getBoundingClientRect().top)", selector), &top)
	if top < 0 || top > 880 {
		b.t.Errorf("%s is out of sight, at %d", selector, top)
	}
}

// checkSelection selects some lines of one side with the mouse.
func (b *browser) checkSelection(m *module) {
	b.open("#stblock..mtblock")
	for column, flavor := range map[int]string{1: "stblock", 3: "mtblock"} {
		lines := m.lines[flavor]["main.go"]
		first := slices.Index(lines, "import (")
		want := strings.Join(lines[first-2:first+1], "\n")
		var ends [2]point
		b.run(fmt.Sprintf(`getSelection().removeAllRanges();
			const rows = [...document.querySelectorAll("#code tr")].filter(row => row.checkVisibility());
			const end = rows.findIndex(row => row.cells[%d].textContent === "import (");
			rows[end - 1].scrollIntoView({block: "center"});
			return [rows[end - 2], rows[end]].map((row, i) => {
				const r = document.createRange();
				r.selectNodeContents(row.cells[%[1]d].firstChild);
				const {left, right, top, bottom} = r.getBoundingClientRect();
				return {x: Math.round(i ? right + 20 : left), y: Math.round((top + bottom) / 2)};
			})`, column), &ends)
		b.drag(ends[0], ends[1])
		var got string
		b.run("return getSelection().toString()", &got)
		if d := cmp.Diff(want, strings.TrimSuffix(got, "\n")); d != "" {
			b.t.Errorf("selected in %s (-want +got):\n%s", flavor, d)
		}
	}
}

// contrast returns the texts whose contrast to what is behind them is below 4.5.
const contrast = `
	const ctx = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgb = color => { ctx.clearRect(0, 0, 1, 1); ctx.fillStyle = color; ctx.fillRect(0, 0, 1, 1); return ctx.getImageData(0, 0, 1, 1).data; };
	const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } };
	const low = new Set();
	let seen = 0;
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim())) continue;
		seen++;
		const [a, b] = [luminance(rgb(getComputedStyle(e).color)), luminance(behind(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) low.add(e.tagName + "." + e.className + " " + ratio.toFixed(2) + " " + e.textContent.slice(0, 40));
	}
	return seen > 100 ? [...low] : ["only " + seen + " texts"];`

// checkContrast checks that all text can be read, in both themes.
func (b *browser) checkContrast(m *module) {
	for range 2 {
		b.run(`$("theme").click()`, nil)
		for _, s := range m.steps {
			b.open("#" + strings.ReplaceAll(s.name(), " -> ", ".."))
			b.run(`$("trace").open = true`, nil)
			var low []string
			if b.run(contrast, &low); len(low) > 0 {
				b.t.Errorf("%s: low contrast: %q", s.name(), low)
			}
		}
	}
}

// checkTheme changes the theme, which must change the colours and last.
func (b *browser) checkTheme(*module) {
	const color = `return getComputedStyle(document.body).backgroundColor`
	var before, after, reloaded string
	b.run(color, &before)
	b.run(`document.getElementById("theme").click();`+color, &after)
	if before == after {
		b.t.Errorf("both themes have the background %s", before)
	}
	b.call("POST", "/refresh", struct{}{}, nil)
	if b.run(color, &reloaded); reloaded != after {
		b.t.Errorf("the background was %s, and is %s after a reload", after, reloaded)
	}
}

// checkTextSize reads the page with text of twice the size.
func (b *browser) checkTextSize(m *module) {
	size := func(px int) {
		b.devtools("Page.setFontSizes", map[string]any{"fontSizes": map[string]int{"standard": px, "fixed": px}})
	}
	b.open("#stblock")
	height := func() (px int) {
		b.run(`return Math.round(parseFloat(getComputedStyle(document.querySelector("#code td.code")).fontSize) * 100)`, &px)
		return px
	}
	once := height()
	size(32)
	defer size(16)
	for _, width := range []int{2000, 1400, 800, 400} {
		b.resize(width)
		if twice := height(); twice < once*18/10 {
			b.t.Errorf("%d wide: code of %d %% of a pixel is of %d with text of twice the size", width, once, twice)
		}
		for _, s := range m.steps {
			b.open("#" + strings.ReplaceAll(s.name(), " -> ", ".."))
			b.checkWidth(fmt.Sprintf("%d wide, at twice the text size: %s", width, s.name()))
		}
	}
}

// checkPicture takes the picture of the page that README shows. To make it anew:
//
//	go test ./scripts/diff -run TestPage -picture ../results/page.png
func (b *browser) checkPicture(*module) {
	b.devtools("Emulation.setScrollbarsHidden", map[string]any{"hidden": true})
	defer b.devtools("Emulation.setScrollbarsHidden", map[string]any{"hidden": false})
	b.devtools("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1200, "height": 1300, "deviceScaleFactor": 1, "mobile": false})
	b.run(`setTheme("light")`, nil)
	b.open("#stblock..mtblock")
	b.run(`scrollTo(0, 0)`, nil)
	var data []byte // JSON has bytes in base64
	b.call("GET", "/screenshot", nil, &data)
	image, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || image.Width != 1200 {
		b.t.Fatalf("the picture is %d wide: %v", image.Width, err)
	}
	if *picture == "" {
		return
	}
	if err := os.WriteFile(*picture, data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// checkWithoutScript reads the page without JavaScript.
func (b *browser) checkWithoutScript(*module) {
	b.devtools("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	defer b.devtools("Emulation.setScriptExecutionDisabled", map[string]any{"value": false})
	b.call("POST", "/refresh", struct{}{}, nil)
	var text string
	if b.run("return document.body.innerText", &text); !strings.HasPrefix(text, "This page needs JavaScript") || strings.Count(text, "\n") > 1 {
		b.t.Errorf("without JavaScript, the page says %q", text)
	}
	if controls := b.texts("button, select, summary, a"); len(controls) > 0 {
		b.t.Errorf("without JavaScript, there are controls: %q", controls)
	}
}

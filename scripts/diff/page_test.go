package main

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var picture = flag.String("picture", "", "write a picture of the page to this `file`")

// loaded returns the flavors, and what the page gets, which takes a while to make.
var loaded = sync.OnceValues(func() (*module, *pageData) {
	m, err := load("../..")
	if err != nil {
		panic(err)
	}
	data, err := m.pageData()
	if err != nil {
		panic(err)
	}
	return m, data
})

func (s step) address() string { return "#" + strings.ReplaceAll(s.name(), " -> ", "..") }

// WebDriver's names of keys.
const arrowLeft, arrowRight, arrowDown, shift, control, escape, enter = "\uE012", "\uE014", "\uE015", "\uE008", "\uE009", "\uE00C", "\uE007"

// TestPage writes the page, and reads it in Chromium as a reader does.
func TestPage(t *testing.T) {
	m, data := loaded()
	file := filepath.Join(t.TempDir(), "page.html")
	err := m.writePage(file)
	text, _ := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if load := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?(https?:)?//|@import|url\(|light-dark\(|\{\{`).Find(text); load != nil || len(text) > 400<<10 {
		t.Errorf("the page has %d bytes, and %q", len(text), load)
	}
	for _, s := range m.steps {
		for _, want := range append(strings.Split(html.EscapeString(source(t, s.last())), "\n")[20:30], "<strong>"+html.EscapeString(s.sentence), "\n+\t\t\tgo c.serve()\n", "<p>B connects?: ") {
			if !bytes.Contains(text[:bytes.Index(text, []byte("\n</noscript>"))], []byte(want)) {
				t.Errorf("%s: the page without JavaScript lacks %q", s.name(), want)
			}
		}
	}
	b := openBrowser(t)
	b.resize(1440, 900)
	b.call("POST", "/url", map[string]any{"url": "file://" + file}, nil)
	for _, part := range []struct {
		name string
		read func(*browser, *module, *pageData)
	}{
		{"steps", (*browser).readSteps}, {"conversation", (*browser).playConversation}, {"links", (*browser).followLinks}, {"copies", (*browser).copyCode},
		{"narrow", (*browser).readNarrow}, {"folds", (*browser).openFolds}, {"picture", (*browser).takePicture}, {"surroundings", (*browser).changeSurroundings},
	} {
		b.resize(1440, 900)
		t.Run(part.name, func(t *testing.T) { part.read(&browser{t, b.session}, m, data) })
	}
	var entries []struct{ Level, Message string }
	b.call("POST", "/se/log", map[string]any{"type": "browser"}, &entries)
	for _, e := range entries {
		if strings.HasPrefix(e.Message, "file:") { // and not one of the browser's own
			t.Errorf("console: %s: %s", e.Level, e.Message)
		}
	}
}

// fits is true if nothing is wider than the window.
const fits = `[...document.querySelectorAll("#page *")].filter(e => e.checkVisibility() && !e.matches(".hidden, .tabs, select, option, .line, .line code, .names span") &&
	(e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")).map(e => e.outerHTML.slice(0, 120)).join() || true`

// isSeen is true if some element that a selector names is between the bar and what stands at
// the bottom.
func isSeen(selector string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => { const {top, bottom, height} = e.getBoundingClientRect();
		return height && top >= document.querySelector(".bar").offsetHeight - 1 && bottom <= $("talk").getBoundingClientRect().top + 1; })`, selector)
}

// readSteps goes along the reading order, and to the first change in each.
func (b *browser) readSteps(m *module, data *pageData) {
	b.open("#stblock")
	for i, s := range m.steps {
		if i > 0 {
			b.press(shift, arrowRight)
		}
		b.await(s.name(), fmt.Sprintf(`location.hash === %q && document.querySelector("h1").textContent === %q`, s.address(), s.sentence))
		hunks, _ := m.hunks(s.left, s.last(), "main.go")
		notes := 0
		for _, n := range data.Steps[i].Notes {
			notes += min(len(n.Text), 1)
		}
		b.check(s.name(), fits)
		b.check(s.name(), fmt.Sprintf(`[document.querySelectorAll("#code [data-sign]").length, document.querySelectorAll(".note p").length].join() === "%d,%d" &&
			document.querySelectorAll("#costs tbody tr").length > 3 && document.querySelectorAll("h1").length === 1 && document.querySelectorAll("h2").length > 3`, count(hunks), notes))
		b.check(s.name()+": each note is beside its code", `[...document.querySelectorAll(".note")].every(note => note.getBoundingClientRect().right <=
			note.nextElementSibling.getBoundingClientRect().left && note.parentElement.offsetTop === note.nextElementSibling.offsetTop)`)
		b.check(s.name()+": the first change is in sight", isSeen("#code td.left, #code td.right")+` || !view.right`)
		b.press(shift, arrowDown)
		b.await("a change", isSeen("tr.target")+` && document.activeElement.closest("tr.target") && (!view.right || document.querySelector("tr.target :is(.left, .right)"))`)
		b.run("history.back()", nil)
		b.await("no change", `!view.at`)
	}
	b.press(shift, arrowLeft)
	b.await("the step before", fmt.Sprintf(`location.hash === %q`, m.steps[len(m.steps)-2].address()))
	for _, address := range []string{"#100%", "#nosuch", "#stblock..stblock", "#..stblock", "#constructor"} {
		b.run(fmt.Sprintf("location.hash = %q", address), nil)
		b.await(address, fmt.Sprintf(`document.querySelector("h1").textContent === "Nothing here is named “" + %q + "”" &&
			!$("work").checkVisibility() && document.querySelectorAll("#notes li a").length === %d`, address[1:], len(m.steps)))
	}
}

// playConversation plays the conversation in each step, with one key.
func (b *browser) playConversation(m *module, data *pageData) {
	for i, s := range m.steps {
		b.open(s.address())
		questions := 0
		for at, e := range data.Events {
			b.press(arrowRight)
			if slices.ContainsFunc(data.Steps[i].Events, func(q pageEvent) bool { return q.Name == e.Name && q.Question != nil }) {
				b.await("the question", `view.asks && $("said").textContent.endsWith("?") && !document.querySelector("#calls td").checkVisibility({visibilityProperty: true})`)
				b.press(arrowRight)
				questions++
			}
			what := s.name() + ", " + e.Name
			b.await(what, fmt.Sprintf(`view.event === %d && !view.asks && $("event").textContent === %q && (%s || !document.querySelector("#code .calls, #code .waits"))`,
				at, e.Name, isSeen("#code td.code:is(.calls, .waits)")))
			var want, got []string
			for side, flavor := range map[string]string{"L": s.left, "R": s.right} {
				if trace := data.Traces[flavor]; trace != nil {
					for _, r := range trace[at].Rows {
						want = append(want, side+" "+r.Text)
						if file, n, _ := strings.Cut(strings.Join(r.Lines, ":"), ":"); file == "main.go" {
							n, _, _ = strings.Cut(n, ":")
							want = append(want, side+n+map[bool]string{true: " waits", false: " calls"}[r.Kind == "wait"])
						}
					}
				}
			}
			b.run(`const fits = $("said").textContent.length > 20 && $("calls").scrollHeight <= $("calls").clientHeight && $("talk").getBoundingClientRect().bottom <= innerHeight;
				return [...fits ? [] : ["too much"], ...[...document.querySelectorAll("#calls td.call:not(.none)")].map(td => (td.matches(".L") ? "L " : "R ") + td.lastChild.textContent),
					...["calls", "waits"].flatMap(kind => [...document.querySelectorAll("#code td.number." + kind + " a")].map(a => a.dataset.at + " " + kind))]`, &got)
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(slices.Compact(want), slices.Compact(got)); d != "" {
				b.t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		b.check(s.name()+" ends", fmt.Sprintf(`$("next").getAttribute("aria-disabled") === "true" && %d < 2`, questions))
	}
	b.open("#stblock..mtblock:B-connects")
	b.press(arrowLeft)
	b.await("the event before", `location.hash === "#stblock..mtblock:A-sends-a-SET"`)
	b.run("history.back()", nil)
	b.await("back", `view.events[view.event].name === "B connects" && document.querySelector(".R.waits") !== null`)
	b.run("history.forward()", nil)
	b.await("forward", `view.events[view.event].name === "A sends a SET"`)
	b.run(`document.querySelector("#calls .R a").click()`, nil)
	b.await("the line of a call", `document.querySelector("tr.target .R.calls .text").textContent.includes("unix.Read(") && document.activeElement.closest("tr.target")`)
	b.run(`getSelection().removeAllRanges(); document.querySelector("tr.target td.code.L").click()`, nil)
	b.await("the next event of the line", `view.events[view.event].name === "A sends a GET" && document.querySelector("tr.target .L.calls") !== null`)
	b.run(`$("leave").focus()`, nil)
	b.press(escape)
	b.await("leaving", `location.hash === "#stblock..mtblock" && !document.querySelector(".calls, .waits, .path") && document.activeElement.id === "next"`)
}

// followLinks follows links with the keyboard: the focus goes with the reader.
func (b *browser) followLinks(m *module, data *pageData) {
	b.open("#stblock")
	b.run(`document.querySelector("nav a[href='#busywait..epollsrv']").focus()`, nil)
	b.press(enter)
	b.await("the step, and its heading", `view.name === "busywait..epollsrv" && document.activeElement.matches("h1")`)
	b.run(`document.querySelector(".note a[href*=':R']").focus()`, nil)
	b.press(enter)
	b.await("the line of a note", `view.at && document.activeElement.closest("tr.target") && `+isSeen("tr.target"))
	for what, expression := range map[string]string{
		"a system call leads to its manual page": `document.querySelector(".note a[href^='https://man7.org/']").textContent === "epoll_ctl(2)"`,
		"names lead to declarations": `[...document.querySelectorAll("td.code.R a")].find(a => a.textContent === "expect").hash.endsWith(":" +
			[...document.querySelectorAll("td.code.R")].find(td => td.textContent.startsWith("func (c *conn) expect")).previousSibling.lastChild.dataset.at)`,
		"an indentation that changes is marked": `[...document.querySelectorAll("mark.tabs")].some(e => e.offsetWidth > 20)`,
		"nothing is under bars":                 `parseFloat(getComputedStyle(root).scrollPaddingTop) >= document.querySelector(".bar").offsetHeight && parseFloat(getComputedStyle(root).scrollPaddingBottom) >= $("talk").offsetHeight`,
		"code is not to be translated":          `["code", "stays", "calls"].every(id => $(id).translate === false) && [...document.querySelectorAll(".note")].every(e => e.translate)`,
		"the code glides":                       `pace() === "smooth"`,
	} {
		b.check(what, expression)
	}
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-reduced-motion", "value": "reduce"}}})
	b.check("but not for who wants no motion", `pace() === "instant"`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []any{}})
}

// copyCode copies code, and calls, of one side; and all.
func (b *browser) copyCode(m *module, data *pageData) {
	b.open("#stblock..mtblock")
	b.run(`$("whole").open = true; for (const f of folds()) f.open = true`, nil)
	for side, flavor := range map[string]string{"L": "stblock", "R": "mtblock"} {
		var got string
		b.run(fmt.Sprintf(`document.querySelector("#code td.code.%s").dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}));
			getSelection().selectAllChildren($("code")); return getSelection().toString()`, side), &got)
		if d := cmp.Diff(strings.Fields(source(b.t, flavor)), strings.Fields(got)); d != "" {
			b.t.Errorf("copied from %s (-want +got):\n%s", flavor, d)
		}
		b.check("calls of "+flavor, fmt.Sprintf(`getSelection().selectAllChildren($("whole")), getSelection().toString().includes("clone()") === (%q === "R")`, side))
	}
	b.run(`getSelection().removeAllRanges(); document.body.dispatchEvent(new PointerEvent("pointerup", {bubbles: true}))`, nil)
	b.press(control, "a")
	b.await("all is selected", `["Stblock is", "Mtblock is"].every(text => getSelection().toString().includes(text))`)
	b.run(`getSelection().removeAllRanges(); $("whole").open = false`, nil)
}

// readNarrow reads with less room, or with larger text: one side at a time.
func (b *browser) readNarrow(m *module, data *pageData) {
	for _, size := range []struct {
		width, height, text int
		layout              string
	}{{1400, 900, 32, "narrow"}, {700, 450, 16, "narrow"}, {390, 844, 16, "narrow"}, {320, 640, 16, "narrow"}, {1000, 700, 16, "sides"}, {1200, 800, 16, "beside"}, {1920, 1080, 16, "beside"}} {
		b.resize(size.width, size.height)
		b.run(fmt.Sprintf(`root.style.fontSize = "%dpx"`, size.text), nil)
		b.await("the layout", fmt.Sprintf(`root.dataset.layout === %q`, size.layout))
		for _, address := range []string{"#stblock", "#busywait..epollsrv:A-asks-for-16-MB-reads-nothing", "#mtblock..goroutinesrv:A-sends-a-SET?"} {
			b.open(address)
			b.check(fmt.Sprint(size, address), fits)
			b.check(fmt.Sprint(size, address), `document.querySelector(".bar").offsetHeight < innerHeight / 8 && $("talk").offsetHeight < innerHeight * .6`)
		}
	}
	b.run(`root.style.fontSize = ""`, nil)
	b.resize(390, 844)
	b.open("#stblock..mtblock:B-sends-a-GET")
	b.await("one side", `root.dataset.layout === "narrow" && !document.querySelector("#calls .L").checkVisibility() && `+isSeen("td.R.waits"))
	b.run(`$("flip").click()`, nil)
	b.await("the other", `document.querySelector("#calls .L").checkVisibility() && !document.querySelector("td.code.R").checkVisibility() && document.querySelector("td.L.waits").checkVisibility()`)
	b.check("a line's link can be hit", `[...document.querySelectorAll("#code td.number.L a")].filter(a => a.checkVisibility()).every(a => a.offsetWidth >= 24 && a.offsetHeight >= 24)`)
}

// openFolds opens folds, all and one, and comes back to a place.
func (b *browser) openFolds(m *module, data *pageData) {
	b.open("#epollsrv..kqueuesrv")
	b.run(`for (const f of folds()) f.open = false; $("folds").click()`, nil)
	b.open("#mtblock..goroutinesrv")
	b.call("POST", "/refresh", struct{}{}, nil)
	b.check("all are open, after a reload too", `folds().length > 2 && folds().every(f => f.open)`)
	b.run(`$("folds").click()`, nil)
	b.await("all to close", `folds().every(f => !f.open)`)
	b.run(`scrollTo(0, 321); const select = $("right"); select.focus({preventScroll: true}); select.value = "busywait"; select.dispatchEvent(new Event("change"))`, nil)
	b.await("the other flavor", `view.right === "busywait" && !keep && document.activeElement.id === "right"`)
	b.run("history.back()", nil)
	b.await("the place before", `view.right === "goroutinesrv" && scrollY === 321`)
	b.open("#epollsrv..kqueuesrv:answer.go:12")
	b.await("a line in a fold", isSeen("#stays tr.target"))
}

// takePicture takes the picture of the page that README shows. To make it anew:
//
//	go test ./scripts/diff -run TestPage -picture ../results/page.png
func (b *browser) takePicture(m *module, data *pageData) {
	b.run(`root.dataset.theme = "light"`, nil)
	b.open("#stblock..mtblock:B-sends-a-GET")
	b.await("the line that waits, at rest", `(globalThis.lastY === scrollY && `+isSeen("td.L.waits")+`) || ((globalThis.lastY = scrollY), false)`)
	var image struct{ Data []byte } // in base64
	b.call("POST", "/goog/cdp/execute", map[string]any{"cmd": "Page.captureScreenshot", "params": struct{}{}}, &image)
	if *picture != "" {
		if err := os.WriteFile(*picture, image.Data, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// changeSurroundings reads in the other theme, on paper, and without JavaScript.
func (b *browser) changeSurroundings(m *module, data *pageData) {
	b.run(`localStorage.setItem("theme", "dark"); store.set("theme", "{}"); setTheme()`, nil)
	b.check("a theme of others", `root.dataset.theme === "light"`)
	b.run(`$("theme").click()`, nil)
	b.call("POST", "/refresh", struct{}{}, nil)
	b.await("the theme to last", `root.dataset.theme === "dark" && getComputedStyle(document.body).colorScheme === "dark" && store.get("theme") === "dark"`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"media": "print"})
	b.await("the page to unfold", `[...document.querySelectorAll("details")].every(d => d.open) && !$("talk").checkVisibility()`)
	b.check("on paper", `$("whole").querySelectorAll("tbody").length === data.traces.stblock.length && $("whole").offsetHeight > 500 && root.dataset.layout === "sides"`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"media": ""})
	b.await("the page to fold", `folds().some(f => !f.open)`)
	b.devtools("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	b.call("POST", "/refresh", struct{}{}, nil)
	b.await("the page without JavaScript", `document.querySelectorAll("noscript h2").length === 6 && document.querySelectorAll("noscript pre").length === 6 && !document.querySelector("#page").checkVisibility()`)
}

package main

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ioflavors/scripts/trace/recording"
)

var picture = flag.String("picture", "", "write a picture of the page to this `file`")

// load1 loads the flavors, and all that the page gets, once.
var load1 = sync.OnceValues(func() (*pageData, error) {
	m, err := load("../..")
	if err != nil {
		return nil, err
	}
	return m.pageData()
})

func loaded(t *testing.T) (*module, *pageData) {
	t.Helper()
	m, err := load("../..")
	if err != nil {
		t.Fatal(err)
	}
	data, err := load1()
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

func (s step) address() string { return "#" + strings.ReplaceAll(s.name(), " -> ", "..") }

// TestPageIsWhole checks that the page is one file, and no large one, with something to read
// for whoever has no JavaScript.
func TestPageIsWhole(t *testing.T) {
	m, data := loaded(t)
	text := pageText(t)
	if load := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?(https?:)?//|@import|url\(|light-dark\(|\{\{`).Find(text); load != nil {
		t.Errorf("the page has %q", load)
	}
	if len(text) > 400<<10 {
		t.Errorf("the page has %d bytes", len(text))
	}
	for _, f := range data.Flavors {
		if d := cmp.Diff(source(t, f.Name), strings.Join(f.Lines, "\n")+"\n"); d != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, d)
		}
	}
	plain, _, _ := strings.Cut(string(text), "</noscript>\n<div")
	for _, s := range m.steps {
		if !strings.Contains(plain, "<strong>"+html.EscapeString(s.sentence)) || len(s.notes) == 0 {
			t.Errorf("%s is not in the plain page", s.name())
		}
	}
	if !strings.Contains(plain, "\n+\t\t\tgo c.serve()\n") || !strings.Contains(plain, "<p>B connects?: ") {
		t.Error("the plain page lacks a diff, or an event")
	}
}

func pageText(t *testing.T) []byte {
	t.Helper()
	m, _ := loaded(t)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := m.writePage(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// WebDriver's names of keys.
const arrowLeft, arrowUp, arrowRight, arrowDown, shift, control, escape, enter = "\uE012", "\uE013", "\uE014", "\uE015", "\uE008", "\uE009", "\uE00C", "\uE007"

// TestPage reads the page in Chromium as a reader does.
func TestPage(t *testing.T) {
	b := openBrowser(t)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, pageText(t), 0o644); err != nil {
		t.Fatal(err)
	}
	b.resize(1440, 900)
	b.call("POST", "/url", map[string]any{"url": "file://" + file}, nil)
	m, data := loaded(t)
	for _, part := range []struct {
		name string
		read func(*browser, *module, *pageData)
	}{
		{"steps", (*browser).readSteps}, {"conversation", (*browser).readConversation}, {"links", (*browser).followLinks},
		{"copies", (*browser).copyCode}, {"narrow", (*browser).readNarrow}, {"folds", (*browser).openFolds},
		{"picture", (*browser).takePicture}, {"surroundings", (*browser).changeSurroundings},
	} {
		b.resize(1440, 900)
		t.Run(part.name, func(t *testing.T) {
			sub := *b
			sub.t = t
			part.read(&sub, m, data)
		})
	}
	var entries []struct{ Level, Message string }
	b.call("POST", "/se/log", map[string]any{"type": "browser"}, &entries)
	for _, e := range entries {
		if strings.HasPrefix(e.Message, "file:") { // and not one of the browser's own
			t.Errorf("console: %s: %s", e.Level, e.Message)
		}
	}
}

// open shows what an address names.
func (b *browser) open(address string) {
	b.t.Helper()
	b.run(fmt.Sprintf("location.hash = %q", address), nil)
	b.await(address, fmt.Sprintf("decodeURI(location.hash) === %q && view.address === location.hash", address))
}

// check checks that an expression is true of the page.
func (b *browser) check(what, expression string) {
	b.t.Helper()
	var got any
	if b.run("return "+expression, &got); got != true {
		b.t.Errorf("%s: %s is %v", what, expression, got)
	}
}

// fits returns what is wider than the window.
const fits = `[...document.querySelectorAll("#page *")].filter(e => e.checkVisibility() && !e.matches(".hidden, .tabs, select, option, .line, .line code, .names span") &&
	(e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")).map(e => e.outerHTML.slice(0, 120)).join() || true`

// isSeen reports whether some element that a selector names is between the bar and what
// stands at the bottom.
func isSeen(selector string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => { const {top, bottom, height} = e.getBoundingClientRect();
		return height && top >= document.querySelector(".bar").offsetHeight - 1 && bottom <= $("talk").getBoundingClientRect().top + 1; })`, selector)
}

// readSteps goes along the reading order, and to each change.
func (b *browser) readSteps(m *module, data *pageData) {
	b.open("#stblock")
	b.check("headings", `document.querySelectorAll("h2").length > 3 && document.querySelectorAll("h1").length === 1`)
	for i, s := range m.steps {
		if i > 0 {
			b.press(shift, arrowRight)
		}
		b.await(s.name(), fmt.Sprintf(`location.hash === %q && document.querySelector("h1").textContent === %q`, s.address(), s.sentence))
		hunks, err := m.hunks(s.left, s.last(), "main.go")
		if err != nil {
			b.t.Fatal(err)
		}
		var changed [2]int
		b.run(`return ["left", "right"].map(side => document.querySelectorAll("#code td.number." + side + "[data-sign]").length)`, &changed)
		if changed[0]+changed[1] != count(hunks) {
			b.t.Errorf("%s: %d lines are marked, %d change", s.name(), changed, count(hunks))
		}
		b.check(s.name(), fits)
		b.check(s.name(), fmt.Sprintf(`document.querySelectorAll(".note p").length === %d && document.querySelectorAll("#costs tbody tr").length > 3`,
			len(slices.DeleteFunc(slices.Clone(s.notes), func(n note) bool { return strings.Contains(n.at, " ") }))))
		b.check(s.name()+": notes beside the code", `[...document.querySelectorAll(".note")].every(note => {
			const code = note.nextElementSibling.getBoundingClientRect(), {top, right} = note.getBoundingClientRect();
			return right <= code.left && Math.abs(top - code.top) < 2; })`)
		b.check(s.name()+": the first change is in sight", isSeen("#code td.left, #code td.right")+` || !view.right`)
		b.press(shift, arrowDown)
		b.await("a change in sight", isSeen("tr.target"))
		b.check(s.name(), `document.activeElement.closest("tr")?.matches(".target") && (!view.right || document.querySelector("tr.target :is(.left, .right)") !== null)`)
		b.run("history.back()", nil)
		b.await("no change", `!view.at`)
	}
	b.press(shift, arrowLeft)
	b.await("the step before", fmt.Sprintf(`location.hash === %q`, m.steps[len(m.steps)-2].address()))
	for _, address := range []string{"#100%", "#nosuch", "#stblock..nosuch", "#stblock..stblock", "#..stblock", "#constructor"} {
		b.run(fmt.Sprintf("location.hash = %q", address), nil)
		b.await(address, fmt.Sprintf(`document.querySelector("h1").textContent === "Nothing here is named “" + %q + "”" && !$("work").checkVisibility()`, address[1:]))
	}
	b.check("the steps are named", fmt.Sprintf(`document.querySelectorAll("#notes li a").length === %d`, len(m.steps)))
}

// readConversation plays the conversation in each step, with one key.
func (b *browser) readConversation(m *module, data *pageData) {
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
			b.await(e.Name, fmt.Sprintf(`view.event === %d && !view.asks && $("talk").querySelector("h2").textContent === %q`, at, e.Name))
			what := s.name() + ", " + e.Name
			var want, got []string
			for side, flavor := range map[string]string{"L": s.left, "R": s.right} {
				if trace := data.Traces[flavor]; trace != nil {
					want = append(want, shown(side, trace[at])...)
				}
			}
			b.run(`return [...[...document.querySelectorAll("#calls td.call:not(.none)")].map(td => (td.matches(".L") ? "L " : "R ") + [...td.childNodes].at(-1).textContent),
				...["calls", "waits"].flatMap(kind => [...document.querySelectorAll("#code td.number." + kind + " a")].map(a => a.dataset.at + " " + kind))]`, &got)
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(slices.Compact(want), slices.Compact(got)); d != "" {
				b.t.Errorf("%s (-want +got):\n%s", what, d)
			}
			b.check(what, `$("said").textContent.length > 20 && $("calls").scrollHeight <= $("calls").clientHeight && $("talk").getBoundingClientRect().bottom <= innerHeight`)
			b.await(what+": a line that runs, in sight", isSeen("#code td.code:is(.calls, .waits)")+` || !document.querySelector("#code .calls, #code .waits")`)
		}
		if questions > 1 {
			b.t.Errorf("%s asks %d questions", s.name(), questions)
		}
		b.check(s.name(), `$("next").disabled`)
	}
	b.open("#stblock..mtblock:B-connects")
	b.press(arrowLeft)
	b.await("the event before", `location.hash === "#stblock..mtblock:A-sends-a-SET"`)
	b.run("history.back()", nil)
	b.await("back", `view.events[view.event].name === "B connects" && document.querySelector(".R.waits") !== null`)
	b.run("history.forward()", nil)
	b.await("forward", `view.events[view.event].name === "A sends a SET"`)
	b.press(escape)
	b.await("leaving", `location.hash === "#stblock..mtblock" && !document.querySelector(".calls, .waits, .path")`)
	b.open("#stblock..mtblock:A-sends-a-SET")
	b.run(`document.querySelector("#calls .R a").click()`, nil)
	b.await("the line of a call", `document.querySelector("tr.target .R.calls .text").textContent.includes("unix.Read(") && document.activeElement.closest("tr.target")`)
	b.run(`getSelection().removeAllRanges(); document.querySelector("tr.target td.code.L").click()`, nil)
	b.await("the next event of the line", `view.events[view.event].name === "A sends a GET" && document.querySelector("tr.target .L.calls") !== null`)
}

// shown returns what the page shows of an event on a side: its rows, and the lines that run.
func shown(side string, e recording.Event) (list []string) {
	for _, r := range e.Rows {
		if len(r.Lines) > 0 {
			if file, n, _ := strings.Cut(r.Lines[0], ":"); file == "main.go" {
				list = append(list, side+n+map[bool]string{true: " waits", false: " calls"}[r.Kind == "wait"])
			}
		}
		list = append(list, side+" "+r.Text)
	}
	return list
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
	b.check("a system call leads to its manual page", `document.querySelector(".note a[href^='https://man7.org/']").textContent === "epoll_ctl(2)"`)
	b.check("names lead to declarations", `[...document.querySelectorAll("td.code.R a")].find(a => a.textContent === "expect").hash === "#busywait..epollsrv:" +
		[...document.querySelectorAll("td.code.R")].find(td => td.textContent.startsWith("func (c *conn) expect")).previousSibling.lastChild.dataset.at`)
	b.check("an indentation that changes is marked", `[...document.querySelectorAll("mark.tabs")].some(e => e.offsetWidth > 20)`)
	b.check("nothing is under the bar", `parseFloat(getComputedStyle(root).scrollPaddingTop) >= document.querySelector(".bar").offsetHeight`)
	b.check("nor under the conversation", `parseFloat(getComputedStyle(root).scrollPaddingBottom) >= $("talk").offsetHeight`)
	b.check("code is not to be translated", `["code", "stays", "calls"].every(id => $(id).translate === false) && [...document.querySelectorAll(".note")].every(e => e.translate)`)
	b.check("a reader who wants no motion", `pace() !== "instant"`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-reduced-motion", "value": "reduce"}}})
	b.check("gets none", `pace() === "instant"`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []any{}})
}

// copyCode copies code, and calls, of one side.
func (b *browser) copyCode(m *module, data *pageData) {
	b.open("#stblock..mtblock:B-connects")
	b.run(`$("whole").open = true; for (const f of folds()) f.open = true`, nil)
	for side, flavor := range map[string]string{"L": "stblock", "R": "mtblock"} {
		var got string
		b.run(fmt.Sprintf(`document.querySelector("#code td.code.%s").dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}));
			getSelection().selectAllChildren($("code")); return getSelection().toString()`, side), &got)
		if d := cmp.Diff(strings.Fields(source(b.t, flavor)), strings.Fields(got)); d != "" {
			b.t.Errorf("copied from %s (-want +got):\n%s", flavor, d)
		}
		b.check("calls", fmt.Sprintf(`getSelection().selectAllChildren($("whole")), getSelection().toString().includes("clone()") === (%q === "R")`, side))
	}
	b.run(`getSelection().removeAllRanges(); document.querySelector("#code td.code.R").click()`, nil)
	b.run(`document.body.dispatchEvent(new PointerEvent("pointerup", {bubbles: true}))`, nil)
	b.press(control, "a")
	b.await("all is selected", `["Stblock is", "Mtblock is"].every(text => getSelection().toString().includes(text))`)
	b.run(`getSelection().removeAllRanges(); $("whole").open = false`, nil)
}

// readNarrow reads with less room, or with larger text: one side at a time.
func (b *browser) readNarrow(m *module, data *pageData) {
	for _, size := range [][3]int{{1440, 900, 32}, {700, 450, 16}, {390, 844, 16}, {320, 640, 16}, {1920, 1080, 16}, {1000, 700, 16}} {
		b.resize(size[0], size[1])
		b.run(fmt.Sprintf(`root.style.fontSize = "%dpx"`, size[2]), nil)
		b.await("the layout", fmt.Sprintf(`root.dataset.layout === %q`, map[bool]string{true: "narrow"}[size[0] < 900 || size[2] > 16]+map[int]string{1920: "beside", 1000: "sides"}[size[0]]))
		for _, address := range []string{"#stblock", "#busywait..epollsrv", "#busywait..epollsrv:A-asks-for-16-MB-reads-nothing", "#mtblock..goroutinesrv:A-sends-a-SET?"} {
			b.open(address)
			b.check(fmt.Sprint(size, address), fits)
			b.check(fmt.Sprint(size, address), `document.querySelector(".bar").offsetHeight < innerHeight / 8 && $("talk").offsetHeight < innerHeight * .6`)
		}
		b.run(`root.style.fontSize = ""`, nil)
	}
	b.resize(390, 844)
	b.open("#stblock..mtblock:B-sends-a-GET")
	b.await("one side", `root.dataset.layout === "narrow" && !document.querySelector("#calls .L").checkVisibility() && `+isSeen("td.R.waits"))
	b.run(`$("flip").click()`, nil)
	b.await("the other", `document.querySelector("#calls .L").checkVisibility() && !document.querySelector("td.code.R").checkVisibility() && document.querySelector("td.L.waits").checkVisibility()`)
	b.check("a line's link can be hit", `[...document.querySelectorAll("#code td.number.L a")].filter(a => a.checkVisibility()).every(a => a.offsetWidth >= 24 && a.offsetHeight >= 24)`)
}

// openFolds opens folds: all, and one by a search; and comes back to them.
func (b *browser) openFolds(m *module, data *pageData) {
	b.open("#epollsrv..kqueuesrv")
	b.run(`for (const f of folds()) f.open = false`, nil)
	b.await("folds", `folds().length > 2`)
	b.run(`$("folds").click()`, nil)
	b.open("#mtblock..goroutinesrv")
	b.check("all are open", `folds().every(f => f.open)`)
	b.call("POST", "/refresh", struct{}{}, nil)
	b.check("after a reload too", `folds().every(f => f.open)`)
	b.run(`$("folds").click()`, nil)
	b.await("all to close", `folds().every(f => !f.open)`)
	b.run(`scrollTo(0, 321); const select = $("right"); select.focus({preventScroll: true}); select.value = "busywait"; select.dispatchEvent(new Event("change"))`, nil)
	b.await("the other flavor", `view.right === "busywait" && !keep && document.activeElement.id === "right"`)
	b.run("history.back()", nil)
	b.await("the place before", `view.right === "goroutinesrv" && scrollY === 321`)
	b.open("#epollsrv..kqueuesrv:" + "answer.go:12")
	b.await("a line in a fold", isSeen("#stays tr.target"))
}

// takePicture takes the picture of the page that README shows. To make it anew:
//
//	go test ./scripts/diff -run TestPage -picture ../results/page.png
func (b *browser) takePicture(m *module, data *pageData) {
	b.run(`root.dataset.theme = "light"`, nil)
	b.open("#stblock..mtblock")
	b.open("#stblock..mtblock:B-sends-a-GET")
	b.await("the line", isSeen("td.L.waits"))
	var before, after int
	for moving := true; moving; moving = before != after {
		b.run(`return Math.round(scrollY)`, &before)
		b.run(`return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(Math.round(scrollY)))))`, &after)
	}
	var image []byte // JSON has bytes in base64
	b.call("GET", "/screenshot", nil, &image)
	if size, err := png.DecodeConfig(bytes.NewReader(image)); err != nil || size.Width != 1440 {
		b.t.Fatalf("the picture is %d wide: %v", size.Width, err)
	}
	if *picture != "" {
		if err := os.WriteFile(*picture, image, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// changeSurroundings reads in the other theme, on paper, and without JavaScript.
func (b *browser) changeSurroundings(m *module, data *pageData) {
	b.open("#stblock..mtblock")
	b.run(`localStorage.setItem("theme", "dark"); store.set("theme", "{}"); setTheme()`, nil)
	b.check("a theme of others", `root.dataset.theme === "light"`)
	b.run(`$("theme").click()`, nil)
	b.call("POST", "/refresh", struct{}{}, nil)
	b.check("the theme lasts", `root.dataset.theme === "dark" && getComputedStyle(document.body).colorScheme === "dark" && store.get("theme") === "dark"`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"media": "print"})
	b.await("the page to unfold", `[...document.querySelectorAll("details")].every(d => d.open) && !$("talk").checkVisibility()`)
	b.check("on paper", `$("whole").querySelectorAll("tbody").length === data.traces.stblock.length && $("whole").offsetHeight > 500`)
	b.devtools("Emulation.setEmulatedMedia", map[string]any{"media": ""})
	b.await("the page to fold", `folds().some(f => !f.open)`)
	b.devtools("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	b.call("POST", "/refresh", struct{}{}, nil)
	b.check("without JavaScript", `document.querySelectorAll("noscript h2").length === 6 && document.querySelectorAll("noscript pre").length === 6 && !document.querySelector("#page").checkVisibility()`)
}

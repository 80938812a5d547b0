//go:build unix

package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPlotRecorded draws the results that are kept, from a folder that is hard to name and
// with settings of its user, as they were drawn.
func TestPlotRecorded(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gnuplot"); err != nil {
		t.Skipf("plot.sh needs gnuplot: %v", err)
	}
	const odd = `a 'b' "c" $d; e`
	r := newScript(t, "plot.sh", odd)
	if err := os.CopyFS(filepath.Join(r.base, odd), os.DirFS("results")); err != nil {
		t.Fatal(err)
	}
	r.write(t, ".gnuplot", "exit status 9\n")
	r.cmd.Env = append(r.cmd.Env, "HOME="+r.base)
	text, want := r.runs(t, 0), ""
	markup := regexp.MustCompile(`(?s)<desc>.*?</desc>|<[^>]*>`) // the version of gnuplot, and tags
	for _, name := range []string{"throughput", "latency", "cpu", "memory", "clients", "values"} {
		file := filepath.Join(r.out, name+".svg")
		want += file + "\n"
		recorded, drawn := readFile(t, "results/"+name+".svg"), readFile(t, file)
		if d := cmp.Diff(markup.ReplaceAllString(recorded, ""), markup.ReplaceAllString(drawn, "")); d != "" || strings.Count(drawn, "<path") < 5 {
			t.Errorf("results/%s.svg is not what plot.sh draws of the results (-recorded +drawn):\n%s", name, d)
		}
	}
	if d := cmp.Diff(want, text); d != "" {
		t.Errorf("pictures (-want +got):\n%s", d)
	}
}

// TestPlotNewest draws the results that were changed last, whatever their folders' names;
// and then, where gnuplot fails, leaves the pictures that are there.
func TestPlotNewest(t *testing.T) {
	for _, c := range []struct {
		gnuplot string
		code    int
		says    string
	}{
		{`echo new >"${2%.gnuplot}.svg"`, 0, ""},
		{`case $2 in clients*) echo is ill >&2; exit 3 ;; esac; echo new >"${2%.gnuplot}.svg"`, 1, "plot.sh: gnuplot cannot draw clients.svg. It said:\n    is ill\n"},
	} {
		r := prepare(t, "plot.sh", map[string]string{"gnuplot": c.gnuplot})
		r.write(t, "copy/scripts/plot.sh", readFile(t, "plot.sh"))
		r.write(t, "copy/scripts/lib/lib.sh", readFile(t, "lib/lib.sh"))
		r.write(t, "copy/scripts/plot/a.gnuplot", "")
		for i, name := range []string{"baseline/raw.csv", "2026-01-01/tradeoffs.csv", "2026-01-02/raw.csv", "2025-12-31/tradeoffs.csv"} {
			r.write(t, "copy/scripts/out/"+name, readFile(t, "results/"+filepath.Base(name)))
			when := time.Now().Add(time.Duration(i-10) * time.Hour)
			if err := os.Chtimes(filepath.Join(r.base, "copy/scripts/out", name), when, when); err != nil {
				t.Fatal(err)
			}
		}
		newest := filepath.Join(r.base, "copy/scripts/out/2025-12-31") + "/"
		r.write(t, "copy/scripts/out/2025-12-31/memory.svg", "old\n")
		r.cmd.Args = []string{r.cmd.Args[0], filepath.Join(r.base, "copy/scripts/plot.sh")}
		if n := strings.Count(r.runs(t, c.code), newest); n != 6-6*c.code {
			t.Errorf("%d pictures in the newest folder:\n%s", n, &r.stdout)
		}
		r.expectError(t, c.says)
		if got := readFile(t, newest+"memory.svg"); got != []string{"new\n", "old\n"}[c.code] {
			t.Errorf("memory.svg has %q", got)
		}
	}
}

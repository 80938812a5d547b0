//go:build unix

package scripts

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestTradeoffs measures two flavors in little time.
func TestTradeoffs(t *testing.T) {
	t.Parallel()
	loop, skipped := native()
	r := newScript(t, "tradeoffs.sh", "-c", "silent,slow,hold,idle,memory,calls,lost", "-n", "60", "-s", "20", "-t", "0.1", "-R", "1", skipped, loop, "mtblock")
	r.only("bash cat chmod cp date dirname env grep head ln mkdir mktemp mv ps readlink rm rmdir sed sleep tail true uname wc strace sysctl") // no redis-server
	text := r.runs(t, 0)
	if table := readFile(t, filepath.Join(r.out, "tradeoffs.txt")); !strings.HasPrefix(text, table) {
		t.Errorf("tradeoffs.txt is not what was printed, which is:\n%s", text)
	}
	for _, want := range []string{"\nskipped     " + skipped, "\ncommand     tradeoffs.sh -o ", "\nmtblock     without its lock lost "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	figures := map[string]string{}
	for line := range strings.Lines(readFile(t, filepath.Join(r.out, "tradeoffs.csv"))) {
		f := strings.Split(line, ",")
		figures[f[0]+" "+f[1]+" "+f[2]] = f[3]
	}
	for name, bounds := range map[string][2]float64{
		"silent " + loop + " p99":       {0.001, 60000},
		"slow " + loop + " growth":      {0, 16},
		"hold " + loop + " rps":         {1, 1e9},
		"hold " + loop + " clients":     {60, 60},
		"idle mtblock clients":          {10, 10},
		"idle mtblock CPU alone":        {0, 50},
		"memory " + loop + " served 10": {10, 10},
		"memory mtblock served 60":      {60, 60},
		"memory mtblock threads 60":     {60, 200},
		"calls mtblock switches":        {0.01, 100},
		"calls " + loop + " read":       {0.99, 1.5},
		"lost " + loop + " replies":     {50000, 50000},
		"lost mtblock lost":             {0, 0},
	} {
		if x, err := strconv.ParseFloat(figures[name], 64); (err != nil || x < bounds[0] || x > bounds[1]) && !(runtime.GOOS != "linux" && strings.HasSuffix(name, " read")) {
			t.Errorf("%s is %q, want %v to %v", name, figures[name], bounds[0], bounds[1])
		}
	}
}

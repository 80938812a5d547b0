package main

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Claims are what tradeoffs.sh has measured.
type claims struct {
	medians map[key]float64
	servers []string
	caption string
}

// tradeoffPictures returns the pictures of those claims that tradeoffs.csv has.
func tradeoffPictures(folder string) (pictures []picture, err error) {
	rows, err := readRows(filepath.Join(folder, "tradeoffs.csv"))
	if err != nil {
		return nil, err
	}
	caption, err := origin(folder)
	if err != nil {
		return nil, err
	}
	c := claims{
		medians: medians(rows, "value", func(r row) key { return key{r["claim"], r["flavor"], r["metric"]} }),
		servers: inOrder(rows),
		caption: caption + "scripts/tradeoffs.sh",
	}
	for _, p := range []picture{c.memory(), c.clients(), c.values()} {
		if len(p.table) > 1 {
			pictures = append(pictures, p)
		}
	}
	return pictures, nil
}

type point struct{ x, y float64 }

// points returns the figures of the metrics that are a prefix and a number, by number.
func (c claims) points(claim, server, prefix string) (points []point) {
	for k, y := range c.medians {
		digits, ok := strings.CutPrefix(k.metric, prefix)
		x, err := strconv.ParseFloat(digits, 64)
		if ok && err == nil && k.subject == claim && k.server == server {
			points = append(points, point{x, y})
		}
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return points
}

// memory is the memory by number of clients that have been served.
func (c claims) memory() picture {
	var curves []curve
	single := ""
	for _, s := range c.servers {
		var points []point
		one := false
		for _, p := range c.points("memory", s, "served ") {
			one = one || p.x > 1 && p.y == 1
			rss := c.medians[key{"memory", s, "RSS " + decimal(p.x)}]
			if p.y > 1 && rss > 0 {
				points = append(points, point{p.y, rss})
			}
		}
		if one {
			single += "; " + s + " serves only one client"
		}
		curves = append(curves, curve{s, points})
	}
	y := logAxis(curves)
	table := [][]string{{"server", "linetype", "clients", "mb", "single", "name", "name_height"}}
	table = append(table, y.lines(curves, 0.066, func(mb float64) string { return fmt.Sprintf("%.0f MB", mb) })...)
	return picture{"memory", table, map[string]any{
		"caption": c.caption, "single": single, "low": y.low, "high": y.high, "right": rightmost(curves),
	}}
}

// clients is the requests per second by number of clients.
func (c claims) clients() picture {
	var curves []curve
	y := axis{}
	for _, s := range c.servers {
		points := c.points("clients", s, "")
		for _, p := range points {
			y.high = max(y.high, p.y*1.15)
		}
		curves = append(curves, curve{s, points})
	}
	table := [][]string{{"server", "linetype", "clients", "rps", "single", "name", "name_height"}}
	table = append(table, y.lines(curves, 0.066, human)...)
	return picture{"clients", table, map[string]any{
		"caption": c.caption, "low": y.low, "high": y.high, "right": rightmost(curves),
	}}
}

// values is the requests per second, and their processor time, by size of the value: for
// each a panel for SET and one for GET, with the same scale.
func (c claims) values() picture {
	table := [][]string{{"panel", "server", "linetype", "bytes", "figure", "single", "name", "name_height"}}
	vars := map[string]any{"caption": c.caption, "clients": c.clientsOfValues()}
	for _, metric := range []string{"rps", "CPU"} {
		panels := map[string][]curve{}
		for _, s := range c.servers {
			for _, test := range []string{"SET", "GET"} {
				points := c.points("values", s, test+" "+metric+" ")
				points = slices.DeleteFunc(points, func(p point) bool { return p.y <= 0 })
				panels[test] = append(panels[test], curve{s, points})
			}
		}
		y := logAxis(slices.Concat(panels["SET"], panels["GET"]))
		vars[metric+"_low"], vars[metric+"_high"] = y.low, y.high
		for _, test := range []string{"SET", "GET"} {
			for _, line := range y.lines(panels[test], 0.083, human) {
				table = append(table, append([]string{test + " " + metric}, line...))
			}
		}
	}
	return picture{"values", table, vars}
}

// clientsOfValues says how many clients there were.
func (c claims) clientsOfValues() (text string) {
	var most float64
	for _, s := range c.servers {
		most = max(most, c.medians[key{"values", s, "clients"}])
	}
	if most > 0 {
		text = fmt.Sprintf("; %.0f clients", most)
	}
	for _, s := range c.servers {
		if n := c.medians[key{"values", s, "clients"}]; n > 0 && n < most {
			text += fmt.Sprintf(", %s with %.0f", s, n)
		}
	}
	return text
}

// A curve is what a server has, from left to right.
type curve struct {
	server string
	points []point
}

// rightmost returns where the longest curve ends.
func rightmost(curves []curve) (x float64) {
	for _, c := range curves {
		for _, p := range c.points {
			x = max(x, p.x)
		}
	}
	return x
}

// single tells whether the server has one client where others have more.
func (c curve) single(right float64) bool {
	return len(c.points) == 1 && c.points[0].x == 1 && right > 1
}

// An axis is the y axis of a picture.
type axis struct {
	low, high float64
	log       bool
}

// logAxis returns a logarithmic axis with some room above and below all curves.
func logAxis(curves []curve) axis {
	a := axis{low: math.Inf(1), log: true}
	for _, c := range curves {
		for _, p := range c.points {
			a.low, a.high = min(a.low, p.y/1.3), max(a.high, p.y*1.3)
		}
	}
	return a
}

// height returns where y is on the axis: at the bottom 0, at the top 1.
func (a axis) height(y float64) float64 {
	if a.log {
		return math.Log(y/a.low) / math.Log(a.high/a.low)
	}
	return (y - a.low) / (a.high - a.low)
}

// lines returns the lines of a table, of which each curve's last has its name, with the
// last figure, and the height of that on the axis, gap or more from all others. The name
// of a single server has no height.
func (a axis) lines(curves []curve, gap float64, text func(float64) string) (lines [][]string) {
	right := rightmost(curves)
	var heights []float64
	for _, c := range curves {
		if len(c.points) > 0 && !c.single(right) {
			heights = append(heights, a.height(c.points[len(c.points)-1].y))
		}
	}
	heights = apart(heights, gap)
	for _, c := range curves {
		for i, p := range c.points {
			single, name, height := "0", "", ""
			switch {
			case i < len(c.points)-1:
			case c.single(right):
				single, name = "1", c.server+"  "+text(p.y)
			default:
				name = c.server + "  " + text(p.y)
				if p.x < right {
					name += " at " + human(p.x)
				}
				height, heights = fmt.Sprintf("%.4f", heights[0]), heights[1:]
			}
			lines = append(lines, []string{c.server, linetype(c.server), decimal(p.x), decimal(p.y), single, name, height})
		}
	}
	return lines
}

// apart moves heights apart: none is closer than gap to the next, and none above 1 if
// there is room. Their order stays.
func apart(heights []float64, gap float64) []float64 {
	moved := slices.Clone(heights)
	order := make([]int, len(moved)) // from the bottom up
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(heights[i], heights[j]) })
	least := math.Inf(-1)
	for _, i := range order {
		moved[i] = max(moved[i], least)
		least = moved[i] + gap
	}
	most := 1.0
	for _, i := range slices.Backward(order) {
		moved[i] = min(moved[i], most)
		most = moved[i] - gap
	}
	return moved
}

package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// tradeoffPictures returns the pictures of those claims that tradeoffs.csv has.
func (r results) tradeoffPictures(caption string) []picture {
	caption += "scripts/tradeoffs.sh"
	pictures := []picture{r.memoryPicture(caption), r.clientsPicture(caption), r.valuesPicture(caption)}
	return slices.DeleteFunc(pictures, func(p picture) bool { return len(p.table) == 1 })
}

type point struct{ x, y float64 }

// points returns the figures of the metrics that are a prefix and a number, by number. Of
// no server, it returns the numbers only.
func (r results) points(claim, server, prefix string) (points []point) {
	for k := range r.values {
		digits, ok := strings.CutPrefix(k.metric, prefix)
		x, err := strconv.ParseFloat(digits, 64)
		if !ok || err != nil || k.subject != claim {
			continue
		}
		if y, ok := r.number(claim, server, k.metric); ok && k.server == server || server == "" {
			points = append(points, point{x, y})
		}
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return slices.Compact(points)
}

// memoryPicture has the memory by number of clients that have been served.
func (r results) memoryPicture(caption string) picture {
	var curves []curve
	single := ""
	for _, s := range r.servers {
		c := curve{server: s}
		all := r.points("memory", s, "served ")
		for _, p := range all {
			if mb, _ := r.number("memory", s, "RSS "+decimal(p.x)); p.y > 1 && mb > 0 {
				c.points = append(c.points, point{p.y, mb})
			}
		}
		if n := len(all); n > 0 && all[n-1].x > 1 && all[n-1].y == 1 {
			single += "; " + s + " serves only one client"
		}
		curves = append(curves, c)
	}
	y := axisOf(curves, true)
	table := [][]string{{"server", "linetype", "clients", "mb", "single", "name", "name_height"}}
	table = append(table, y.lines(curves, 0.066, func(mb float64) string { return thousands(mb) + " MB" })...)
	return picture{"memory", table, map[string]any{
		"caption": caption, "single": single, "low": y.low, "high": y.high, "right": y.right,
	}}
}

// clientsPicture has the requests per second by number of clients.
func (r results) clientsPicture(caption string) picture {
	var curves []curve
	for _, s := range r.servers {
		curves = append(curves, curve{s, r.points("clients", s, "")})
	}
	y := axisOf(curves, false)
	table := [][]string{{"server", "linetype", "clients", "rps", "single", "name", "name_height"}}
	table = append(table, y.lines(curves, 0.066, short)...)
	return picture{"clients", table, map[string]any{"caption": caption, "low": y.low, "high": y.high, "right": y.right}}
}

// valuesPicture has the requests per second, and their processor time, by size of the
// value: for each a panel for SET and one for GET, with the same scale.
func (r results) valuesPicture(caption string) picture {
	table := [][]string{{"panel", "server", "linetype", "bytes", "figure", "single", "name", "name_height"}}
	vars := map[string]any{"caption": caption}
	for _, metric := range []string{"rps", "CPU"} {
		panels := map[string][]curve{}
		for _, s := range r.servers {
			for _, test := range []string{"SET", "GET"} {
				points := r.points("values", s, test+" "+metric+" ")
				points = slices.DeleteFunc(points, func(p point) bool { return p.y <= 0 })
				panels[test] = append(panels[test], curve{s, points})
			}
		}
		y := axisOf(slices.Concat(panels["SET"], panels["GET"]), true)
		vars[metric+"_low"], vars[metric+"_high"] = y.low, y.high
		for _, test := range []string{"SET", "GET"} {
			for _, line := range y.lines(panels[test], 0.083, short) {
				table = append(table, append([]string{test + " " + metric}, line...))
			}
		}
	}
	return picture{"values", table, vars}
}

// A curve is what a server has, from left to right.
type curve struct {
	server string
	points []point
}

// An axis is the y axis of a picture. The longest curve ends at right.
type axis struct {
	low, high, right float64
	log              bool
}

// axisOf returns an axis with some room above all curves, and below if it is logarithmic.
func axisOf(curves []curve, log bool) axis {
	a := axis{log: log}
	for _, c := range curves {
		for _, p := range c.points {
			a.right = max(a.right, p.x)
			switch {
			case !log:
				a.high = max(a.high, p.y*1.15)
			case a.low == 0:
				a.low, a.high = p.y/1.3, p.y*1.3
			default:
				a.low, a.high = min(a.low, p.y/1.3), max(a.high, p.y*1.3)
			}
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
	single := func(c curve) bool { return len(c.points) == 1 && c.points[0].x == 1 && a.right > 1 }
	var heights []float64
	for _, c := range curves {
		if len(c.points) > 0 && !single(c) {
			heights = append(heights, a.height(c.points[len(c.points)-1].y))
		}
	}
	heights = apart(heights, gap)
	for _, c := range curves {
		for i, p := range c.points {
			line := []string{c.server, linetype(c.server), decimal(p.x), decimal(p.y), "0", "", ""}
			if i == len(c.points)-1 {
				line[5] = c.server + "  " + text(p.y)
				switch {
				case single(c):
					line[4] = "1"
				case p.x < a.right:
					line[5] += " at " + thousands(p.x)
					fallthrough
				default:
					line[6], heights = fixed(4)(heights[0]), heights[1:]
				}
			}
			lines = append(lines, line)
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

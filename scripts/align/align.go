// Package align sets two sequences side by side.
package align

// Pairs pairs things of two sequences, in order, so that the pairs have the most weight
// together. Things of weight 0 are not paired.
func Pairs(n, m int, weight func(i, j int) int) (pairs [][2]int) {
	best := make([][]int, n+1) // of the things from i and from j on
	for i := range best {
		best[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if w := weight(i, j); w > 0 {
				best[i][j] = max(best[i][j], w+best[i+1][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch best[i][j] {
		case best[i+1][j]:
			i++
		case best[i][j+1]:
			j++
		default:
			pairs = append(pairs, [2]int{i, j})
			i++
			j++
		}
	}
	return pairs
}

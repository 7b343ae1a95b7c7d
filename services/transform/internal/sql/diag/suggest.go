package diag

import "strings"

// Nearest returns the candidate that is spelled most like name, or "" when none
// is near enough to be meant.
func Nearest(name string, candidates []string) string {
	return Within(name, candidates, max(1, len(name)/3))
}

// Within returns the candidate that is spelled most like name, or "" when none is
// within so many slips of it.
func Within(name string, candidates []string, slips int) string {
	best, bestDist := "", slips+1
	lower := strings.ToLower(name)
	for _, c := range candidates {
		d := distance(lower, strings.ToLower(c), bestDist)
		if d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// distance is the edit distance of two short words, given up at limit.
func distance(a, b string, limit int) int {
	if len(a) > 128 || len(b) > 128 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev, cur := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}

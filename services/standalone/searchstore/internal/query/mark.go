package query

import (
	"bytes"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
)

// Matches reports whether a term is one of the pattern's.
func (q *Pattern) Matches(term []byte) bool {
	return bytes.HasPrefix(term, q.Prefix) && (q.Accept == nil || q.Accept(term))
}

// Mark marks the tokens of a text that stand in a match of the phrase; joined
// marks those that belong together with the token behind them.
func (q *Phrase) Mark(toks []analysis.Token, hit, joined []bool) {
	for start := range toks {
		used := make([]int, 0, len(q.Slots))
		base := toks[start].Position - q.Slots[0].Offset
		for _, s := range q.Slots {
			i := q.place(toks, s, base)
			if i < 0 {
				break
			}
			used = append(used, i)
		}
		if len(used) != len(q.Slots) {
			continue
		}
		for k, i := range used {
			hit[i] = true
			if k > 0 && i == used[k-1]+1 && q.Slop == 0 {
				joined[i-1] = true
			}
		}
	}
}

// place finds the token of a slot near where it should stand.
func (q *Phrase) place(toks []analysis.Token, s Slot, base int) int {
	best := -1
	for i, t := range toks {
		d := t.Position - s.Offset - base
		if d < -q.Slop || d > q.Slop {
			continue
		}
		ok := bytes.Equal(t.Term, s.Term)
		if s.Pattern != nil {
			ok = s.Pattern.Matches(t.Term)
		}
		if ok && (best < 0 || d == 0) {
			best = i
		}
	}
	return best
}

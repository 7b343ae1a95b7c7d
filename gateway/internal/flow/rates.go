package flow

import (
	"time"

	flowv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
)

// rates makes of totals how much moves a second.
type rates struct {
	window time.Duration
	past   []totals // the oldest first
}

// totals are those of one moment, by edge.
type totals struct {
	at    time.Time
	edges map[[2]string]uint64
}

// put notes a picture's totals and gives its edges their rates. A total that went
// down was counted anew.
func (r *rates) put(at time.Time, f *flowv1.Flow) {
	now := totals{at: at, edges: make(map[[2]string]uint64, len(f.GetEdges()))}
	for _, e := range f.GetEdges() {
		now.edges[[2]string{e.GetFrom(), e.GetTo()}] = e.GetTotal()
	}
	for len(r.past) > 1 && at.Sub(r.past[1].at) >= r.window {
		r.past = r.past[1:]
	}
	for _, e := range f.GetEdges() {
		key := [2]string{e.GetFrom(), e.GetTo()}
		for _, old := range r.past { // the oldest that knows it
			was, ok := old.edges[key]
			seconds := at.Sub(old.at).Seconds()
			if ok && seconds > 0 && was <= e.GetTotal() {
				e.Rate = float64(e.GetTotal()-was) / seconds
				break
			}
		}
	}
	r.past = append(r.past, now)
}

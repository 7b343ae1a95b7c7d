package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/bits"
	"slices"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Limits of merging.
const (
	keepInMemory = 16 << 10  // documents up to which a new segment's columns stay in memory
	inlineDocs   = 512       // segments up to here are merged within a commit
	fanIn        = 8         // segments of one size that are merged together
	maxMerged    = 256 << 10 // documents of the largest merged segment; a merge holds its columns in memory

	maxMergedBytes = 512 << 20 // of its sources, before compression: a column must fit a SQLite row
)

// seal turns the batch's documents into a part; when many small segments have
// gathered, they are merged into it. drop are the parts that it replaces; they
// are taken out of parts.
func (t *batch) seal(parts *[]*Part) (made *Part, drop map[*Part]bool) {
	drop = map[*Part]bool{}
	if t.b.Len() == 0 {
		return nil, drop
	}
	seg := t.b.Seal()
	var dead segment.Bits
	for _, d := range t.b.Dead() {
		if dead == nil {
			dead = segment.NewBits(seg.N)
		}
		dead.Set(d)
	}
	h := &handle{id: t.ix.nextSeg, ord: t.ix.nextSeg, seg: seg}
	t.ix.nextSeg++
	made = &Part{Seg: seg, Dead: dead, Gone: dead.Count(), h: h}
	if seg.N > inlineDocs {
		return made, drop
	}
	var in []segment.Input
	var rest []*Part
	total := seg.N
	for _, p := range *parts {
		if p.Seg.N <= inlineDocs && level(p.Seg.N) <= level(seg.N) {
			in = append(in, segment.Input{Seg: p.Seg, Dead: p.Dead})
			total += p.Seg.N
			continue
		}
		rest = append(rest, p)
	}
	if len(in) < fanIn-1 {
		return made, drop
	}
	merged, _, err := t.ix.join(append(in, segment.Input{Seg: seg, Dead: dead}))
	if err != nil { // the parts stay as they are; a read error shows elsewhere
		return made, drop
	}
	for _, p := range *parts {
		if !slices.Contains(rest, p) {
			drop[p] = true
		}
	}
	*parts = rest
	h.seg = merged
	return &Part{Seg: merged, h: h}, drop
}

// level is the size class of a segment: powers of eight.
func level(n int) int { return bits.Len(uint(max(n, 1))) / 3 }

// mergeSoon asks the store's merger to look at an index.
func (s *Store) mergeSoon(ix *Index) {
	select {
	case s.merges <- ix:
	default: // it is busy and looks again after the next commit
	}
}

func (s *Store) merger() {
	defer s.wg.Done()
	for {
		select {
		case <-s.stop:
			return
		case ix := <-s.merges:
			s.mergeAll(ix)
		}
	}
}

// mergeAll merges until there is nothing to do, or the store or the index stops.
func (s *Store) mergeAll(ix *Index) {
	for {
		select {
		case <-s.stop:
			return
		case <-ix.stop:
			return
		default:
		}
		more := false
		err := ix.safely(func() (err error) {
			more, err = ix.mergeOnce()
			return err
		})
		if err != nil && !stopped(ix) {
			s.log.Warn("merge segments", slog.String("index", ix.Name), slog.Any("error", err))
		}
		if !more || err != nil {
			return
		}
	}
}

func stopped(ix *Index) bool {
	select {
	case <-ix.stop:
		return true
	default:
		return false
	}
}

// candidates picks segments to merge: fanIn of one size class, or one that is
// half dead.
func candidates(v *View) []*Part {
	byLevel := map[int][]*Part{}
	for _, p := range v.Parts {
		if p.h.sick.Load() {
			continue
		}
		if p.Gone*2 > p.Seg.N && p.Seg.N > inlineDocs {
			return []*Part{p}
		}
		if p.Live() <= maxMerged/2 && p.Seg.Raw() <= maxMergedBytes/2 {
			l := level(p.Live())
			byLevel[l] = append(byLevel[l], p)
		}
	}
	for l := range 16 {
		if ps := byLevel[l]; len(ps) >= fanIn {
			docs, text := 0, 0
			for i, p := range ps[:min(len(ps), 2*fanIn)] {
				docs, text = docs+p.Live(), text+p.Seg.Raw()
				if i > 1 && (docs > maxMerged || text > maxMergedBytes) {
					return ps[:i]
				}
			}
			return ps[:min(len(ps), 2*fanIn)]
		}
	}
	return nil
}

// mergeOnce merges one group of segments and says whether it did.
func (ix *Index) mergeOnce() (bool, error) {
	v := ix.View()
	defer v.Release()
	group := candidates(v)
	if len(group) == 0 {
		return false, nil
	}
	in := make([]segment.Input, len(group))
	for i, p := range group {
		in[i] = segment.Input{Seg: p.Seg, Dead: p.Dead}
	}
	merged, maps, err := ix.join(in)
	if err != nil {
		// One of them can't be read, now or ever: they are left alone until the
		// next start, so that not every commit tries again.
		for _, p := range group {
			p.h.sick.Store(true)
		}
		return false, err
	}
	return true, ix.exclusive(context.Background(), func() error { return ix.swap(group, merged, maps) })
}

func (ix *Index) join(in []segment.Input) (merged *segment.Segment, maps []segment.Map, err error) {
	err = ix.safely(func() (err error) {
		merged, maps, err = segment.Merge(in, ix.seed, keepInMemory)
		return err
	})
	return merged, maps, err
}

// swap puts a merged segment into the place of its inputs. Documents that
// were deleted meanwhile are deleted in it, too.
func (ix *Index) swap(group []*Part, merged *segment.Segment, maps []segment.Map) error {
	cur := ix.View()
	defer cur.Release()
	now := map[*handle]*Part{}
	for _, p := range cur.Parts {
		now[p.h] = p
	}
	made := &Part{Seg: merged, h: &handle{id: ix.nextSeg, ord: group[0].h.ord, seg: merged}}
	drop := map[*Part]bool{}
	for i, was := range group {
		p := now[was.h]
		if p == nil {
			return nil // merged within a commit meanwhile: nothing to do
		}
		drop[p] = true
		p.Dead.Each(func(d uint32) bool {
			if to := maps[i][d]; to != segment.Missing {
				if made.Dead == nil {
					made.Dead = segment.NewBits(merged.N)
				}
				made.Dead.Set(to)
				made.Gone++
			}
			return true
		})
	}
	ix.nextSeg++
	garbage := ix.takeGarbage()
	ctx := context.Background()
	err := ix.tx(ctx, func(tx *sql.Tx) error {
		if merged.N > 0 {
			if err := ix.save(ctx, tx, made); err != nil {
				return err
			}
		}
		return ix.dropRows(ctx, tx, drop, garbage)
	})
	if err != nil {
		ix.keepGarbage(garbage)
		return err
	}
	next := &View{Mapping: cur.Mapping}
	for _, p := range cur.Parts {
		if p.h == group[0].h && merged.N > 0 {
			next.Parts = append(next.Parts, made)
		}
		if !drop[p] {
			next.Parts = append(next.Parts, p)
		}
	}
	for p := range drop {
		p.h.obsolete.Store(true)
	}
	ix.publish(next)
	// Pages that merging freed go back to the file system bit by bit.
	if _, err := ix.f.w.ExecContext(ctx, "PRAGMA incremental_vacuum(4000)"); err != nil {
		return fmt.Errorf("give back free pages: %w", err)
	}
	return nil
}

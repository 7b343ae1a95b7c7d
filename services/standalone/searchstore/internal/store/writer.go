package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Limits of what one commit takes together.
const (
	maxBatchOps   = 20_000
	maxBatchBytes = 48 << 20
)

// request is work for an index's writer: operations, or a function.
type request struct {
	ops  []Op
	out  []Result
	fn   func() error
	done chan error
}

// Apply carries out operations in order. When it returns without error, what
// succeeded is on disk.
func (ix *Index) Apply(ctx context.Context, ops []Op) ([]Result, error) {
	r := &request{ops: ops, out: make([]Result, len(ops)), done: make(chan error, 1)}
	return r.out, ix.submit(ctx, r)
}

// exclusive runs fn on the writer, between commits.
func (ix *Index) exclusive(ctx context.Context, fn func() error) error {
	return ix.submit(ctx, &request{fn: fn, done: make(chan error, 1)})
}

func (ix *Index) submit(ctx context.Context, r *request) error {
	if e := ix.Broken(); e != nil {
		return e
	}
	select {
	case ix.queue <- r:
	case <-ix.stop:
		return ix.over()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ix.stopped:
		select {
		case err := <-r.done:
			return err
		default:
			return ix.over()
		}
	}
}

// over says why the writer takes nothing any more. A store that stops must not
// answer that the index is not there: that would be final for a client.
func (ix *Index) over() error {
	select {
	case <-ix.store.stop:
		return apierr.New(http.StatusServiceUnavailable, "node_closed_exception", "the store is stopping: send the request again")
	default:
		return apierr.NotFoundIndex(ix.Name)
	}
}

// safely turns a panic of the writer or the merger, whose input may be
// anything, into an error: other requests and indices go on.
func (ix *Index) safely(fn func() error) (err error) {
	defer func() {
		if x := recover(); x != nil {
			ix.store.log.Error("index work failed", slog.String("index", ix.Name), slog.Any("error", x), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("index %s: internal error", ix.Name)
		}
	}()
	return fn()
}

// run is the writer: it takes what waits, applies it and commits once.
func (ix *Index) run() {
	defer close(ix.stopped)
	for {
		select {
		case <-ix.stop:
			return
		case r := <-ix.queue:
			ix.serve(r)
		}
	}
}

func (ix *Index) serve(r *request) {
	batch := []*request{r}
	var after *request
	if r.fn == nil {
		n, size := weigh(r)
	gather:
		for n < maxBatchOps && size < maxBatchBytes {
			select {
			case more := <-ix.queue:
				if more.fn != nil {
					after = more
					break gather
				}
				batch = append(batch, more)
				dn, ds := weigh(more)
				n, size = n+dn, size+ds
			default:
				break gather
			}
		}
		err := ix.safely(func() error { return ix.commit(batch) })
		for _, b := range batch {
			b.done <- err
		}
	} else {
		after = r
	}
	if after != nil {
		after.done <- ix.safely(after.fn)
	}
}

func weigh(r *request) (n, size int) {
	for i := range r.ops {
		size += len(r.ops[i].Source)
	}
	return len(r.ops), size
}

// batch is the state of one commit while operations are applied to it.
type batch struct {
	ix      *Index
	base    *View
	m       *mapping.Mapping
	b       *segment.Builder
	fresh   map[string]uint32 // documents of this batch by id
	dead    map[*Part][]uint32
	killed  map[*Part]segment.Bits
	graves  map[string]grave
	seq     int64
	changed bool
}

func (ix *Index) commit(reqs []*request) error {
	base := ix.View()
	defer base.Release()
	t := &batch{ix: ix, base: base, m: base.Mapping, b: segment.NewBuilder(ix.seed), fresh: map[string]uint32{},
		dead: map[*Part][]uint32{}, killed: map[*Part]segment.Bits{}, graves: map[string]grave{}, seq: ix.nextSeq}
	ix.forget()
	for _, r := range reqs {
		for i := range r.ops {
			r.out[i] = t.apply(&r.ops[i])
		}
	}
	if !t.changed && t.m == base.Mapping {
		return nil
	}
	if err := t.store(); err != nil {
		return fmt.Errorf("write index %s: %w", ix.Name, err)
	}
	ix.nextSeq = t.seq
	maps.Copy(ix.graves, t.graves)
	return nil
}

// forget drops graves that are old.
func (ix *Index) forget() {
	if len(ix.graves) == 0 {
		return
	}
	limit := time.Now().Add(-graveTime)
	for id, g := range ix.graves {
		if g.at.Before(limit) || len(ix.graves) > 100_000 {
			delete(ix.graves, id)
		}
	}
}

// where says where a document is now.
type where struct {
	found        bool
	fresh        bool
	part         *Part
	doc          uint32
	version, seq int64
}

func (t *batch) locate(id string) (where, error) {
	if doc, ok := t.fresh[id]; ok {
		w := where{found: true, fresh: true, doc: doc}
		w.version, w.seq = t.b.Version(doc)
		return w, nil
	}
	for _, p := range slices.Backward(t.base.Parts) {

		dead := p.Dead
		if k := t.killed[p]; k != nil {
			dead = k
		}
		doc, ok, err := p.Seg.Find(id, dead)
		if err != nil {
			return where{}, err
		}
		if ok {
			w := where{found: true, part: p, doc: doc}
			w.version, w.seq = p.Seg.Version(doc)
			return w, nil
		}
	}
	return where{}, nil
}

func (t *batch) kill(w where, id string) {
	if !w.found {
		return
	}
	if w.fresh {
		t.b.Delete(w.doc)
		delete(t.fresh, id)
		return
	}
	k := t.killed[w.part]
	if k == nil {
		k = segment.NewBits(w.part.Seg.N)
		copy(k, w.part.Dead)
		t.killed[w.part] = k
	}
	k.Set(w.doc)
	t.dead[w.part] = append(t.dead[w.part], w.doc)
}

func (t *batch) source(w where) ([]byte, error) {
	if w.fresh {
		return t.b.Source(w.doc), nil
	}
	return w.part.Seg.Source(w.doc)
}

func fail(id string, err error) Result {
	e := apierr.Of(err)
	return Result{ID: id, Status: e.Status, Err: e}
}

func (t *batch) apply(op *Op) Result {
	var w where
	if !op.Auto {
		var err error
		if w, err = t.locate(op.ID); err != nil {
			return fail(op.ID, err)
		}
	}
	if e := t.check(op, w); e != nil {
		return fail(op.ID, e)
	}
	switch op.Action {
	case Delete:
		return t.remove(op, w)
	case Update:
		return t.update(op, w)
	}
	return t.put(op, w, op.Source)
}

// last returns the version before the next one: of the document, or of its
// grave.
func (t *batch) last(id string, w where) int64 {
	if w.found {
		return w.version
	}
	if g, ok := t.graves[id]; ok {
		return g.version
	}
	if g, ok := t.ix.graves[id]; ok && time.Since(g.at) < graveTime {
		return g.version
	}
	return 0
}

func (t *batch) check(op *Op, w where) *apierr.Error {
	ix := t.ix
	switch {
	case op.Action == Create && w.found:
		return conflict(ix, op.ID, "version conflict, document already exists (current version [%d])", w.version)
	case op.IfSeq >= 0 && !w.found:
		return conflict(ix, op.ID, "version conflict, required seqNo [%d], primary term [%d]. but no document was found", op.IfSeq, op.IfTerm)
	case op.IfSeq >= 0 && (w.seq != op.IfSeq || op.IfTerm != 1):
		return conflict(ix, op.ID, "version conflict, required seqNo [%d], primary term [%d]. current document has seqNo [%d] and primary term [1]", op.IfSeq, op.IfTerm, w.seq)
	}
	if op.Version >= 0 {
		last := t.last(op.ID, w)
		if last > op.Version || last == op.Version && !op.GTE && last > 0 {
			return conflict(ix, op.ID, "version conflict, current version [%d] is higher or equal to the one provided [%d]", last, op.Version)
		}
	}
	return nil
}

func (t *batch) put(op *Op, w where, src []byte) Result {
	p := &t.ix.parser
	m, err := p.Parse(t.m, op.ID, src)
	if err != nil {
		return fail(op.ID, err)
	}
	t.m = m
	version := t.last(op.ID, w) + 1
	if op.Version >= 0 {
		version = op.Version
	}
	t.kill(w, op.ID)
	doc := t.b.Add(op.ID, version, t.seq, src, p.Rows)
	t.fresh[op.ID] = doc
	delete(t.graves, op.ID)
	res := Result{ID: op.ID, Word: "created", Status: http.StatusCreated, Version: version, Seq: t.seq}
	if w.found {
		res.Word, res.Status = "updated", http.StatusOK
	}
	t.seq++
	t.changed = true
	return res
}

func (t *batch) remove(op *Op, w where) Result {
	version := t.last(op.ID, w) + 1
	if op.Version >= 0 {
		version = op.Version
	}
	t.kill(w, op.ID)
	t.graves[op.ID] = grave{version, t.seq, time.Now()}
	res := Result{ID: op.ID, Word: "deleted", Status: http.StatusOK, Version: version, Seq: t.seq}
	if !w.found {
		res.Word, res.Status = "not_found", http.StatusNotFound
	}
	t.seq++
	t.changed = true
	return res
}

func (t *batch) update(op *Op, w where) Result {
	p, e := parsePatch(op.Source)
	if e != nil {
		return fail(op.ID, e)
	}
	if !w.found {
		doc := p.upsert
		if doc == nil && p.docAsUpsert {
			doc = p.doc
		}
		if doc == nil {
			return fail(op.ID, missing(t.ix, op.ID))
		}
		src := doc.Encode()
		res := t.put(op, w, src)
		res.Source = src
		return res
	}
	old, err := t.source(w)
	if err != nil {
		return fail(op.ID, err)
	}
	cur, err := jsondoc.Parse(old)
	if err != nil {
		return fail(op.ID, fmt.Errorf("read document %s: %w", op.ID, err))
	}
	patch := p.doc
	if patch == nil {
		patch = jsondoc.Obj()
	}
	next := jsondoc.Merge(cur, patch)
	if p.detectNoop && jsondoc.Equal(cur, next) {
		return Result{ID: op.ID, Word: "noop", Status: http.StatusOK, Version: w.version, Seq: w.seq, Source: old}
	}
	src := next.Encode()
	res := t.put(op, w, src)
	res.Source = src
	return res
}

// store writes the batch in one transaction and publishes what it made.
func (t *batch) store() error {
	ix := t.ix
	ctx := context.Background()
	next := &View{Mapping: t.m}
	parts := t.survivors()
	made, drop := t.seal(&parts)
	garbage := ix.takeGarbage()
	err := ix.tx(ctx, func(tx *sql.Tx) error {
		for p, docs := range t.dead {
			if drop[p] {
				continue
			}
			for _, d := range docs {
				if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO tomb(seg, doc) VALUES(?, ?)", p.h.id, d); err != nil {
					return fmt.Errorf("write deletion: %w", err)
				}
			}
		}
		if t.m != t.base.Mapping {
			if err := setMeta(ctx, tx, "mapping", t.m.JSON().Encode()); err != nil {
				return err
			}
		}
		if made != nil {
			if err := ix.save(ctx, tx, made); err != nil {
				return err
			}
		}
		if err := setMeta(ctx, tx, "seq", strconv.AppendInt(nil, t.seq, 10)); err != nil {
			return err
		}
		return ix.dropRows(ctx, tx, drop, garbage)
	})
	if err != nil {
		ix.keepGarbage(garbage)
		return err
	}
	if made != nil {
		parts = append(parts, made)
	}
	next.Parts = parts
	for p := range drop {
		p.h.obsolete.Store(true)
	}
	ix.publish(next)
	ix.store.mergeSoon(ix)
	return nil
}

// survivors returns the parts of the base with this batch's deletions.
func (t *batch) survivors() []*Part {
	out := make([]*Part, 0, len(t.base.Parts)+1)
	for _, p := range t.base.Parts {
		if k := t.killed[p]; k != nil {
			p = &Part{Seg: p.Seg, Dead: k, Gone: p.Gone + len(t.dead[p]), h: p.h}
		}
		out = append(out, p)
	}
	return out
}

// save writes a part's segment and deletions.
func (ix *Index) save(ctx context.Context, tx *sql.Tx, p *Part) error {
	sections, err := p.Seg.Encode()
	if err != nil {
		return err
	}
	d, err := writeSegment(ctx, tx, p.h.id, p.h.ord, sections)
	if err != nil {
		return err
	}
	p.Dead.Each(func(doc uint32) bool {
		_, err = tx.ExecContext(ctx, "INSERT INTO tomb(seg, doc) VALUES(?, ?)", p.h.id, doc)
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("write deletion: %w", err)
	}
	p.Seg.Attach(ix.f.loader(d), p.Seg.N > keepInMemory) //nolint:contextcheck // parts are read later, by other calls
	return nil
}

// dropRows marks merged segments dead and removes the rows of those that no
// view holds any more.
func (ix *Index) dropRows(ctx context.Context, tx *sql.Tx, drop map[*Part]bool, garbage []int64) error {
	for p := range drop {
		if _, err := tx.ExecContext(ctx, "UPDATE segment SET dead = 1 WHERE id = ?", p.h.id); err != nil {
			return fmt.Errorf("drop segment: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM tomb WHERE seg = ?", p.h.id); err != nil {
			return fmt.Errorf("drop segment: %w", err)
		}
	}
	for _, id := range garbage {
		for _, q := range [...]string{"DELETE FROM part WHERE seg = ?", "DELETE FROM segment WHERE id = ?"} {
			if _, err := tx.ExecContext(ctx, q, id); err != nil {
				return fmt.Errorf("drop segment: %w", err)
			}
		}
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// errGone says that an index was deleted while it was in use.
var errGone = errors.New("index is gone")

// Index is one index.
type Index struct {
	Name    string
	UUID    string
	Created time.Time

	store *Store
	f     *file
	seed  maphash.Seed

	mu       sync.RWMutex // guards what follows
	view     *View
	settings Settings
	aliases  map[string]*jsondoc.Value
	closed   bool

	queue   chan *request
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once

	garbageMu sync.Mutex
	garbage   []int64 // segments whose rows can go

	// The writer's own state.
	nextSeg, nextSeq int64
	graves           map[string]grave
	parser           mapping.Parser
}

// grave remembers the version of a deleted document for a while, as the
// versions of a document that comes back go on.
type grave struct {
	version, seq int64
	at           time.Time
}

// graveTime is how long deleted versions are remembered.
const graveTime = time.Minute

func newIndex(s *Store, f *file, name, uuid string) *Index {
	return &Index{Name: name, UUID: uuid, store: s, f: f, seed: s.seed, aliases: map[string]*jsondoc.Value{}, settings: Settings{},
		queue: make(chan *request, 64), stop: make(chan struct{}), stopped: make(chan struct{}), graves: map[string]grave{}, nextSeg: 1}
}

// open reads an index from its file and starts its writer.
func (s *Store) open(ctx context.Context, path string) (*Index, error) {
	f, err := openFile(ctx, path)
	if err != nil {
		return nil, err
	}
	meta, err := f.meta(ctx)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	if meta["name"] == nil { // a creation that was cut off
		return nil, errors.Join(errGone, f.close(), removeFiles(path))
	}
	ix := newIndex(s, f, string(meta["name"]), string(meta["uuid"]))
	if err := ix.restore(ctx, meta); err != nil {
		return nil, errors.Join(fmt.Errorf("open index %s in %s: %w", ix.Name, path, err), f.close())
	}
	go ix.run() //nolint:contextcheck // the writer lives as long as the store
	return ix, nil
}

func (ix *Index) restore(ctx context.Context, meta map[string][]byte) error {
	ms, _ := strconv.ParseInt(string(meta["created"]), 10, 64)
	ix.Created = time.UnixMilli(ms)
	ix.closed = string(meta["closed"]) == "true"
	settings, err := jsondoc.Parse(orEmpty(meta["settings"]))
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	ix.settings = flatten(settings)
	aliases, err := jsondoc.Parse(orEmpty(meta["aliases"]))
	if err != nil {
		return fmt.Errorf("read aliases: %w", err)
	}
	for i, k := range aliases.Keys {
		ix.aliases[k] = aliases.Items[i]
	}
	def, err := jsondoc.Parse(orEmpty(meta["mapping"]))
	if err != nil {
		return fmt.Errorf("read mapping: %w", err)
	}
	base, err := ix.settings.newMapping()
	if err != nil {
		return err
	}
	m, err := base.Merge(def)
	if err != nil {
		return fmt.Errorf("read mapping: %w", err)
	}
	v, err := ix.restoreParts(ctx)
	if err != nil {
		return err
	}
	v.Mapping = m
	ix.publish(v)
	return nil
}

func orEmpty(b []byte) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

func (ix *Index) restoreParts(ctx context.Context) (*View, error) {
	if _, err := ix.f.w.ExecContext(ctx, "DELETE FROM part WHERE seg NOT IN (SELECT id FROM segment WHERE dead = 0)"); err != nil {
		return nil, fmt.Errorf("drop merged segments: %w", err)
	}
	if _, err := ix.f.w.ExecContext(ctx, "DELETE FROM segment WHERE dead <> 0"); err != nil {
		return nil, fmt.Errorf("drop merged segments: %w", err)
	}
	rows, err := ix.f.r.QueryContext(ctx, "SELECT id, ord, dir FROM segment ORDER BY ord, id")
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	defer func() { _ = rows.Close() }()
	v := &View{Index: ix}
	byID := map[int64]*Part{}
	for rows.Next() {
		h := &handle{}
		var dir []byte
		if err := rows.Scan(&h.id, &h.ord, &dir); err != nil {
			return nil, fmt.Errorf("list segments: %w", err)
		}
		d, err := decodeDirectory(dir)
		if err != nil {
			return nil, err
		}
		if h.seg, err = segment.Open(d.meta, ix.seed, ix.f.loader(d)); err != nil { //nolint:contextcheck // parts are read later, by other calls
			return nil, err
		}
		p := &Part{Seg: h.seg, h: h}
		byID[h.id] = p
		v.Parts = append(v.Parts, p)
		ix.nextSeg = max(ix.nextSeg, h.id+1)
		ix.nextSeq = max(ix.nextSeq, h.seg.MaxSeq()+1)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	return v, ix.restoreTombs(ctx, byID)
}

func (ix *Index) restoreTombs(ctx context.Context, byID map[int64]*Part) error {
	rows, err := ix.f.r.QueryContext(ctx, "SELECT seg, doc FROM tomb")
	if err != nil {
		return fmt.Errorf("list deletions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var seg int64
		var doc uint32
		if err := rows.Scan(&seg, &doc); err != nil {
			return fmt.Errorf("list deletions: %w", err)
		}
		if p := byID[seg]; p != nil && int(doc) < p.Seg.N {
			if p.Dead == nil {
				p.Dead = segment.NewBits(p.Seg.N)
			}
			p.Dead.Set(doc)
			p.Gone++
		}
	}
	return rows.Err()
}

// publish makes a view the current one.
func (ix *Index) publish(v *View) {
	v.Index = ix
	v.refs.Store(1)
	for _, p := range v.Parts {
		p.h.refs.Add(1)
	}
	ix.mu.Lock()
	old := ix.view
	ix.view = v
	ix.mu.Unlock()
	if old != nil {
		old.Release()
	}
}

// View returns the current state.
func (ix *Index) View() *View {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	ix.view.refs.Add(1)
	return ix.view
}

// discard notes that a merged segment's rows can go.
func (ix *Index) discard(h *handle) {
	ix.garbageMu.Lock()
	ix.garbage = append(ix.garbage, h.id)
	ix.garbageMu.Unlock()
}

func (ix *Index) takeGarbage() []int64 {
	ix.garbageMu.Lock()
	defer ix.garbageMu.Unlock()
	g := ix.garbage
	ix.garbage = nil
	return g
}

// tx runs fn in a transaction of the writing connection.
func (ix *Index) tx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := ix.f.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// shutdown stops the writer and closes the file.
func (ix *Index) shutdown() error {
	ix.once.Do(func() { close(ix.stop) })
	<-ix.stopped
	return ix.f.close()
}

// Size returns the bytes of the index on disk.
func (ix *Index) Size() int64 {
	var n int64
	for _, suffix := range [...]string{"", "-wal"} {
		if st, err := os.Stat(ix.f.path + suffix); err == nil {
			n += st.Size()
		}
	}
	return n
}

func removeFiles(path string) error {
	var errs []error
	for _, suffix := range [...]string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

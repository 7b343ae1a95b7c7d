package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
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
	// broken, when set, is why the index could not be opened.
	broken error

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

// open reads an index from its file and starts its writer. name is the
// index's, as far as it could be read, also when it can't be opened.
func (s *Store) open(ctx context.Context, path string) (ix *Index, name string, err error) {
	defer func() { // what is damaged may decode to anything
		if x := recover(); x != nil {
			err = fmt.Errorf("open %s: %v", path, x)
		}
	}()
	if st, err := os.Stat(path); err == nil && st.Size() == 0 {
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			return nil, "", fmt.Errorf("open %s: the file is empty and its log is not", path)
		}
	}
	f, err := openFile(ctx, path)
	if err != nil {
		return nil, "", err
	}
	meta, err := f.meta(ctx)
	if err != nil {
		return nil, "", errors.Join(err, f.close())
	}
	if meta["name"] == nil {
		if n, err := f.segments(ctx); err != nil || n > 0 {
			return nil, "", errors.Join(fmt.Errorf("open %s: the index's name is lost", path), err, f.close())
		}
		return nil, "", errors.Join(errGone, f.close(), removeFiles(path)) // a creation that was cut off
	}
	name = string(meta["name"])
	ix = newIndex(s, f, name, string(meta["uuid"]))
	if err := ix.restore(ctx, meta); err != nil {
		return nil, name, errors.Join(fmt.Errorf("open index %s in %s: %w", ix.Name, path, err), f.close())
	}
	go ix.run() //nolint:contextcheck // the writer lives as long as the store
	return ix, name, nil
}

// setAside stands for an index that can't be opened: requests for it fail, and
// its file is left as it is, for whoever can mend it. An index without a
// readable name is called after its file.
func (s *Store) setAside(path, name string, cause error) *Index {
	uuid := strings.TrimSuffix(filepath.Base(path), ".db")
	if name == "" || s.indices[name] != nil {
		name = "damaged-" + strings.ToLower(uuid)
	}
	ix := newIndex(s, &file{path: path}, name, uuid)
	ix.broken = cause
	close(ix.stopped)
	if m, err := ix.settings.newMapping(); err == nil {
		ix.publish(&View{Mapping: m})
	}
	s.log.Error("an index can't be opened and is set aside; its file is untouched: restore it and start again, or delete the index",
		slog.String("index", name), slog.String("file", path), slog.Any("error", cause))
	return ix
}

// Broken returns the error of requests for an index that could not be opened.
func (ix *Index) Broken() *apierr.Error {
	if ix.broken == nil {
		return nil
	}
	e := apierr.New(http.StatusServiceUnavailable, "no_shard_available_action_exception", "index [%s] could not be opened: %s", ix.Name, ix.broken)
	e.Index, e.Shard = ix.Name, true
	return e
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
	if seq, err := strconv.ParseInt(string(meta["seq"]), 10, 64); err == nil {
		ix.nextSeq = max(ix.nextSeq, seq) // of deletions, too, which leave no document
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
	for _, q := range [...]string{"DELETE FROM part WHERE seg NOT IN (SELECT id FROM segment WHERE dead = 0)", "DELETE FROM segment WHERE dead <> 0"} {
		if _, err := ix.f.w.ExecContext(ctx, q); err != nil { // a full disk must not keep the index closed
			ix.store.log.Warn("merged segments stay until the next start", slog.String("index", ix.Name), slog.Any("error", err))
			break
		}
	}
	var last int64
	if err := ix.f.r.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM segment").Scan(&last); err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	ix.nextSeg = last + 1
	rows, err := ix.f.r.QueryContext(ctx, "SELECT id, ord, dir FROM segment WHERE dead = 0 ORDER BY ord, id")
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

// keepGarbage takes back what could not be removed.
func (ix *Index) keepGarbage(ids []int64) {
	ix.garbageMu.Lock()
	ix.garbage = append(ix.garbage, ids...)
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
	done := false
	defer func() { // also when fn panics: there is only one connection that writes
		if !done {
			_ = tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
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

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// Store is all indices of a data directory.
type Store struct {
	dir  string
	log  *slog.Logger
	seed maphash.Seed

	mu        sync.RWMutex
	indices   map[string]*Index
	templates *jsondoc.Value // {kind: {name: body}}
	createMu  sync.Mutex

	merges chan *Index
	stop   chan struct{}
	wg     sync.WaitGroup
}

// Open opens the indices of a directory, making it when missing.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make data directory %s: %w", dir, err)
	}
	s := &Store{dir: dir, log: log, seed: maphash.MakeSeed(), indices: map[string]*Index{}, merges: make(chan *Index, 16), stop: make(chan struct{}), templates: jsondoc.Obj()}
	if b, err := os.ReadFile(s.templateFile()); err == nil {
		if s.templates, err = jsondoc.Parse(b); err != nil {
			aside := s.templateFile() + ".damaged"
			log.Error("the templates are damaged and set aside; there are none now", slog.String("file", aside), slog.Any("error", err))
			s.templates = jsondoc.Obj()
			if err := os.Rename(s.templateFile(), aside); err != nil {
				return nil, fmt.Errorf("set the damaged templates aside: %w", err)
			}
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	entries, err := os.ReadDir(dir) // not Glob: the directory's name may hold a pattern
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".db") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	for _, f := range files {
		ix, name, err := s.open(ctx, f)
		switch {
		case errors.Is(err, errGone):
			continue
		case err != nil:
			ix = s.setAside(f, name, err)
		case s.indices[name] != nil:
			ix = s.setAside(f, "", errors.Join(fmt.Errorf("%s also holds an index of the name %s", filepath.Base(s.indices[name].f.path), name), ix.shutdown()))
		}
		s.indices[ix.Name] = ix
	}
	s.wg.Add(1)
	go s.merger() //nolint:contextcheck // the merger lives as long as the store
	return s, nil
}

// Close ends all writers and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stop:
		return nil
	default:
		close(s.stop)
	}
	var errs []error
	for _, ix := range s.indices {
		errs = append(errs, ix.shutdown())
	}
	s.wg.Wait()
	return errors.Join(errs...)
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Index returns an index by its own name, or nil.
func (s *Store) Index(name string) *Index {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.indices[name]
}

// All returns all indices by name.
func (s *Store) All() []*Index {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*Index, 0, len(s.indices))
	for _, ix := range s.indices {
		out = append(out, ix)
	}
	slices.SortFunc(out, func(a, b *Index) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// CheckName refuses names that an index may not have.
func CheckName(name string) *apierr.Error {
	why := ""
	switch {
	case strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name):
		why = "must not contain control characters"
	case name == "":
		why = "must not be empty"
	case strings.ToLower(name) != name:
		why = "must be lowercase"
	case strings.ContainsAny(name, "\\/*?\"<>| ,"):
		why = "must not contain the following characters ['\\','/','*','?','\"','<','>','|',' ',',']"
	case strings.ContainsAny(name, "#"):
		why = "must not contain '#'"
	case strings.ContainsAny(name, ":"):
		why = "must not contain ':'"
	case name[0] == '_' || name[0] == '-' || name[0] == '+':
		why = "must not start with '_', '-', or '+'"
	case len(name) > 255:
		why = "index name is too long, (" + strconv.Itoa(len(name)) + " > 255)"
	case name == "." || name == "..":
		why = "must not be '.' or '..'"
	}
	if why == "" {
		return nil
	}
	return InvalidName(name, why)
}

// InvalidName is the error of a bad index name.
func InvalidName(name, why string) *apierr.Error {
	e := apierr.New(400, "invalid_index_name_exception", "Invalid index name [%s], %s", name, why)
	e.Fields = []apierr.Field{{Name: "index_uuid", Value: jsondoc.Str("_na_")}}
	e.Index = name
	return e
}

// Create makes an index of a request body (settings, mappings, aliases);
// matching templates come first.
func (s *Store) Create(ctx context.Context, name string, body *jsondoc.Value) (*Index, error) {
	if e := CheckName(name); e != nil {
		return nil, e
	}
	s.createMu.Lock()
	defer s.createMu.Unlock()
	if ix := s.Index(name); ix != nil {
		if e := ix.Broken(); e != nil {
			return nil, e
		}
		e := apierr.New(400, "resource_already_exists_exception", "index [%s/%s] already exists", name, ix.UUID)
		e.Fields = []apierr.Field{{Name: "index_uuid", Value: jsondoc.Str(ix.UUID)}}
		e.Index = name
		return nil, e
	}
	if s.isAlias(name) {
		return nil, InvalidName(name, "already exists as alias")
	}
	settings, aliases, m, err := s.compose(name, body)
	if err != nil {
		return nil, err
	}
	return s.make(ctx, name, settings, aliases, m)
}

// compose lays a request's body over the templates that match a name.
func (s *Store) compose(name string, body *jsondoc.Value) (Settings, map[string]*jsondoc.Value, *mapping.Mapping, error) {
	layers := append(s.matching(name), body)
	settings := Settings{}
	aliases := map[string]*jsondoc.Value{}
	for _, l := range layers {
		maps.Copy(settings, flatten(l.Get("settings")))
		if a := l.Get("aliases"); a.Is(jsondoc.Object) {
			for i, k := range a.Keys {
				if e := CheckName(k); e != nil {
					return nil, nil, nil, apierr.New(http.StatusBadRequest, "invalid_alias_name_exception", "%s", e.Reason)
				}
				aliases[k] = a.Items[i]
			}
		}
	}
	if e := settings.validate(); e != nil {
		return nil, nil, nil, e
	}
	m, err := settings.newMapping()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, l := range layers {
		if m, err = m.Merge(l.Get("mappings")); err != nil {
			return nil, nil, nil, err
		}
	}
	return settings, aliases, m, nil
}

func (s *Store) make(ctx context.Context, name string, settings Settings, aliases map[string]*jsondoc.Value, m *mapping.Mapping) (*Index, error) {
	uuid := newUUID()
	f, err := openFile(ctx, filepath.Join(s.dir, uuid+".db"))
	if err != nil {
		return nil, err
	}
	ix := newIndex(s, f, name, uuid)
	ix.Created = time.Now()
	ix.settings, ix.aliases = settings, aliases
	err = ix.tx(ctx, func(tx *sql.Tx) error {
		for k, v := range map[string][]byte{"name": []byte(name), "uuid": []byte(uuid), "created": strconv.AppendInt(nil, ix.Created.UnixMilli(), 10),
			"settings": settings.Nested().Encode(), "aliases": object(aliases).Encode(), "mapping": m.JSON().Encode()} {
			if err := setMeta(ctx, tx, k, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create index %s: %w", name, err), f.close(), removeFiles(f.path))
	}
	ix.publish(&View{Mapping: m})
	go ix.run() //nolint:contextcheck // the writer lives as long as the store
	s.mu.Lock()
	s.indices[name] = ix
	s.mu.Unlock()
	return ix, nil
}

func object(m map[string]*jsondoc.Value) *jsondoc.Value {
	o := jsondoc.Obj()
	for k, v := range m {
		o.Set(k, v)
	}
	return o
}

// Delete removes an index and its file.
func (s *Store) Delete(ix *Index) error {
	s.mu.Lock()
	if s.indices[ix.Name] == ix {
		delete(s.indices, ix.Name)
	}
	s.mu.Unlock()
	err := ix.shutdown()
	return errors.Join(err, removeFiles(ix.f.path))
}

// PutMapping lays a definition over an index's mapping.
func (ix *Index) PutMapping(ctx context.Context, def *jsondoc.Value) error {
	return ix.exclusive(ctx, func() error {
		cur := ix.View()
		defer cur.Release()
		m, err := cur.Mapping.Merge(def)
		if err != nil {
			return err
		}
		if err := ix.tx(ctx, func(tx *sql.Tx) error { return setMeta(ctx, tx, "mapping", m.JSON().Encode()) }); err != nil {
			return err
		}
		ix.publish(&View{Mapping: m, Parts: cur.Parts})
		return nil
	})
}

// PutSettings changes settings; null takes one back to its default.
func (ix *Index) PutSettings(ctx context.Context, def *jsondoc.Value) error {
	change := flatten(def)
	if e := change.validate(); e != nil {
		return e
	}
	for _, k := range static {
		if _, ok := change[k]; ok && !ix.Closed() {
			return apierr.Illegal("Can't update non dynamic settings [[%s]] for open indices [[%s/%s]]", k, ix.Name, ix.UUID)
		}
	}
	gone := nulls("", def)
	var next Settings
	return ix.persist(ctx, "settings", func() []byte {
		next = maps.Clone(ix.settings)
		for _, k := range gone {
			delete(next, k)
		}
		maps.Copy(next, change)
		return next.Nested().Encode()
	}, func() { ix.settings = next })
}

func nulls(prefix string, v *jsondoc.Value) []string {
	var out []string
	for i, k := range v.Keys {
		name := dotted(prefix, k)
		if v.Items[i].IsNull() {
			if !strings.HasPrefix(name, "index.") {
				name = "index." + name
			}
			out = append(out, name)
		} else if v.Items[i].Is(jsondoc.Object) {
			out = append(out, nulls(name, v.Items[i])...)
		}
	}
	return out
}

// SetClosed closes or opens an index.
func (ix *Index) SetClosed(ctx context.Context, closed bool) error {
	return ix.persist(ctx, "closed", func() []byte { return []byte(strconv.FormatBool(closed)) }, func() { ix.closed = closed })
}

// persist writes one piece of index data, which value makes of what is there
// now, and then takes it over.
func (ix *Index) persist(ctx context.Context, key string, value func() []byte, take func()) error {
	return ix.exclusive(ctx, func() error {
		// Only the writer, which runs this, changes what value reads.
		if err := ix.tx(ctx, func(tx *sql.Tx) error { return setMeta(ctx, tx, key, value()) }); err != nil {
			return err
		}
		ix.mu.Lock()
		defer ix.mu.Unlock()
		take()
		return nil
	})
}

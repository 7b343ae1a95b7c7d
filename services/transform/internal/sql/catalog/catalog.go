// Package catalog keeps the tables, views and functions that statements define,
// by catalog, database and name.
package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Names of the catalog and database that always exist.
const (
	DefaultCatalog  = "default_catalog"
	DefaultDatabase = "default_database"
)

// Errors that changes of a catalog may wrap.
var (
	ErrExists   = errors.New("already exists")
	ErrNotFound = errors.New("does not exist")
	ErrNotEmpty = errors.New("is not empty")
	ErrInUse    = errors.New("is in use")
)

// ID is the full name of an object.
type ID struct {
	Catalog, Database, Name string
}

// String returns the name with dots, each part between backquotes.
func (id ID) String() string {
	return types.QuoteName(id.Catalog) + "." + types.QuoteName(id.Database) + "." + types.QuoteName(id.Name)
}

// Relation is a table or a view.
type Relation struct {
	ID        ID
	Temporary bool
	Table     *plan.Table // nil for a view
	View      *View       // nil for a table
}

// View is a stored query.
type View struct {
	Query   *ast.Query
	Text    string // the query as SQL
	Fields  []types.Field
	Comment string
	// Catalog and Database were current when the view was made; its names resolve there.
	Catalog, Database string
}

// Function is a user's function.
type Function struct {
	ID        ID
	Temporary bool
	System    bool // found under its bare name
	*plan.UserFunction
	Options map[string]string
}

type database struct {
	comment   string
	options   map[string]string
	relations map[string]*Relation
	functions map[string]*Function
}

type entry struct {
	comment   string
	options   map[string]string
	databases map[string]*database
}

// Catalog is all that a session defined. Its methods may be called from several
// goroutines at once.
type Catalog struct {
	mu        sync.RWMutex
	catalogs  map[string]*entry
	temporary map[ID]*Relation
	tempFuncs map[ID]*Function
	current   ID // without a name
}

// New returns a catalog with an empty default database.
func New() *Catalog {
	c := &Catalog{
		catalogs:  map[string]*entry{},
		temporary: map[ID]*Relation{},
		tempFuncs: map[ID]*Function{},
		current:   ID{Catalog: DefaultCatalog, Database: DefaultDatabase},
	}
	c.catalogs[DefaultCatalog] = &entry{databases: map[string]*database{DefaultDatabase: newDatabase()}}
	return c
}

func newDatabase() *database {
	return &database{relations: map[string]*Relation{}, functions: map[string]*Function{}}
}

// Current returns the current catalog and database.
func (c *Catalog) Current() (catalog, database string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.current.Catalog, c.current.Database
}

// Resolve completes a name of one to three parts.
func (c *Catalog) Resolve(path []string) (ID, error) {
	id := ID{}
	id.Catalog, id.Database = c.Current()
	switch len(path) {
	case 1:
		id.Name = path[0]
	case 2:
		id.Database, id.Name = path[0], path[1]
	case 3:
		id = ID{path[0], path[1], path[2]}
	default:
		return id, errors.New("a name has at most three parts: catalog.database.name")
	}
	return id, nil
}

func (c *Catalog) database(id ID) (*database, error) {
	e := c.catalogs[id.Catalog]
	if e == nil {
		return nil, fmt.Errorf("catalog %s %w", id.Catalog, ErrNotFound)
	}
	d := e.databases[id.Database]
	if d == nil {
		return nil, fmt.Errorf("database %s %w in catalog %s", id.Database, ErrNotFound, id.Catalog)
	}
	return d, nil
}

// Lookup returns the table or view called id; temporary ones come first.
func (c *Catalog) Lookup(id ID) (*Relation, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if r, ok := c.temporary[id]; ok {
		return r, true
	}
	d, err := c.database(id)
	if err != nil {
		return nil, false
	}
	r, ok := d.relations[id.Name]
	return r, ok
}

// Add stores a table or view. An object of that name and permanence must not
// exist, unless replace is set.
func (c *Catalog) Add(r *Relation, replace bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, err := c.database(r.ID)
	if err != nil {
		return err
	}
	if r.Temporary {
		if c.temporary[r.ID] != nil && !replace {
			return fmt.Errorf("temporary table or view %s %w", r.ID, ErrExists)
		}
		c.temporary[r.ID] = r
		return nil
	}
	if d.relations[r.ID.Name] != nil && !replace {
		return fmt.Errorf("table or view %s %w", r.ID, ErrExists)
	}
	d.relations[r.ID.Name] = r
	return nil
}

// Drop removes a table or view.
func (c *Catalog) Drop(id ID, view, temporary bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	what := "table"
	if view {
		what = "view"
	}
	if r := c.temporary[id]; r != nil && (r.View != nil) == view {
		if !temporary {
			return fmt.Errorf("%s %s is temporary: write DROP TEMPORARY", what, id)
		}
		delete(c.temporary, id)
		return nil
	}
	if !temporary {
		if d, err := c.database(id); err == nil {
			if r := d.relations[id.Name]; r != nil && (r.View != nil) == view {
				delete(d.relations, id.Name)
				return nil
			}
		}
	} else {
		what = "temporary " + what
	}
	return fmt.Errorf("%s %s %w", what, id, ErrNotFound)
}

// Rename gives a table or view another name in its database.
func (c *Catalog) Rename(r *Relation, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	to := r.ID
	to.Name = name
	if r.Temporary {
		if c.temporary[to] != nil {
			return fmt.Errorf("table or view %s %w", to, ErrExists)
		}
		delete(c.temporary, r.ID)
		r.ID = to
		c.temporary[to] = r
		return nil
	}
	d, err := c.database(r.ID)
	if err != nil {
		return err
	}
	if d.relations[name] != nil {
		return fmt.Errorf("table or view %s %w", to, ErrExists)
	}
	delete(d.relations, r.ID.Name)
	r.ID = to
	d.relations[name] = r
	return nil
}

// Relations returns the tables and views of a database by name; temporary ones
// hide permanent ones of the same name.
func (c *Catalog) Relations(catalog, db string) ([]*Relation, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.database(ID{Catalog: catalog, Database: db})
	if err != nil {
		return nil, err
	}
	byName := maps.Clone(d.relations)
	for id, r := range c.temporary {
		if id.Catalog == catalog && id.Database == db {
			byName[id.Name] = r
		}
	}
	out := make([]*Relation, 0, len(byName))
	for _, r := range byName {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *Relation) int {
		if a.ID.Name < b.ID.Name {
			return -1
		}
		return 1
	})
	return out, nil
}

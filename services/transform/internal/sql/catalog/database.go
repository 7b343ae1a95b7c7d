package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AddCatalog makes a catalog with a default database.
func (c *Catalog) AddCatalog(name, comment string, options map[string]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogs[name] != nil {
		return fmt.Errorf("catalog %s %w", name, ErrExists)
	}
	db := options["default-database"]
	if db == "" {
		db = "default"
	}
	c.catalogs[name] = &entry{comment: comment, options: options, databases: map[string]*database{db: newDatabase()}}
	return nil
}

// DropCatalog removes a catalog.
func (c *Catalog) DropCatalog(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogs[name] == nil {
		return fmt.Errorf("catalog %s %w", name, ErrNotFound)
	}
	if name == c.current.Catalog {
		return fmt.Errorf("catalog %s %w", name, ErrInUse)
	}
	delete(c.catalogs, name)
	return nil
}

// AddDatabase makes a database.
func (c *Catalog) AddDatabase(catalog, name, comment string, options map[string]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.catalogs[catalog]
	if e == nil {
		return fmt.Errorf("catalog %s %w", catalog, ErrNotFound)
	}
	if e.databases[name] != nil {
		return fmt.Errorf("database %s %w in catalog %s", name, ErrExists, catalog)
	}
	d := newDatabase()
	d.comment, d.options = comment, options
	e.databases[name] = d
	return nil
}

// AlterDatabase sets options of a database.
func (c *Catalog) AlterDatabase(catalog, name string, options map[string]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, err := c.database(ID{Catalog: catalog, Database: name})
	if err != nil {
		return err
	}
	if d.options == nil {
		d.options = map[string]string{}
	}
	maps.Copy(d.options, options)
	return nil
}

// DropDatabase removes a database; one with tables only with cascade.
func (c *Catalog) DropDatabase(catalog, name string, cascade bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, err := c.database(ID{Catalog: catalog, Database: name})
	if err != nil {
		return err
	}
	if catalog == c.current.Catalog && name == c.current.Database {
		return fmt.Errorf("database %s %w", name, ErrInUse)
	}
	if len(d.relations)+len(d.functions) > 0 && !cascade {
		return fmt.Errorf("database %s %w: write CASCADE to drop its tables too", name, ErrNotEmpty)
	}
	delete(c.catalogs[catalog].databases, name)
	return nil
}

// UseCatalog makes a catalog the current one.
func (c *Catalog) UseCatalog(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.catalogs[name]
	if e == nil {
		return fmt.Errorf("catalog %s %w", name, ErrNotFound)
	}
	db := e.options["default-database"]
	if db == "" {
		db = "default"
	}
	if name == DefaultCatalog {
		db = DefaultDatabase
	}
	c.current = ID{Catalog: name, Database: db}
	return nil
}

// Use makes a database the current one; the path is [catalog.]database.
func (c *Catalog) Use(path []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := ID{Catalog: c.current.Catalog, Database: path[len(path)-1]}
	if len(path) == 2 {
		id.Catalog = path[0]
	}
	if len(path) > 2 {
		return fmt.Errorf("a database's name has at most two parts, not %d", len(path))
	}
	if _, err := c.database(id); err != nil {
		return err
	}
	c.current = id
	return nil
}

// With runs f while another database is current.
func (c *Catalog) With(catalog, db string, f func() error) error {
	c.mu.Lock()
	save := c.current
	c.current = ID{Catalog: catalog, Database: db}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.current = save
		c.mu.Unlock()
	}()
	return f()
}

// Catalogs returns the names of the catalogs.
func (c *Catalog) Catalogs() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.catalogs))
}

// Databases returns the names of a catalog's databases.
func (c *Catalog) Databases(catalog string) ([]string, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.catalogs[catalog]
	if e == nil {
		return nil, fmt.Errorf("catalog %s %w", catalog, ErrNotFound)
	}
	return slices.Sorted(maps.Keys(e.databases)), nil
}

// DatabaseComment returns what COMMENT said about a database.
func (c *Catalog) DatabaseComment(catalog, db string) (string, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, err := c.database(ID{Catalog: catalog, Database: db})
	if err != nil {
		return "", err
	}
	return d.comment, nil
}

// CatalogOptions returns the options of a catalog.
func (c *Catalog) CatalogOptions(name string) (map[string]string, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.catalogs[name]
	if e == nil {
		return nil, fmt.Errorf("catalog %s %w", name, ErrNotFound)
	}
	return maps.Clone(e.options), nil
}

// lowered returns the id with the function's name in lower case: functions are
// found whatever their case.
func lowered(id ID) ID {
	id.Name = strings.ToLower(id.Name)
	return id
}

// AddFunction stores a function.
func (c *Catalog) AddFunction(f *Function, replace bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := lowered(f.ID)
	if f.System {
		id = ID{Name: id.Name}
	}
	if f.Temporary {
		if c.tempFuncs[id] != nil && !replace {
			return fmt.Errorf("temporary function %s %w", f.ID.Name, ErrExists)
		}
		c.tempFuncs[id] = f
		return nil
	}
	d, err := c.database(id)
	if err != nil {
		return err
	}
	if d.functions[id.Name] != nil && !replace {
		return fmt.Errorf("function %s %w", f.ID, ErrExists)
	}
	d.functions[id.Name] = f
	return nil
}

// Function returns a user's function.
func (c *Catalog) Function(id ID) (*Function, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id = lowered(id)
	if f := c.tempFuncs[ID{Name: id.Name}]; f != nil {
		return f, true
	}
	if f := c.tempFuncs[id]; f != nil {
		return f, true
	}
	d, err := c.database(id)
	if err != nil {
		return nil, false
	}
	f := d.functions[id.Name]
	return f, f != nil
}

// DropFunction removes a function.
func (c *Catalog) DropFunction(id ID, temporary, system bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := id.Name
	id = lowered(id)
	if system {
		id = ID{Name: id.Name}
	}
	if temporary {
		if c.tempFuncs[id] == nil {
			return fmt.Errorf("temporary function %s %w", name, ErrNotFound)
		}
		delete(c.tempFuncs, id)
		return nil
	}
	d, err := c.database(id)
	if err != nil {
		return err
	}
	if d.functions[id.Name] == nil {
		return fmt.Errorf("function %s %w", name, ErrNotFound)
	}
	delete(d.functions, id.Name)
	return nil
}

// Functions returns the names of the user's functions in a database.
func (c *Catalog) Functions(catalog, db string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []string
	if d, err := c.database(ID{Catalog: catalog, Database: db}); err == nil {
		out = slices.Collect(maps.Keys(d.functions))
	}
	for id := range c.tempFuncs {
		if id.Catalog == "" || id.Catalog == catalog && id.Database == db {
			out = append(out, id.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

package catalog_test

import (
	"errors"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
)

func table(c *catalog.Catalog, t *testing.T, name string, temporary bool) *catalog.Relation {
	t.Helper()
	id, err := c.Resolve([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return &catalog.Relation{ID: id, Temporary: temporary, Table: &plan.Table{Name: name}}
}

func TestTemporaryHidesPermanent(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	permanent, temporary := table(c, t, "a", false), table(c, t, "a", true)
	for _, r := range []*catalog.Relation{permanent, temporary} {
		if err := c.Add(r, false); err != nil {
			t.Fatal(err)
		}
		if err := c.Add(r, false); !errors.Is(err, catalog.ErrExists) {
			t.Fatalf("added twice: %v", err)
		}
	}
	if got, _ := c.Lookup(permanent.ID); got != temporary {
		t.Error("the permanent table is found")
	}
	if err := c.Drop(permanent.ID, false, false); err == nil {
		t.Error("dropped a table that a temporary one hides")
	}
	if err := c.Drop(permanent.ID, false, true); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Lookup(permanent.ID); got != permanent {
		t.Error("the permanent table is gone")
	}
	if err := c.Drop(permanent.ID, true, false); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("dropped a table as a view: %v", err)
	}
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	if err := c.AddDatabase(catalog.DefaultCatalog, "d", "about", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Use([]string{"nosuch"}); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("used a missing database: %v", err)
	}
	if err := c.Use([]string{"d"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(table(c, t, "x", false), false); err != nil {
		t.Fatal(err)
	}
	if err := c.DropDatabase(catalog.DefaultCatalog, "d", true); !errors.Is(err, catalog.ErrInUse) {
		t.Errorf("dropped the current database: %v", err)
	}
	if err := c.Use([]string{catalog.DefaultCatalog, catalog.DefaultDatabase}); err != nil {
		t.Fatal(err)
	}
	if err := c.DropDatabase(catalog.DefaultCatalog, "d", false); !errors.Is(err, catalog.ErrNotEmpty) {
		t.Errorf("dropped a full database: %v", err)
	}
	if err := c.DropDatabase(catalog.DefaultCatalog, "d", true); err != nil {
		t.Fatal(err)
	}
}

func TestFunctionsIgnoreCase(t *testing.T) {
	t.Parallel()
	c := catalog.New()
	id, _ := c.Resolve([]string{"Twice"})
	if err := c.AddFunction(&catalog.Function{ID: id, UserFunction: &plan.UserFunction{}}, false); err != nil {
		t.Fatal(err)
	}
	id.Name = "tWICE"
	if _, ok := c.Function(id); !ok {
		t.Error("not found")
	}
	if err := c.DropFunction(id, true, false); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("dropped a permanent function as temporary: %v", err)
	}
	if err := c.DropFunction(id, false, false); err != nil {
		t.Error(err)
	}
}

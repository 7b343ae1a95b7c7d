package httpapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/search"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

func (a *API) catRoutes(add adder) {
	both := func(path string, h handler) {
		add("GET", path, h)
		add("GET", path+"/{index}", h)
	}
	both("/_cat/indices", a.catIndices)
	both("/_cat/count", a.catCount)
	both("/_cat/shards", a.catShards)
	add("GET", "/_cat/health", a.catHealth)
	add("GET", "/_cat/aliases", a.catAliases)
	add("GET", "/_cat/aliases/{name}", a.catAliases)
	add("GET", "/_cat/templates", a.catTemplates)
	add("GET", "/_cat/templates/{name}", a.catTemplates)
	add("GET", "/_cat/nodes", a.catNodes)
	add("GET", "/_cat", func(*call) (*reply, error) {
		return &reply{status: 200, text: "=^.^=\n/_cat/aliases\n/_cat/count\n/_cat/health\n/_cat/indices\n/_cat/nodes\n/_cat/shards\n/_cat/templates\n"}, nil
	})
}

// table is what a cat request shows; columns marked with a star are shown
// only when asked for.
type table struct {
	cols []string
	rows [][]string
}

func (c *call) table(t table) (*reply, error) {
	show := []int{}
	if h := c.query.Get("h"); h != "" {
		for want := range strings.SplitSeq(h, ",") {
			for i, col := range t.cols {
				if mapping.Glob(want, strings.TrimPrefix(col, "*")) {
					show = append(show, i)
				}
			}
		}
	} else {
		for i, col := range t.cols {
			if !strings.HasPrefix(col, "*") {
				show = append(show, i)
			}
		}
	}
	c.order(&t)
	name := func(i int) string { return strings.TrimPrefix(t.cols[i], "*") }
	if c.query.Get("format") == "json" || strings.Contains(c.req.Header.Get("Accept"), "json") {
		list := jsondoc.Arr()
		for _, r := range t.rows {
			o := jsondoc.Obj()
			for _, i := range show {
				if r[i] == "" {
					o.Set(name(i), jsondoc.NullValue())
				} else {
					o.Set(name(i), jsondoc.Str(r[i]))
				}
			}
			list.Add(o)
		}
		return ok(list)
	}
	var lines [][]string
	if c.flag("v") {
		var head []string
		for _, i := range show {
			head = append(head, name(i))
		}
		lines = append(lines, head)
	}
	for _, r := range t.rows {
		var l []string
		for _, i := range show {
			l = append(l, r[i])
		}
		lines = append(lines, l)
	}
	return &reply{status: 200, text: align(lines) + map[bool]string{true: "\n"}[len(lines) == 0]}, nil
}

// order sorts the rows by the s parameter.
func (c *call) order(t *table) {
	s := c.query.Get("s")
	if s == "" {
		return
	}
	slices.SortStableFunc(t.rows, func(x, y []string) int {
		for key := range strings.SplitSeq(s, ",") {
			col, dir, _ := strings.Cut(key, ":")
			for i, have := range t.cols {
				if strings.TrimPrefix(have, "*") != col {
					continue
				}
				r := strings.Compare(x[i], y[i])
				if a, err := strconv.ParseFloat(x[i], 64); err == nil {
					if b, err := strconv.ParseFloat(y[i], 64); err == nil {
						r = int(max(-1, min(1, a-b)))
					}
				}
				if dir == "desc" {
					r = -r
				}
				if r != 0 {
					return r
				}
			}
		}
		return 0
	})
}

func align(lines [][]string) string {
	var width []int
	for _, l := range lines {
		for i, cell := range l {
			if i >= len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		for i, cell := range l {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(cell)
			if i < len(l)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-len([]rune(cell))))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func human(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1fgb", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1fmb", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1fkb", float64(n)/(1<<10))
	}
	return strconv.FormatInt(n, 10) + "b"
}

func (c *call) size(n int64) string {
	if c.query.Get("bytes") != "" {
		unit := map[string]int64{"b": 1, "kb": 1 << 10, "k": 1 << 10, "mb": 1 << 20, "m": 1 << 20, "gb": 1 << 30, "g": 1 << 30}[c.query.Get("bytes")]
		return strconv.FormatInt(n/max(unit, 1), 10)
	}
	return human(n)
}

func (a *API) catIndices(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	t := table{cols: []string{"health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted", "store.size", "pri.store.size", "dataset.size", "*creation.date", "*creation.date.string"}}
	for _, ix := range list {
		v := ix.View()
		size := c.size(ix.Size())
		t.rows = append(t.rows, []string{indexHealth(ix), openWord(ix), ix.Name, ix.UUID, "1", "0", strconv.Itoa(v.Count()), strconv.Itoa(v.Gone()), size, size, size,
			strconv.FormatInt(ix.Created.UnixMilli(), 10), ix.Created.UTC().Format("2006-01-02T15:04:05.000Z")})
		v.Release()
	}
	return c.table(t)
}

func (a *API) catCount(c *call) (*reply, error) {
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	ts := acquire(targets)
	defer release(ts)
	r := search.DefaultRequest()
	r.Size, r.Track = 0, search.Exact
	res, err := search.Run(r, ts, time.Now())
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	return c.table(table{cols: []string{"epoch", "timestamp", "count"}, rows: [][]string{{strconv.FormatInt(now.Unix(), 10), now.Format("15:04:05"), strconv.Itoa(res.Total)}}})
}

func (a *API) catShards(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	t := table{cols: []string{"index", "shard", "prirep", "state", "docs", "store", "dataset", "ip", "node"}}
	for _, ix := range list {
		v := ix.View()
		t.rows = append(t.rows, []string{ix.Name, "0", "p", map[bool]string{true: "UNASSIGNED", false: "STARTED"}[ix.Broken() != nil], strconv.Itoa(v.Count()), c.size(ix.Size()), c.size(ix.Size()), "127.0.0.1", "weirflow"})
		v.Release()
	}
	return c.table(t)
}

func (a *API) catHealth(c *call) (*reply, error) {
	now := time.Now().UTC()
	all := a.Store.All()
	status, bad := health(all)
	up := strconv.Itoa(len(all) - bad)
	share := 100.0
	if bad > 0 {
		share = 100 * float64(len(all)-bad) / float64(len(all))
	}
	return c.table(table{cols: []string{"epoch", "timestamp", "cluster", "status", "node.total", "node.data", "shards", "pri", "relo", "init", "unassign", "unassign.pri", "pending_tasks", "max_task_wait_time", "active_shards_percent"},
		rows: [][]string{{strconv.FormatInt(now.Unix(), 10), now.Format("15:04:05"), a.Cluster, status, "1", "1", up, up, "0", "0", strconv.Itoa(bad), strconv.Itoa(bad), "0", "-", strconv.FormatFloat(share, 'f', 1, 64) + "%"}}})
}

// health is green unless an index could not be opened; bad is how many.
func health(list []*store.Index) (status string, bad int) {
	status = "green"
	for _, ix := range list {
		if ix.Broken() != nil {
			status = "red"
			bad++
		}
	}
	return status, bad
}

func indexHealth(ix *store.Index) string {
	s, _ := health([]*store.Index{ix})
	return s
}

func (a *API) catAliases(c *call) (*reply, error) {
	t := table{cols: []string{"alias", "index", "filter", "routing.index", "routing.search", "is_write_index"}}
	dash := func(v *jsondoc.Value) string {
		if v.IsNull() {
			return "-"
		}
		return v.Text()
	}
	for _, ix := range a.Store.All() {
		all := ix.Aliases()
		for _, n := range sortedKeys(all) {
			if want := c.params["name"]; want != "" && !slices.ContainsFunc(strings.Split(want, ","), func(p string) bool { return mapping.Glob(p, n) }) {
				continue
			}
			d := all[n]
			filter := "-"
			if d.Get("filter") != nil {
				filter = "*"
			}
			t.rows = append(t.rows, []string{n, ix.Name, filter, dash(d.Get("index_routing")), dash(d.Get("search_routing")), dash(d.Get("is_write_index"))})
		}
	}
	return c.table(t)
}

func (a *API) catTemplates(c *call) (*reply, error) {
	t := table{cols: []string{"name", "index_patterns", "order", "version", "composed_of"}}
	for _, kind := range [...]string{store.LegacyTemplate, store.IndexTemplate} {
		all := a.Store.Templates(kind)
		for i, n := range all.Keys {
			if want := c.params["name"]; want != "" && !mapping.Glob(want, n) {
				continue
			}
			v := all.Items[i]
			order := v.Get("order").Text() + v.Get("priority").Text()
			t.rows = append(t.rows, []string{n, "[" + strings.Join(v.Get("index_patterns").Texts(), ", ") + "]", order, v.Get("version").Text(), "[" + strings.Join(v.Get("composed_of").Texts(), ", ") + "]"})
		}
	}
	return c.table(t)
}

func (a *API) catNodes(c *call) (*reply, error) {
	return c.table(table{cols: []string{"ip", "heap.percent", "ram.percent", "cpu", "load_1m", "load_5m", "load_15m", "node.role", "master", "name"},
		rows: [][]string{{"127.0.0.1", "0", "0", "0", "0", "0", "0", "dim", "*", "weirflow"}}})
}

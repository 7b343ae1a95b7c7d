package httpapi

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

func (a *API) clusterRoutes(add adder) {
	add("GET HEAD", "/", a.root)
	add("GET", "/_cluster/health", a.health)
	add("GET", "/_cluster/health/{index}", a.health)
	add("GET", "/_cluster/settings", func(*call) (*reply, error) {
		return ok(jsondoc.Obj("persistent", jsondoc.Obj(), "transient", jsondoc.Obj()))
	})
	add("PUT", "/_cluster/settings", func(*call) (*reply, error) {
		return nil, apierr.Unsupported("cluster settings can't be changed in the embedded store")
	})
	add("GET", "/_cluster/state", a.state)
	add("GET", "/_cluster/state/{metric}", a.state)
	add("GET", "/_cluster/stats", a.clusterStats)
	add("GET", "/_nodes", a.nodes)
	add("GET", "/_nodes/{what}", a.nodes)
	add("GET", "/_nodes/{what}/{more}", a.nodes)
	add("GET", "/_license", func(*call) (*reply, error) {
		return ok(jsondoc.Obj("license", jsondoc.Obj("status", "active", "uid", a.uuid, "type", "basic", "issued_to", a.Cluster, "issuer", "weirflow")))
	})
	add("GET", "/_xpack", func(*call) (*reply, error) {
		return ok(jsondoc.Obj("build", jsondoc.Obj(), "license", jsondoc.Obj("type", "basic", "mode", "basic", "status", "active"), "features", jsondoc.Obj()))
	})
	add("GET", "/_security/_authenticate", a.whoami)
	add("GET", "/_ilm/policy", func(*call) (*reply, error) { return ok(jsondoc.Obj()) })
	add("GET", "/_tasks", func(*call) (*reply, error) { return ok(jsondoc.Obj("nodes", jsondoc.Obj())) })
}

func (a *API) root(*call) (*reply, error) {
	return ok(jsondoc.Obj("name", "weirflow", "cluster_name", a.Cluster, "cluster_uuid", a.uuid,
		"version", jsondoc.Obj("number", Version, "build_flavor", "default", "build_type", "unknown", "build_hash", "weirflow", "build_date", "2026-01-01T00:00:00.000Z", "build_snapshot", false,
			"lucene_version", "9.12.2", "minimum_wire_compatibility_version", "7.17.0", "minimum_index_compatibility_version", "7.0.0"),
		"tagline", "You Know, for Search"))
}

func (a *API) health(c *call) (*reply, error) {
	o := c.lookup()
	o.KeepClosed = true
	targets, err := c.targets(o)
	if err != nil {
		var e = apierr.Of(err)
		if e.Status != http.StatusNotFound {
			return nil, err
		}
		targets = nil
	}
	var list []*store.Index
	for _, t := range targets {
		list = append(list, t.Index)
	}
	status, bad := health(list)
	n := len(targets) - bad
	share := 100.0
	if bad > 0 {
		share = 100 * float64(n) / float64(len(targets))
	}
	h := jsondoc.Obj("cluster_name", a.Cluster, "status", status, "timed_out", false, "number_of_nodes", 1, "number_of_data_nodes", 1,
		"active_primary_shards", n, "active_shards", n, "relocating_shards", 0, "initializing_shards", 0, "unassigned_shards", bad, "unassigned_primary_shards", bad, "delayed_unassigned_shards", 0,
		"number_of_pending_tasks", 0, "number_of_in_flight_fetch", 0, "task_max_waiting_in_queue_millis", 0, "active_shards_percent_as_number", share)
	rep := &reply{status: http.StatusOK, body: h}
	if unmet(c, err) {
		d, perr := dates.Duration(c.query.Get("timeout"))
		if perr != nil {
			d = 30 * time.Second
		}
		wait(c, d)
		h.Set("timed_out", jsondoc.Boolean(true))
		if err != nil {
			h.Set("status", jsondoc.Str("red"))
		}
		rep.status = http.StatusRequestTimeout
	}
	return rep, nil
}

// unmet reports whether a health request waits for what can't happen here.
func unmet(c *call, missing error) bool {
	n := c.query.Get("wait_for_nodes")
	for len(n) > 0 && (n[0] == '>' || n[0] == '=') {
		if n[0] == '>' && len(n) > 1 && n[1] != '=' {
			return n[1:] != "0"
		}
		n = n[1:]
	}
	want, err := strconv.Atoi(n)
	return missing != nil || err == nil && want > 1
}

func wait(c *call, d time.Duration) {
	t := time.NewTimer(min(d, 30*time.Second))
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.req.Context().Done():
	}
}

func (a *API) state(*call) (*reply, error) {
	return ok(jsondoc.Obj("cluster_name", a.Cluster, "cluster_uuid", a.uuid, "master_node", "weirflow"))
}

// totals sums up all indices.
func (a *API) totals() (count, gone int, size int64, list []*store.Index) {
	list = a.Store.All()
	for _, ix := range list {
		v := ix.View()
		count += v.Count()
		gone += v.Gone()
		v.Release()
		size += ix.Size()
	}
	return count, gone, size, list
}

func (a *API) clusterStats(*call) (*reply, error) {
	count, gone, size, list := a.totals()
	status, _ := health(list)
	return ok(jsondoc.Obj("cluster_name", a.Cluster, "cluster_uuid", a.uuid, "status", status, "timestamp", time.Now().UnixMilli(),
		"indices", jsondoc.Obj("count", len(list), "shards", jsondoc.Obj("total", len(list), "primaries", len(list)), "docs", jsondoc.Obj("count", count, "deleted", gone), "store", jsondoc.Obj("size_in_bytes", size)),
		"nodes", jsondoc.Obj("count", jsondoc.Obj("total", 1, "data", 1, "master", 1), "versions", []string{Version})))
}

func (a *API) nodes(c *call) (*reply, error) {
	node := jsondoc.Obj("name", "weirflow", "transport_address", "127.0.0.1:9300", "host", "127.0.0.1", "ip", "127.0.0.1", "version", Version, "build_flavor", "default", "build_type", "unknown",
		"roles", []string{"data", "ingest", "master"})
	addr := c.req.Host
	if c.params["what"] == "stats" || c.params["more"] == "stats" {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		count, gone, size, _ := a.totals()
		node.Set("indices", jsondoc.Obj("docs", jsondoc.Obj("count", count, "deleted", gone), "store", jsondoc.Obj("size_in_bytes", size)))
		node.Set("process", jsondoc.Obj("mem", jsondoc.Obj("total_virtual_in_bytes", int64(m.Sys))))
	} else {
		node.Set("http", jsondoc.Obj("bound_address", []string{addr}, "publish_address", addr, "max_content_length_in_bytes", a.MaxBody))
	}
	return ok(jsondoc.Obj("_nodes", jsondoc.Obj("total", 1, "successful", 1, "failed", 0), "cluster_name", a.Cluster, "nodes", jsondoc.Obj("weirflow", node)))
}

func (a *API) whoami(c *call) (*reply, error) {
	if a.Password == "" {
		return nil, apierr.New(http.StatusBadRequest, "illegal_argument_exception", "security is not enabled: the store was started without a password")
	}
	return ok(jsondoc.Obj("username", c.user, "roles", []string{"superuser"}, "full_name", nil, "email", nil, "metadata", jsondoc.Obj("_reserved", true), "enabled", true,
		"authentication_realm", jsondoc.Obj("name", "reserved", "type", "reserved"), "lookup_realm", jsondoc.Obj("name", "reserved", "type", "reserved"), "authentication_type", "realm"))
}

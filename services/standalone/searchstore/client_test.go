package searchstore_test

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	"github.com/elastic/go-elasticsearch/v8/typedapi/core/search"
	"github.com/elastic/go-elasticsearch/v8/typedapi/types"
)

// TestOfficialClient drives the store with the client that the indexer uses:
// it refuses servers without the product header and sends versioned media
// types.
func TestOfficialClient(t *testing.T) {
	srv := httptest.NewServer(open(t, t.TempDir()).Handler())
	t.Cleanup(srv.Close)
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{srv.URL}, CompressRequestBody: true})
	if err != nil {
		t.Fatal(err)
	}
	bi, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: es, Index: "client", NumWorkers: 2, Refresh: "true"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range [...]string{"1", "2", "3"} {
		err := bi.Add(t.Context(), esutil.BulkIndexerItem{Action: "index", DocumentID: id, Body: strings.NewReader(`{"message":"hello ` + id + `"}`),
			OnFailure: func(_ context.Context, _ esutil.BulkIndexerItem, r esutil.BulkIndexerResponseItem, err error) {
				t.Errorf("%v %v", r.Error, err)
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := bi.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := bi.Stats(); st.NumIndexed != 3 || st.NumFailed != 0 {
		t.Errorf("bulk: %+v", st)
	}
	res, err := es.Search(es.Search.WithIndex("client"), es.Search.WithBody(bytes.NewBufferString(`{"query":{"match":{"message":"hello"}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.IsError() || !strings.Contains(string(body), `"value":3`) {
		t.Errorf("search: %s %v", body, err)
	}
	typed, err := elasticsearch.NewTypedClient(elasticsearch.Config{Addresses: []string{srv.URL}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := typed.Search().Index("client").Request(&search.Request{Query: &types.Query{MatchAll: types.NewMatchAllQuery()}}).Do(t.Context())
	if err != nil || out.Hits.Total.Value != 3 || len(out.Hits.Hits) != 3 {
		t.Errorf("typed search: %+v %v", out, err)
	}
	if info, err := typed.Info().Do(t.Context()); err != nil || !strings.HasPrefix(info.Version.Int, "8.") {
		t.Errorf("info: %+v %v", info, err)
	}
}

package searchapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/weirflow/weirflow/gateway/internal/searchapi"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
)

func start(t *testing.T, answer http.HandlerFunc) *searchapi.Server {
	t.Helper()
	store := httptest.NewServer(answer)
	t.Cleanup(store.Close)
	s, err := searchapi.New(searchapi.Store{URL: store.URL, Username: "elastic", Password: "hush"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIndicesAndFields(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "elastic" || password != "hush" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.URL.Path {
		case "/_cat/indices":
			_, _ = io.WriteString(w, `[{"health":"green","index":"b","docs.count":"12","docs.deleted":"1","store.size":"2048"},{"index":".hidden","docs.count":null},{"health":"red","index":"a","docs.count":null}]`)
		case "/logs-*/_field_caps":
			_, _ = io.WriteString(w, `{"fields":{"_id":{"_id":{"metadata_field":true,"searchable":true,"aggregatable":false}},"host":{"object":{"searchable":false}},
				"n":{"long":{"searchable":true,"aggregatable":true},"keyword":{"searchable":true,"aggregatable":true},"unmapped":{}},"message":{"text":{"searchable":true,"aggregatable":false}}}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	list, err := s.ListIndices(t.Context(), &searchv1.ListIndicesRequest{})
	if err != nil || len(list.GetIndices()) != 2 || list.GetIndices()[0].GetName() != "a" || list.GetIndices()[1].GetDocuments() != 12 || list.GetIndices()[1].GetBytes() != 2048 {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := s.ListIndices(t.Context(), &searchv1.ListIndicesRequest{Pattern: "none"}); err != nil || len(list.GetIndices()) > 0 {
		t.Errorf("no such index: %v, %v", list, err)
	}
	fields, err := s.GetFields(t.Context(), &searchv1.GetFieldsRequest{Pattern: "logs-*"})
	if err != nil || len(fields.GetFields()) != 2 {
		t.Fatalf("%v, %v", fields, err)
	}
	if f := fields.GetFields()[0]; f.GetName() != "message" || f.GetAggregatable() || !f.GetSearchable() {
		t.Errorf("%v", f)
	}
	if f := fields.GetFields()[1]; f.GetName() != "n" || len(f.GetTypes()) != 2 || f.GetTypes()[0] != "keyword" {
		t.Errorf("%v", f)
	}
}

func TestSearchPassesBodyAndErrors(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/gone/_search" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"type":"index_not_found_exception","reason":"no such index [gone]"},"status":404}`)
			return
		}
		if string(text) == `{"size":-1}` {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"root_cause":[{"reason":"[size] parameter cannot be negative, found [-1]"}],"reason":"all shards failed"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"took":1,"asked":`+string(text)+`}`)
	})
	body, err := structpb.NewStruct(map[string]any{"size": 3})
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Search(t.Context(), &searchv1.SearchRequest{Pattern: "logs-*,other", Body: body})
	if err != nil || res.GetBody().GetFields()["asked"].GetStructValue().GetFields()["size"].GetNumberValue() != 3 {
		t.Errorf("%v, %v", res, err)
	}
	if _, err := s.Search(t.Context(), &searchv1.SearchRequest{Pattern: "gone"}); status.Code(err) != codes.NotFound {
		t.Errorf("no index: %v", err)
	}
	body.Fields["size"] = structpb.NewNumberValue(-1)
	if _, err := s.Search(t.Context(), &searchv1.SearchRequest{Pattern: "a", Body: body}); status.Code(err) != codes.InvalidArgument || status.Convert(err).Message() != "[size] parameter cannot be negative, found [-1]" {
		t.Errorf("a wrong body: %v", err)
	}
}

func TestOnlyPatternsAreAsked(t *testing.T) {
	asked := false
	s := start(t, func(http.ResponseWriter, *http.Request) { asked = true })
	for _, p := range []string{"", "_all/_delete_by_query?x=", "_bulk", "a/b", "a%2fb", "..", "a?b", "a b", "a#b"} {
		if _, err := s.Search(t.Context(), &searchv1.SearchRequest{Pattern: p}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%q: %v", p, err)
		}
	}
	if asked {
		t.Error("the store was asked")
	}
}

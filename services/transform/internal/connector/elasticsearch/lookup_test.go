package elasticsearch

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// openLookup makes a lookup by k and n of a table with one more column.
func openLookup(t *testing.T, server *httptest.Server, more map[string]string) (connector.Lookup, error) {
	t.Helper()
	values := map[string]string{"connector": "elasticsearch-7", "hosts": server.URL, "index": "hosts", "username": "elastic", "password": "secret", "connection.path-prefix": "es"}
	maps.Copy(values, more)
	fields := []types.Field{{Name: "k", Type: types.StringType()}, {Name: "n", Type: types.Of(types.Int)}, {Name: "v", Type: types.StringType()}}
	table := &plan.Table{Name: "d", Options: values, Physical: fields}
	f, o, err := connector.Registry{"elasticsearch-7": Factory(7)}.Lookup(table)
	if err != nil {
		t.Fatal(err)
	}
	scan := &plan.Scan{Table: table}
	for i, c := range fields {
		scan.Columns = append(scan.Columns, plan.ScanColumn{Name: c.Name, Type: c.Type, Physical: i})
	}
	return f.Lookup(connector.Env{Logger: slog.New(slog.DiscardHandler)}, scan, []int{0, 1}, o)
}

func keysOf(rows ...[]any) *column.Batch {
	b := &column.Batch{Len: len(rows), Cols: []*column.Vector{column.New(types.StringType()), column.New(types.Of(types.Int))}}
	for _, r := range rows {
		b.Cols[0].Append(r[0])
		b.Cols[1].Append(r[1])
	}
	return b
}

func TestLookup(t *testing.T) {
	var body string
	var tries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/es/_msearch" || user != "elastic" || password != "secret" {
			t.Errorf("request for %s by %s", r.URL.Path, user)
		}
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		fmt.Fprint(w, `{"responses":[{"hits":{"hits":[{"_source":{"k":"a\"","n":1,"v":"x"}},{"_source":{"k":"a\"","n":1}},{"_source":{"k":"a word of a\"","n":1,"v":"other"}}]},"status":200},{"hits":{"hits":[]},"status":200}]}`)
	}))
	defer server.Close()
	l, err := openLookup(t, server, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answer, err := l.Lookup(t.Context(), keysOf([]any{`a"`, int64(1)}, []any{"b", int64(2)}))
	if err != nil {
		t.Fatal(err)
	}
	question := func(k, n string) string {
		return `{"index":"hosts"}` + "\n" + `{"size":10000,"query":{"bool":{"filter":[{"bool":{"should":[{"term":{"k":` + k + `}},{"term":{"k.keyword":` + k +
			`}}],"minimum_should_match":1}},{"term":{"n":` + n + `}}]}}}` + "\n"
	}
	want := question(`"a\""`, "1") + question(`"b"`, "2")
	if body != want {
		t.Errorf("the store was asked\n%s\nwant\n%s", body, want)
	}
	if answer.Rows.Len != 2 || !reflect.DeepEqual(answer.Of, []int32{0, 0}) {
		t.Fatalf("%d rows of questions %v", answer.Rows.Len, answer.Of)
	}
	if v := answer.Rows.Cols[2]; v.Value(0) != "x" || !v.IsNull(1) {
		t.Errorf("rows have %v and %v", v.Value(0), v.Value(1))
	}
}

func TestLookupOfManyKeysAsksInParts(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		b, _ := io.ReadAll(r.Body)
		var answers []string
		for range strings.Count(string(b), `"query"`) {
			answers = append(answers, `{"hits":{"hits":[{"_source":{"k":"k","v":"x"}}]},"status":200}`)
		}
		fmt.Fprintf(w, `{"responses":[%s]}`, strings.Join(answers, ","))
	}))
	defer server.Close()
	l, err := openLookup(t, server, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var rows [][]any
	for i := range questions + 1 {
		rows = append(rows, []any{"k", int64(i)})
	}
	for range 2 {
		answer, err := l.Lookup(t.Context(), keysOf(rows...))
		if err != nil {
			t.Fatal(err)
		}
		if answer.Rows.Len != questions+1 || answer.Of[questions] != questions {
			t.Errorf("%d rows, the last for question %d", answer.Rows.Len, answer.Of[len(answer.Of)-1])
		}
	}
	if requests.Load() != 4 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestLookupErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		status       int
		answer, want string
	}{
		"refused":        {401, `{"error":"who are you"}`, "401"},
		"missing index":  {200, `{"responses":[{"error":{"type":"index_not_found_exception"},"status":404}]}`, "index_not_found"},
		"too few":        {200, `{"responses":[]}`, "0 answers"},
		"no JSON":        {200, `<html>`, "read the answer"},
		"wrong document": {200, `{"responses":[{"hits":{"hits":[{"_source":{"n":"x"}}]},"status":200}]}`, "no INT"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.answer)
			}))
			defer server.Close()
			l, err := openLookup(t, server, map[string]string{"lookup.max-retries": "0"})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			_, err = l.Lookup(t.Context(), keysOf([]any{"a", int64(1)}))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want one about %s", err, tt.want)
			}
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if _, err := openLookup(t, server, map[string]string{"index": "a-{k}"}); err == nil {
		t.Error("an index name with columns is taken")
	}
}

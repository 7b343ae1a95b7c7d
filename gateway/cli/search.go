package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
)

// maxHits is what Elasticsearch gives at once.
const maxHits = 10_000

func (f *flags) indicesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "indices [PATTERN]", Short: "List the indices of the search store", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			res, err := f.indices(cmd.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), res, func(out io.Writer) error {
				t := newTable(out, "INDEX", "HEALTH", "DOCUMENTS", "SIZE")
				for _, x := range res.GetIndices() {
					t.row(x.GetName(), x.GetHealth(), count(x.GetDocuments()), size(x.GetBytes()))
				}
				return t.end()
			})
		},
	}
}

func (f *flags) indices(ctx context.Context, pattern string) (*searchv1.ListIndicesResponse, error) {
	res := &searchv1.ListIndicesResponse{}
	return res, f.get(ctx, path("indices"), url.Values{"pattern": {pattern}}, res)
}

// searchFlags say what is searched.
type searchFlags struct {
	since, until, timeField, sort string
	size                          int
	fields                        []string
}

func (f *flags) searchCommand() *cobra.Command {
	s := &searchFlags{}
	c := &cobra.Command{
		Use: "search INDEX [QUERY]", Short: "Find documents, the newest first", Args: cobra.RangeArgs(1, 2),
		Long: "Find documents of an index or pattern. The query is in Elasticsearch's query string syntax:\n" +
			"level:ERROR AND message:\"time out\". Each document is a line of JSON, or a row of the columns that --fields names.",
		Example: "  weirflow search 'logs-*' 'level:ERROR' --since 15m --fields @timestamp,host.name,message\n  weirflow search oceanus_test2 -n 5 -o json",
		ValidArgsFunction: f.names(func(ctx context.Context) ([]string, error) {
			res, err := f.indices(ctx, "")
			var names []string
			for _, x := range res.GetIndices() {
				names = append(names, x.GetName())
			}
			return names, err
		}),
		RunE: func(cmd *cobra.Command, args []string) error { return f.search(cmd, args, s) },
	}
	fl := c.Flags()
	fl.StringVar(&s.since, "since", "", "not older: 15m, or as in 2026-01-02T15:04:05Z")
	fl.StringVar(&s.until, "until", "", "not newer")
	fl.StringVar(&s.timeField, "time-field", "", "field by which --since and --until choose (@timestamp, or another date of the index)")
	fl.StringVar(&s.sort, "sort", "", "field to sort by, as in bytes:desc (the time field, newest first)")
	fl.IntVarP(&s.size, "size", "n", 20, "at most so many documents")
	fl.StringSliceVar(&s.fields, "fields", nil, "columns to show")
	return c
}

// body is the request of a search.
func (s *searchFlags) body(f *flags, query string) (map[string]any, error) {
	if s.size < 1 || s.size > maxHits {
		return nil, fmt.Errorf("--size must be between 1 and %d", maxHits)
	}
	var filter []any
	if query != "" {
		filter = append(filter, map[string]any{"query_string": map[string]any{"query": query}})
	}
	bounds := map[string]any{}
	for key, text := range map[string]string{"gte": s.since, "lte": s.until} {
		if text == "" {
			continue
		}
		at, err := pointInTime(text, f.now())
		if err != nil {
			return nil, err
		}
		bounds[key], bounds["format"] = at.UTC().Format("2006-01-02T15:04:05.000Z"), "strict_date_optional_time"
	}
	if len(bounds) > 0 {
		if s.timeField == "" {
			return nil, errors.New("the index has no field that is a date: --time-field names the one that --since and --until mean")
		}
		filter = append(filter, map[string]any{"range": map[string]any{s.timeField: bounds}})
	}
	sort := []any{}
	if s.timeField != "" {
		sort = append(sort, map[string]any{s.timeField: map[string]any{"order": "desc", "unmapped_type": "date"}})
	}
	if s.sort != "" {
		field, order, ok := strings.Cut(s.sort, ":")
		if !ok {
			order = "asc"
		}
		if order != "asc" && order != "desc" {
			return nil, fmt.Errorf("--sort %q ends in neither :asc nor :desc", s.sort)
		}
		sort = []any{map[string]any{field: map[string]any{"order": order, "unmapped_type": "keyword"}}}
	}
	q := map[string]any{"match_all": map[string]any{}}
	if len(filter) > 0 {
		q = map[string]any{"bool": map[string]any{"filter": filter}}
	}
	return map[string]any{"size": s.size, "sort": sort, "query": q, "track_total_hits": true}, nil
}

func (f *flags) search(cmd *cobra.Command, args []string, s *searchFlags) error {
	query := ""
	if len(args) > 1 {
		query = args[1]
	}
	c, err := f.client()
	if err != nil {
		return err
	}
	if s.timeField == "" {
		if s.timeField, err = dateOf(cmd.Context(), c, args[0]); err != nil {
			return err
		}
	}
	body, err := s.body(f, query)
	if err != nil {
		return err
	}
	in, err := json.Marshal(body)
	if err != nil {
		return err
	}
	// The store's own API: every digit of a document is kept.
	answer, err := c.raw(cmd.Context(), http.MethodPost, path("search", args[0], "_search"), in)
	if err != nil {
		return err
	}
	if f.output != "table" {
		return f.printJSON(cmd.OutOrStdout(), answer)
	}
	return showHits(cmd, answer, s.fields)
}

// dateOf finds by which field an index has a time: @timestamp, or the first other one.
func dateOf(ctx context.Context, c *client, index string) (string, error) {
	answer, err := c.raw(ctx, http.MethodGet, path("search", index, "_field_caps")+"?fields=*", nil)
	if err != nil {
		return "", err
	}
	var res struct {
		Fields map[string]map[string]json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(answer, &res); err != nil {
		return "", fmt.Errorf("read the fields of %s: %w", index, err)
	}
	first := ""
	for name, kinds := range res.Fields {
		if kinds["date"] == nil && kinds["date_nanos"] == nil {
			continue
		}
		if name == "@timestamp" {
			return name, nil
		}
		if first == "" || name < first {
			first = name
		}
	}
	return first, nil
}

func showHits(cmd *cobra.Command, answer []byte, fields []string) error {
	var res struct {
		Hits *struct {
			Total struct {
				Value int64 `json:"value"`
			} `json:"total"`
			Hits []struct {
				Source json.RawMessage `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(answer, &res); err != nil || res.Hits == nil {
		return errors.New("the answer has no hits")
	}
	out := cmd.OutOrStdout()
	var t *table
	if len(fields) > 0 {
		t = newTable(out, fields...)
	}
	for _, h := range res.Hits.Hits {
		if t == nil {
			if err := said(out, "%s", clean(string(h.Source))); err != nil {
				return err
			}
			continue
		}
		var doc any
		d := json.NewDecoder(bytes.NewReader(h.Source))
		d.UseNumber()
		if err := d.Decode(&doc); err != nil {
			return fmt.Errorf("read a document: %w", err)
		}
		cells := make([]string, len(fields))
		for i, name := range fields {
			cells[i] = valueAt(doc, name)
		}
		t.row(cells...)
	}
	if t != nil {
		if err := t.end(); err != nil {
			return err
		}
	}
	if shown := int64(len(res.Hits.Hits)); shown < res.Hits.Total.Value {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%d of %s documents\n", shown, count(res.Hits.Total.Value)) // beside the answer
	}
	return nil
}

// valueAt is the text of a field of a document, whose name may be written with dots
// or be nested.
func valueAt(doc any, name string) string {
	m, ok := doc.(map[string]any)
	if !ok {
		return ""
	}
	if v, ok := m[name]; ok {
		return plain(v)
	}
	for i := range len(name) {
		if name[i] == '.' {
			if inner, ok := m[name[:i]]; ok {
				if s := valueAt(inner, name[i+1:]); s != "" {
					return s
				}
			}
		}
	}
	return ""
}

func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(text)
	}
}

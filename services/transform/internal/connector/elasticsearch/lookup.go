package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	formatjson "github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const (
	// questions is how many keys one request asks for.
	questions = 200
	// maxFound is how many documents one key may have; the store gives no more.
	maxFound = 10_000
)

// lookup finds documents whose fields equal the keys of a join.
type lookup struct {
	table   string
	index   string
	retries int
	keys    []int    // columns of the table
	names   []string // of the key columns
	client  *client
	enc     *formatjson.Encoder
	dec     format.Decoder
	body    bytes.Buffer
	line    []byte
	rows    column.Batch
	chosen  column.Batch // those that have the keys asked for
	kept    []int32
	of      []int32
}

func newLookup(env connector.Env, scan *plan.Scan, keys []int, o *connector.Options) (connector.Lookup, error) {
	name := scan.Table.Name
	parts, err := parseIndex(o.Text("index"))
	if err != nil {
		return nil, o.Wrong("index", err.Error())
	}
	if len(parts) != 1 || parts[0].field != "" {
		return nil, o.Wrong("index", "a lookup needs one index, without columns in its name")
	}
	l := &lookup{table: name, keys: keys, index: parts[0].text, retries: int(o.Int("lookup.max-retries"))}
	var fields []types.Field
	for _, k := range keys {
		c := scan.Columns[k]
		if c.Metadata != "" {
			return nil, fmt.Errorf("table %q: documents have no metadata", name)
		}
		l.names = append(l.names, c.Name)
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	l.enc = formatjson.NewEncoder(fields, formatjson.Options{PlainDecimals: true, TimestampStandard: o.Enum("json.timestamp-format.standard")})
	if l.dec, err = format.NewDecoder(o, "json", "", format.Columns(scan), scan.Table.Physical); err != nil {
		return nil, err
	}
	l.client, err = newClient(o)
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", name, err)
	}
	return l, nil
}

// Lookup asks for all keys, many in one request.
func (l *lookup) Lookup(ctx context.Context, keys *column.Batch) (connector.Answer, error) {
	l.dec.Begin(keys.Len)
	l.of = l.of[:0]
	for from := 0; from < keys.Len; from += questions {
		if err := l.ask(ctx, keys, from, min(keys.Len, from+questions)); err != nil {
			return connector.Answer{}, fmt.Errorf("look up in table %q: %w", l.table, err)
		}
	}
	cols, records := l.dec.Finish()
	l.rows = column.Batch{Len: len(records), Cols: cols}
	of, kept := make([]int32, 0, len(records)), l.kept[:0]
	for row, r := range records {
		if l.same(cols, row, keys, int(l.of[r])) {
			of, kept = append(of, l.of[r]), append(kept, int32(row))
		}
	}
	l.kept = kept
	if len(kept) == len(records) {
		return connector.Answer{Rows: &l.rows, Of: of}, nil
	}
	l.rows.Select(&l.chosen, kept, nil)
	return connector.Answer{Rows: &l.chosen, Of: of}, nil
}

// found is what is read of an answer.
type found struct {
	Responses []struct {
		Status int
		Error  json.RawMessage
		Hits   struct {
			Hits []struct {
				Source json.RawMessage `json:"_source"`
			}
		}
	}
}

func (l *lookup) ask(ctx context.Context, keys *column.Batch, from, to int) error {
	l.body.Reset()
	for i := from; i < to; i++ {
		if err := l.question(keys, i); err != nil {
			return err
		}
	}
	answer, err := l.client.search(ctx, l.body.Bytes(), l.retries)
	if err != nil {
		return err
	}
	var f found
	if err := json.Unmarshal(answer, &f); err != nil {
		return fmt.Errorf("read the answer of the store: %w", err)
	}
	if len(f.Responses) != to-from {
		return fmt.Errorf("the store gave %d answers to %d questions", len(f.Responses), to-from)
	}
	for i, r := range f.Responses {
		if len(r.Error) > 0 {
			return fmt.Errorf("the store answered %d: %s", r.Status, shorten(r.Error))
		}
		if len(r.Hits.Hits) >= maxFound {
			return fmt.Errorf("a key has %d documents or more, which is too many for a join", maxFound)
		}
		for _, h := range r.Hits.Hits {
			l.of = append(l.of, int32(from+i))
			if _, err := l.dec.Decode(h.Source); err != nil {
				return fmt.Errorf("document %s: %w", shorten(h.Source), err)
			}
		}
	}
	return nil
}

// question adds the query for row i of the keys.
func (l *lookup) question(keys *column.Batch, i int) error {
	b := l.line[:0]
	b = append(b, `{"index":`...)
	b = formatjson.AppendQuoted(b, l.index)
	b = append(b, "}\n"+`{"size":`...)
	b = strconv.AppendInt(b, maxFound, 10)
	b = append(b, `,"query":{"bool":{"filter":[`...)
	for k, name := range l.names {
		if k > 0 {
			b = append(b, ',')
		}
		var err error
		if !keys.Cols[k].Type.Kind.IsCharacter() {
			if b, err = l.term(b, name, keys.Cols[k], i); err != nil {
				return err
			}
			continue
		}
		// Text that the store has cut into words is whole in its field .keyword.
		b = append(b, `{"bool":{"should":[`...)
		if b, err = l.term(b, name, keys.Cols[k], i); err != nil {
			return err
		}
		b = append(b, ',')
		if b, err = l.term(b, name+".keyword", keys.Cols[k], i); err != nil {
			return err
		}
		b = append(b, `],"minimum_should_match":1}}`...)
	}
	b = append(b, "]}}}\n"...)
	l.line = b
	l.body.Write(b)
	return nil
}

func (l *lookup) term(b []byte, field string, key *column.Vector, i int) ([]byte, error) {
	b = append(b, `{"term":{`...)
	b = append(formatjson.AppendQuoted(b, field), ':')
	b, err := l.enc.AppendValue(b, key, i)
	return append(b, "}}"...), err
}

// same reports whether a document has the text that was asked for: the store also
// finds those of which it is only a word.
func (l *lookup) same(cols []*column.Vector, row int, keys *column.Batch, of int) bool {
	for k, c := range l.keys {
		if key := keys.Cols[k]; key.Type.Kind.IsCharacter() && (cols[c].IsNull(row) || cols[c].Strs[row] != key.Strs[of]) {
			return false
		}
	}
	return true
}

func shorten(b []byte) string {
	if len(b) > 300 {
		return string(b[:300]) + "…"
	}
	return string(b)
}

// Close gives up idle connections.
func (l *lookup) Close() error {
	l.client.tr.CloseIdleConnections()
	return nil
}

// search sends queries and returns the answers.
func (c *client) search(ctx context.Context, body []byte, retries int) ([]byte, error) {
	for try := 0; ; try++ {
		answer, again, err := c.trySearch(ctx, body)
		if err == nil || !again || try >= retries {
			return answer, err
		}
		if err := c.pause(ctx, try); err != nil {
			return nil, err
		}
	}
}

func (c *client) trySearch(ctx context.Context, body []byte) (answer []byte, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := esapi.MsearchRequest{Body: bytes.NewReader(body)}.Do(ctx, c.es)
	if err != nil {
		return nil, ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded), fmt.Errorf("send a search: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.IsError() {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
		return nil, res.StatusCode == 429 || res.StatusCode >= 500, fmt.Errorf("the store answered %d: %s", res.StatusCode, shorten(text))
	}
	answer, err = io.ReadAll(res.Body)
	return answer, true, err
}

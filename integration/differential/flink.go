//go:build integration

package differential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// gateway is a session of Flink's SQL gateway.
type gateway struct {
	url     string
	session string
	client  *http.Client
}

// column is a column of a result, with its type as SQL writes it.
type column struct {
	Name string
	Type string
}

// change is a row of a changelog.
type change struct {
	Op  string
	Row []any
}

// result is what a query gave.
type result struct {
	columns []column
	changes []change
}

var kinds = map[string]string{"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}

// openGateway opens a session in which a failing job fails at once.
func openGateway(ctx context.Context, url, zone string) (*gateway, error) {
	g := &gateway{url: url, client: &http.Client{Timeout: time.Minute}}
	var answer struct{ SessionHandle string }
	properties := map[string]string{
		"parallelism.default": "1", "restart-strategy.type": "none", "execution.checkpointing.interval": "1h", "table.local-time-zone": zone,
		"pipeline.operator-chaining.enabled": "true", "table.exec.source.idle-timeout": "0",
	}
	err := g.call(ctx, http.MethodPost, "/v1/sessions", map[string]any{"properties": properties}, &answer)
	g.session = answer.SessionHandle
	return g, err
}

func (g *gateway) close(ctx context.Context) error {
	return g.call(ctx, http.MethodDelete, "/v1/sessions/"+g.session, nil, nil)
}

// refused is Flink's word that a statement or a value is wrong.
type refused struct{ reason string }

func (r *refused) Error() string { return r.reason }

func (g *gateway) call(ctx context.Context, method, path string, body, answer any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.url+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := g.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return &refused{reason: lastCause(b)}
	}
	if answer == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(answer)
}

// lastCause is the innermost cause of the trace that the gateway answers with.
func lastCause(body []byte) string {
	var e struct{ Errors []string }
	if json.Unmarshal(body, &e) != nil || len(e.Errors) == 0 {
		return string(body)
	}
	text := e.Errors[len(e.Errors)-1]
	if at := strings.LastIndex(text, "Caused by: "); at >= 0 {
		text = text[at+len("Caused by: "):]
	}
	if at := strings.Index(text, "\n\tat "); at >= 0 {
		text = text[:at]
	}
	return text
}

type page struct {
	ResultType    string
	IsQueryResult bool
	NextResultURI string `json:"nextResultUri"`
	Results       struct {
		Columns []struct {
			Name        string
			LogicalType logicalType
		}
		Data []struct {
			Kind   string
			Fields []any
		}
	}
}

// execute runs one statement to its end; when the cluster is busy, again.
func (g *gateway) execute(ctx context.Context, statement string) (*result, error) {
	for {
		r, err := g.once(ctx, statement)
		if err == nil || !strings.Contains(err.Error(), "NoResourceAvailable") {
			return r, err
		}
	}
}

func (g *gateway) once(ctx context.Context, statement string) (*result, error) {
	var op struct{ OperationHandle string }
	base := "/v1/sessions/" + g.session
	if err := g.call(ctx, http.MethodPost, base+"/statements", map[string]any{"statement": statement}, &op); err != nil {
		return nil, err
	}
	base += "/operations/" + op.OperationHandle
	defer func() {
		// Flink keeps operations until their session ends.
		_ = g.call(context.WithoutCancel(ctx), http.MethodDelete, base+"/close", nil, nil)
	}()
	next := base + "/result/0"
	out := &result{}
	for wait := 5 * time.Millisecond; ; {
		var p page
		if err := g.call(ctx, http.MethodGet, next, nil, &p); err != nil {
			return nil, err
		}
		if out.columns == nil {
			for _, c := range p.Results.Columns {
				out.columns = append(out.columns, column{c.Name, c.LogicalType.String()})
			}
		}
		for _, row := range p.Results.Data {
			out.changes = append(out.changes, change{kinds[row.Kind], row.Fields})
		}
		if p.ResultType == "EOS" {
			return out, nil
		}
		if p.ResultType != "NOT_READY" {
			if p.NextResultURI == "" {
				return out, nil
			}
			next = p.NextResultURI
		}
		if len(p.Results.Data) == 0 {
			if err := pause(ctx, wait); err != nil {
				return nil, err
			}
			wait = min(2*wait, 50*time.Millisecond)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// logicalType is a type as the gateway writes it.
type logicalType struct {
	Type        string
	Nullable    bool
	Length      int
	Precision   int
	Scale       int
	Resolution  string
	Field       json.RawMessage
	Fields      []logicalField
	ElementType *logicalType
	KeyType     *logicalType
	ValueType   *logicalType
}

type logicalField struct {
	Name      string
	FieldType logicalType
}

// String returns the type as SQL writes it, without nullability.
func (t logicalType) String() string {
	switch t.Type {
	case "INTEGER":
		return "INT"
	case "VARCHAR", "VARBINARY":
		if t.Length == 2147483647 {
			return map[string]string{"VARCHAR": "STRING", "VARBINARY": "BYTES"}[t.Type]
		}
		return fmt.Sprintf("%s(%d)", t.Type, t.Length)
	case "CHAR", "BINARY":
		return fmt.Sprintf("%s(%d)", t.Type, t.Length)
	case "DECIMAL":
		return fmt.Sprintf("DECIMAL(%d, %d)", t.Precision, t.Scale)
	case "TIME_WITHOUT_TIME_ZONE":
		return fmt.Sprintf("TIME(%d)", t.Precision)
	case "TIMESTAMP_WITHOUT_TIME_ZONE":
		return fmt.Sprintf("TIMESTAMP(%d)", t.Precision)
	case "TIMESTAMP_WITH_LOCAL_TIME_ZONE":
		return fmt.Sprintf("TIMESTAMP_LTZ(%d)", t.Precision)
	case "ARRAY", "MULTISET":
		return t.Type + "<" + t.ElementType.String() + ">"
	case "MAP":
		return "MAP<" + t.KeyType.String() + ", " + t.ValueType.String() + ">"
	case "ROW":
		fields := make([]string, 0, len(t.Fields))
		for _, f := range t.Fields {
			fields = append(fields, "`"+f.Name+"` "+f.FieldType.String())
		}
		return "ROW<" + strings.Join(fields, ", ") + ">"
	default:
		return t.Type
	}
}

// isRefusal tells an answer of Flink from trouble in reaching it.
func isRefusal(err error) bool {
	var r *refused
	return errors.As(err, &r)
}

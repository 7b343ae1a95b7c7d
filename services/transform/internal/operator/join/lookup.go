package join

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// lookupTimeout bounds one question to an outside table.
const lookupTimeout = time.Minute

// Answer is the rows that an outside table has found. Row i of Rows answers row
// Of[i] of the question; rows of one question are in the table's order.
type Answer struct {
	Rows *column.Batch
	Of   []int32
}

// Table is an outside table that finds rows by key.
type Table interface {
	// Lookup finds the rows whose key columns equal those of a row of keys. The keys
	// differ from each other and hold no NULL. The answer is good until the next call.
	Lookup(ctx context.Context, keys *column.Batch) (Answer, error)
	Close() error
}

// Lookup asks an outside table for the rows that match each left row, all that a
// batch wants to know in one question.
type Lookup struct {
	node     *plan.LookupJoin
	keys     *keys
	consts   []any
	residual *residual
	out      output
	table    Table
	cache    *cache
	retry    retry
	now      func() time.Time
	ctx      context.Context //nolint:containedctx // operators have none; Close ends what Process waits for
	stop     context.CancelFunc

	question *operator.Rows
	asked    []string
	found    map[string][]string
	wanted   []string // the key of each row of the batch; "" for one that matches nothing
	text     []byte
}

// NewLookup makes the operator of a node. Open gives it the table.
func NewLookup(n *plan.LookupJoin, env eval.Env) (*Lookup, error) {
	env = env.Filled()
	left, right := n.Left.Out().Fields, n.Right.Out().Fields
	for i, safe := range n.On.NullSafe {
		if safe {
			return nil, &eval.Unsupported{At: n.At, What: fmt.Sprintf("IS NOT DISTINCT FROM on %s in a lookup join", right[n.On.RightKeys[i]].Name)}
		}
	}
	j := &Lookup{node: n, now: env.Now, found: make(map[string][]string)}
	j.out = output{rows: operator.NewRows(n.Fields), left: len(left)}
	var err error
	if j.keys, err = newKeys(n.On, left, right, env); err != nil {
		return nil, err
	}
	if j.residual, err = newResidual(n.On.Residual, left, right, env); err != nil {
		return nil, err
	}
	if j.retry, err = newRetry(n.Hints); err != nil {
		return nil, &eval.Error{At: n.At, Err: err}
	}
	var fields []types.Field
	for _, c := range KeyColumns(n) {
		fields = append(fields, right[c])
	}
	for _, c := range n.Constants {
		v, err := eval.Constant(c.Value, env)
		if err != nil {
			return nil, err
		}
		j.consts = append(j.consts, v)
	}
	j.question = operator.NewRows(fields)
	j.ctx, j.stop = context.WithCancel(context.Background())
	return j, nil
}

// KeyColumns returns the columns of the right scan that a table is asked by: those
// compared with the left's, then those compared with constants.
func KeyColumns(n *plan.LookupJoin) []int {
	cols := append([]int{}, n.On.RightKeys...)
	for _, c := range n.Constants {
		cols = append(cols, c.Column)
	}
	return cols
}

// Open gives the operator the table to ask, and how long answers are kept.
func (j *Lookup) Open(t Table, c CacheConfig) {
	j.table = t
	if c.Keep {
		j.cache = newCache(c, j.now)
	}
}

// Process joins the rows with what the table holds.
func (j *Lookup) Process(_ int, b *column.Batch, out operator.Emitter) error {
	if j.table == nil {
		return fmt.Errorf("lookup in %s: the table was not opened", j.node.Table.Name)
	}
	if err := j.keys.bind(0, b); err != nil {
		return err
	}
	if err := j.collect(b); err != nil {
		return err
	}
	if err := j.ask(); err != nil {
		return fmt.Errorf("lookup in %s: %w", j.node.Table.Name, err)
	}
	j.out.rows.From(b)
	for i := range b.Len {
		j.out.record = b.Record(i)
		j.text = row.AppendAll(j.text[:0], b, i)
		if err := j.emit(b.Kind(i), string(j.text), j.wanted[i]); err != nil {
			return err
		}
		if err := j.out.rows.Spill(out); err != nil {
			return err
		}
	}
	return j.out.rows.Flush(out)
}

// collect finds the keys of a batch, and those that must be asked for.
func (j *Lookup) collect(b *column.Batch) error {
	clear(j.found)
	j.asked, j.wanted = j.asked[:0], j.wanted[:0]
	j.question.Reset()
	for i := range b.Len {
		key, ok := j.keys.key(0, i)
		if !ok {
			j.wanted = append(j.wanted, "")
			continue
		}
		// A key of constants alone has no bytes of its own.
		k := "k" + string(key)
		j.wanted = append(j.wanted, k)
		if _, known := j.found[k]; known {
			continue
		}
		if j.cache != nil {
			if rows, ok := j.cache.get(k); ok {
				j.found[k] = rows
				continue
			}
		}
		j.found[k] = nil
		j.asked = append(j.asked, k)
		j.question.Add(column.Insert, 0)
		cols := j.question.Batch.Cols
		for c, v := range j.keys.vecs[0] {
			operator.Append(cols[c], v, i)
		}
		for c, v := range j.consts {
			cols[len(j.keys.vecs[0])+c].Append(v)
		}
	}
	return nil
}

// ask puts the question of a batch to the table, again where a hint says so.
func (j *Lookup) ask() error {
	if len(j.asked) == 0 {
		return nil
	}
	for attempt := 1; ; attempt++ {
		if err := j.once(); err != nil {
			return err
		}
		if attempt >= j.retry.attempts || !j.missing() {
			break
		}
		select {
		case <-time.After(j.retry.delay):
		case <-j.ctx.Done():
			return j.ctx.Err()
		}
	}
	if j.cache != nil {
		for _, k := range j.asked {
			j.cache.put(k, j.found[k])
		}
	}
	return nil
}

func (j *Lookup) missing() bool {
	for _, k := range j.asked {
		if len(j.found[k]) == 0 {
			return true
		}
	}
	return false
}

func (j *Lookup) once() error {
	ctx, cancel := context.WithTimeout(j.ctx, lookupTimeout)
	defer cancel()
	a, err := j.table.Lookup(ctx, &j.question.Batch)
	if err != nil {
		return err
	}
	if len(a.Of) != a.Rows.Len {
		return errors.New("the answer does not fit the question")
	}
	for _, k := range j.asked {
		j.found[k] = nil
	}
	for i, of := range a.Of {
		k := j.asked[of]
		j.found[k] = append(j.found[k], string(row.AppendAll(nil, a.Rows, i)))
	}
	return nil
}

// emit puts a left row out with the rows that were found for it.
func (j *Lookup) emit(kind column.Kind, text, key string) error {
	var rows []string
	if key != "" {
		rows = j.found[key]
	}
	matched := false
	if len(rows) > 0 {
		good, err := j.residual.match(0, text, func(i int) string { return rows[i] }, len(rows))
		if err != nil {
			return err
		}
		for i, yes := range good {
			if !yes {
				continue
			}
			matched = true
			if err := j.out.joined(kind, 0, text, rows[i]); err != nil {
				return err
			}
		}
	}
	if !matched && j.node.Kind == plan.LeftJoin {
		return j.out.joined(kind, 0, text, "")
	}
	return nil
}

// Watermark passes it on.
func (j *Lookup) Watermark(_ int, ts int64, out operator.Emitter) error { return out.Watermark(ts) }

// End does nothing.
func (j *Lookup) End(int, operator.Emitter) error { return nil }

// Snapshot writes nothing: the outside table holds all state.
func (j *Lookup) Snapshot(operator.StateWriter) error { return nil }

// Restore reads nothing.
func (j *Lookup) Restore(operator.StateReader) error { return nil }

// Close closes the table.
func (j *Lookup) Close() error {
	j.stop()
	if j.table == nil {
		return nil
	}
	return j.table.Close()
}

package filesystem

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// lookEvery is how often a lookup looks whether its files have changed.
const lookEvery = time.Second

// lookup answers by key from files that it holds in memory and reads again when
// they have changed, or after a time that the options give.
type lookup struct {
	env    connector.Env
	scan   *plan.Scan
	o      *connector.Options
	keys   []int
	reload connector.Reload
	rows   map[string][]string
	stamp  string
	loaded time.Time
	looked time.Time
	answer column.Batch
	of     []int32
	key    []byte
}

func newLookup(env connector.Env, scan *plan.Scan, keys []int, o *connector.Options) (connector.Lookup, error) {
	reload, err := connector.NewReload(o, env.Now())
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", scan.Table.Name, err)
	}
	l := &lookup{env: env, scan: scan, o: o, keys: keys, reload: reload}
	for _, c := range scan.Columns {
		l.answer.Cols = append(l.answer.Cols, column.New(c.Type))
	}
	if _, err := newSource(env, scan, o); err != nil {
		return nil, err
	}
	return l, nil
}

// Lookup finds the rows of keys.
func (l *lookup) Lookup(ctx context.Context, keys *column.Batch) (connector.Answer, error) {
	if err := l.refresh(ctx); err != nil {
		return connector.Answer{}, err
	}
	l.of = l.of[:0]
	for _, c := range l.answer.Cols {
		c.Reset(0)
	}
	for i := range keys.Len {
		l.key = row.AppendAll(l.key[:0], keys, i)
		for _, text := range l.rows[string(l.key)] {
			if _, err := row.Decode(text, l.answer.Cols); err != nil {
				return connector.Answer{}, err
			}
			l.of = append(l.of, int32(i))
		}
	}
	l.answer.Len = len(l.of)
	return connector.Answer{Rows: &l.answer, Of: l.of}, nil
}

// refresh reads the files if that is due.
func (l *lookup) refresh(ctx context.Context) error {
	now := l.env.Now()
	if l.rows != nil {
		if l.reload.OnChange() && now.Sub(l.looked) < lookEvery || !l.reload.OnChange() && !l.reload.Due(l.loaded, now) {
			return nil
		}
	}
	l.looked = now
	stamp, err := l.stampOf()
	if err != nil {
		return l.keepOld(err)
	}
	if l.rows != nil && stamp == l.stamp {
		l.loaded = now
		return nil
	}
	rows, err := l.load(ctx)
	if err != nil {
		return l.keepOld(err)
	}
	l.rows, l.stamp, l.loaded = rows, stamp, now
	return nil
}

// keepOld answers from what was read before while files cannot be read: they may
// be in the middle of a change.
func (l *lookup) keepOld(err error) error {
	if l.rows == nil {
		return err
	}
	l.env.Logger.Warn("lookup files cannot be read, the rows read before are used", "table", l.scan.Table.Name, "error", err)
	return nil
}

// stampOf names the files with their times and sizes.
func (l *lookup) stampOf() (string, error) {
	s, err := newSource(l.env, l.scan, l.o)
	if err != nil {
		return "", err
	}
	src, ok := s.(*source)
	if !ok {
		return "", fmt.Errorf("table %q: files cannot be listed", l.scan.Table.Name)
	}
	files, err := src.files()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %d %d\n", f, info.Size(), info.ModTime().UnixNano())
	}
	return b.String(), nil
}

func (l *lookup) load(ctx context.Context) (map[string][]string, error) {
	s, err := newSource(l.env, l.scan, l.o)
	if err != nil {
		return nil, err
	}
	if src, ok := s.(*source); ok {
		src.every = 0 // the lookup itself looks for changes
	}
	rows := make(map[string][]string)
	err = s.Run(ctx, nil, func(c connector.Chunk) error {
		for i := range c.Batch.Len {
			if row.HasNull(c.Batch, l.keys, i) {
				continue
			}
			l.key = row.Append(l.key[:0], c.Batch, l.keys, i)
			rows[string(l.key)] = append(rows[string(l.key)], string(row.AppendAll(nil, c.Batch, i)))
		}
		c.Release()
		return nil
	})
	return rows, err
}

// Close does nothing: the files are closed once they are read.
func (l *lookup) Close() error { return nil }

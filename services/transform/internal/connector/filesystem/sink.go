package filesystem

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// maxOpen is how many part files are open at a time: one for each partition that
// rows came for lately.
const maxOpen = 64

// rolling says when a part file is finished: Flink's policy and defaults.
type rolling struct {
	size            int64
	age, inactivity time.Duration
	every           time.Duration // between two looks at the clock
}

func rollingOptions() []connector.Option {
	return []connector.Option{
		{Key: "sink.rolling-policy.file-size", Kind: connector.Size, Default: "128MB"},
		{Key: "sink.rolling-policy.rollover-interval", Kind: connector.Duration, Default: "30 min"},
		{Key: "sink.rolling-policy.inactivity-interval", Kind: connector.Duration, Default: "30 min"},
		{Key: "sink.rolling-policy.check-interval", Kind: connector.Duration, Default: "1 min"},
	}
}

// sink writes rows to part files, which get their names when they are finished: no
// reader sees half of one.
type sink struct {
	dir     string
	prefix  string // of the names of part files
	count   int
	enc     format.Encoder
	keys    *partitions // nil without PARTITIONED BY
	roll    rolling
	now     func() time.Time
	looked  time.Time
	open    map[string]*part
	line    []byte
	columns []*column.Vector
	held    []*exec.Receipt
}

func newSink(env connector.Env, s *plan.Sink, o *connector.Options) (connector.Sink, error) {
	if s.Input.Out().Mode != plan.InsertOnly {
		return nil, fmt.Errorf("table %q: connector 'filesystem' takes new rows only, and the query changes rows", s.Table.Name)
	}
	keys, err := newPartitions(s.Table, o.Text("partition.default-name"))
	if err != nil {
		return nil, err
	}
	enc, err := format.NewEncoder(o, o.Text("format"), "", keys.others(s.Table.Physical))
	if err != nil {
		return nil, err
	}
	k := &sink{dir: localPath(o.Text("path")), enc: enc, keys: keys, now: env.Now, looked: env.Now(), open: make(map[string]*part),
		roll: rolling{size: o.Size("sink.rolling-policy.file-size"), age: o.Duration("sink.rolling-policy.rollover-interval"),
			inactivity: o.Duration("sink.rolling-policy.inactivity-interval"), every: o.Duration("sink.rolling-policy.check-interval")}}
	if err := os.MkdirAll(k.dir, 0o750); err != nil {
		return nil, fmt.Errorf("table %q: %w", s.Table.Name, err)
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails
	run := hex.EncodeToString(id[:])
	if env.Job == "" {
		k.prefix = fmt.Sprintf("part-%s-%d-", run, env.Lane)
		return k, nil
	}
	of := fmt.Sprintf("part-%s+%s+%d-", env.Job, s.Table.Name, env.Lane)
	if err := recoverParts(k.dir, of); err != nil {
		return nil, fmt.Errorf("table %q: finish what an earlier run wrote: %w", s.Table.Name, err)
	}
	k.prefix = of + run + "-"
	return k, nil
}

// Write appends rows to the files of their partitions.
func (s *sink) Write(b *column.Batch, r *exec.Receipt) error {
	s.enc.Begin()
	cols := b.Cols
	if s.keys != nil {
		s.columns = s.keys.rest(s.columns[:0], b.Cols)
		cols = s.columns
	}
	for i := range b.Len {
		p, err := s.part(b, i)
		if err != nil {
			return err
		}
		line, err := s.enc.AppendRow(s.line[:0], cols, i)
		if err != nil {
			return err
		}
		line = append(line, '\n')
		s.line = line
		if err := p.write(s.line, s.now()); err != nil {
			return err
		}
		if p.size >= s.roll.size {
			if err := s.finish(p); err != nil {
				return err
			}
		}
	}
	if r != nil {
		r.Hold()
		s.held = append(s.held, r)
	}
	return nil
}

// part returns the open file for a row.
func (s *sink) part(b *column.Batch, i int) (*part, error) {
	dir := ""
	if s.keys != nil {
		dir = s.keys.dir(b.Cols, i)
	}
	if p := s.open[dir]; p != nil {
		return p, nil
	}
	if len(s.open) >= maxOpen {
		if err := s.finish(s.idlest()); err != nil {
			return nil, err
		}
	}
	name := fmt.Sprintf("%s%d", s.prefix, s.count)
	s.count++
	p, err := create(dir, filepath.Join(s.dir, dir), name, s.now())
	if err != nil {
		return nil, err
	}
	s.open[dir] = p
	return p, nil
}

func (s *sink) idlest() *part {
	var old *part
	for _, p := range s.open {
		if old == nil || p.written.Before(old.written) {
			old = p
		}
	}
	return old
}

func (s *sink) finish(p *part) error {
	delete(s.open, p.of)
	return p.finish()
}

// Poll makes rows durable and finishes the files whose time has come.
func (s *sink) Poll(now time.Time) error {
	if len(s.held) > 0 {
		if err := s.Flush(context.Background()); err != nil {
			return err
		}
	}
	if now.Sub(s.looked) < s.roll.every {
		return nil
	}
	s.looked = now
	for _, p := range s.open {
		if now.Sub(p.opened) >= s.roll.age || now.Sub(p.written) >= s.roll.inactivity {
			if err := s.finish(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush makes rows durable.
func (s *sink) Flush(context.Context) error {
	var err error
	for _, p := range s.open {
		err = errors.Join(err, p.sync())
	}
	for _, r := range s.held {
		r.Release(err)
	}
	s.held = s.held[:0]
	return err
}

// Close finishes the files.
func (s *sink) Close() error {
	err := s.Flush(context.Background())
	for _, p := range s.open {
		err = errors.Join(err, s.finish(p))
	}
	return err
}

// recoverParts finishes the files that a job's earlier run had open: their rows were
// acknowledged. A row that is cut off was not, and comes again.
func recoverParts(dir, prefix string) error {
	var open []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), "."+prefix) && strings.HasSuffix(d.Name(), inProgress) {
			open = append(open, path)
		}
		return err
	})
	for _, path := range open {
		err = errors.Join(err, recoverPart(path))
	}
	return err
}

func recoverPart(path string) error {
	whole, err := lastLine(path)
	if err != nil {
		return err
	}
	if whole == 0 {
		return os.Remove(path)
	}
	if err := os.Truncate(path, whole); err != nil {
		return err
	}
	dir, name := filepath.Split(strings.TrimSuffix(path, inProgress))
	return os.Rename(path, filepath.Join(dir, name[1:]))
}

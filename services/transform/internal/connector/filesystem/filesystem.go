// Package filesystem is the connector that reads and writes files: all the files
// of a path once, so that a job over them ends, or new ones as they come as well.
package filesystem

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const (
	bufferSize = 1 << 20
	maxRecords = 4096
	maxRecord  = 64 << 20
)

// Factory makes sources and sinks of files.
func Factory() connector.Factory {
	return connector.Factory{
		Options: func(v map[string]string) []connector.Option {
			return append([]connector.Option{
				{Key: "path", Required: true}, {Key: "format", Required: true}, {Key: "partition.default-name", Default: "__DEFAULT_PARTITION__"},
				{Key: "source.monitor-interval", Kind: connector.Duration}, {Key: "source.path.regex-pattern"},
				{Key: "sink.parallelism", Kind: connector.Int}, {Key: "scan.parallelism", Kind: connector.Int},
			}, slices.Concat(rollingOptions(), connector.LookupOptions(), format.Options(v["format"], ""))...)
		},
		Check:   check,
		Source:  newSource,
		Sink:    newSink,
		Lookup:  newLookup,
		Bounded: func(o *connector.Options) bool { return o.Duration("source.monitor-interval") == 0 },
	}
}

func check(t *plan.Table, o *connector.Options) error {
	if _, err := newPartitions(t, ""); err != nil {
		return err
	}
	if p := o.Text("source.path.regex-pattern"); p != "" {
		if _, err := regexp.Compile(p); err != nil {
			return o.Wrong("source.path.regex-pattern", err.Error())
		}
	}
	if path := o.Text("path"); strings.Contains(path, "://") && !strings.HasPrefix(path, "file://") {
		return o.Wrong("path", "must be of this machine: other file systems are not supported")
	}
	return format.Check(o, "format")
}

// localPath takes the scheme off a file's URL.
func localPath(path string) string {
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		return "/" + strings.TrimLeft(rest, "/")
	}
	return path
}

type source struct {
	scan *plan.Scan
	path string
	o    *connector.Options
	dec  format.Decoder
	// every is how often new files are looked for; 0 for never.
	every time.Duration
	meta  []*column.Vector // by column of the scan; nil for those that are in the files
	keys  *partitions      // nil without PARTITIONED BY
	parts []*column.Vector // the file's partition, by key; nil for those that are not read
	of    []*column.Vector // the same, by column of the scan
}

func newSource(_ connector.Env, scan *plan.Scan, o *connector.Options) (connector.Source, error) {
	keys, err := newPartitions(scan.Table, o.Text("partition.default-name"))
	if err != nil {
		return nil, err
	}
	columns := slices.DeleteFunc(format.Columns(scan), func(c json.Column) bool { return slices.Contains(scan.Table.PartitionKeys, c.Name) })
	dec, err := format.NewDecoder(o, o.Text("format"), "", columns, keys.others(scan.Table.Physical))
	if err != nil {
		return nil, err
	}
	s := &source{scan: scan, path: localPath(o.Text("path")), o: o, dec: dec, every: o.Duration("source.monitor-interval"), keys: keys,
		parts: make([]*column.Vector, len(scan.Table.PartitionKeys))}
	for _, c := range scan.Columns {
		var v, of *column.Vector
		if k := slices.Index(scan.Table.PartitionKeys, c.Name); k >= 0 && c.Metadata == "" {
			v, of = column.New(c.Type), column.New(c.Type)
			s.parts[k] = of
		}
		if c.Metadata != "" {
			if !slices.Contains([]string{"file.path", "file.name", "file.size", "file.modification-time"}, c.Metadata) {
				return nil, fmt.Errorf("table %q: column %q: connector 'filesystem' has no metadata %q", scan.Table.Name, c.Name, c.Metadata)
			}
			v = column.New(c.Type)
		}
		s.meta, s.of = append(s.meta, v), append(s.of, of)
	}
	return s, nil
}

func shorten(b []byte) string {
	if len(b) > 200 {
		return string(b[:200]) + "…"
	}
	return string(b)
}

func (s *source) emit(ctx context.Context, o *origin, records int, behind int64, info fs.FileInfo, emit func(connector.Chunk) error) error {
	cols, rows := s.dec.Finish()
	b := &column.Batch{Len: len(rows), Origin: o, Rows: rows}
	for c, m := range s.meta {
		if m == nil {
			b.Cols, cols = append(b.Cols, cols[0]), cols[1:]
			continue
		}
		if of := s.of[c]; of != nil {
			m.Reset(0)
			for range rows {
				m.AppendRow(of, 0)
			}
		} else {
			m.Reset(len(rows))
			for i := range rows {
				s.metadata(m, i, s.scan.Columns[c].Metadata, o.name, info)
			}
		}
		b.Cols = append(b.Cols, m)
	}
	released := make(chan struct{})
	chunk := connector.Chunk{Batch: b, Records: records, Release: func() { close(released) },
		Positions: []connector.Position{{Topic: o.name, Offset: behind}}}
	if err := emit(chunk); err != nil {
		return err
	}
	select {
	case <-released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *source) metadata(v *column.Vector, i int, key, name string, info fs.FileInfo) {
	switch key {
	case "file.path":
		v.Strs[i] = name
	case "file.name":
		v.Strs[i] = filepath.Base(name)
	case "file.size":
		v.Ints[i] = info.Size()
	default:
		v.SetTime(i, types.TimestampValue{Millis: info.ModTime().UnixMilli()})
	}
}

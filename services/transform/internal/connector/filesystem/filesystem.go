// Package filesystem is the connector that reads and writes files: all the files
// of a path once, so that a job over them ends.
package filesystem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
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
				{Key: "path", Required: true}, {Key: "format", Required: true},
				{Key: "source.monitor-interval", Kind: connector.Duration}, {Key: "sink.parallelism", Kind: connector.Int},
			}, format.Options(v["format"], "")...)
		},
		Check:   func(_ *plan.Table, o *connector.Options) error { return format.Check(o, "format") },
		Source:  newSource,
		Sink:    newSink,
		Bounded: func(*connector.Options) bool { return true },
	}
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
	meta []*column.Vector // by column of the scan; nil for physical ones
}

func newSource(_ connector.Env, scan *plan.Scan, o *connector.Options) (connector.Source, error) {
	dec, err := format.NewDecoder(o, o.Text("format"), "", format.Columns(scan))
	if err != nil {
		return nil, err
	}
	s := &source{scan: scan, path: localPath(o.Text("path")), o: o, dec: dec}
	for _, c := range scan.Columns {
		var v *column.Vector
		if c.Metadata != "" {
			if !slices.Contains([]string{"file.path", "file.name", "file.size", "file.modification-time"}, c.Metadata) {
				return nil, fmt.Errorf("table %q: column %q: connector 'filesystem' has no metadata %q", scan.Table.Name, c.Name, c.Metadata)
			}
			v = column.New(c.Type)
		}
		s.meta = append(s.meta, v)
	}
	return s, nil
}

// Run reads the files in the order of their names.
func (s *source) Run(ctx context.Context, from []connector.Position, emit func(connector.Chunk) error) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	done := make(map[string]int64)
	for _, p := range from {
		done[p.Topic] = p.Offset
	}
	for n, name := range files {
		if err := s.read(ctx, n, name, done[name], emit); err != nil {
			return fmt.Errorf("table %q: %w", s.scan.Table.Name, err)
		}
	}
	return nil
}

func (s *source) files() ([]string, error) {
	var files []string
	err := filepath.WalkDir(s.path, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := path != s.path && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_"))
		switch {
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case !d.IsDir() && !hidden:
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", s.scan.Table.Name, err)
	}
	return files, nil
}

func (s *source) read(ctx context.Context, part int, name string, from int64, emit func(connector.Chunk) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	o := origin{part: part, name: name, path: s.path}
	buf, have := make([]byte, bufferSize), 0
	at := from
	for {
		n, err := io.ReadFull(f, buf[have:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		data := buf[:have+n]
		used, err := s.lines(ctx, data, last, &o, at, info, emit)
		if err != nil {
			return err
		}
		at += int64(used)
		if last {
			return nil
		}
		have = copy(buf, data[used:])
		if have == len(buf) {
			if have > maxRecord {
				return fmt.Errorf("%s: record at byte %d is longer than %d bytes", name, at, maxRecord)
			}
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
}

// lines emits the records of a buffer and returns how many bytes they are.
func (s *source) lines(ctx context.Context, data []byte, last bool, o *origin, at int64, info fs.FileInfo, emit func(connector.Chunk) error) (int, error) {
	used := 0
	for used < len(data) {
		s.dec.Begin(maxRecords)
		records := 0
		o.offsets = o.offsets[:0]
		for ; records < maxRecords && used < len(data); records++ {
			line := data[used:]
			end := bytes.IndexByte(line, '\n')
			if end < 0 && !last {
				break
			}
			next := used + end + 1
			if end < 0 {
				end, next = len(line), len(data)
			}
			line = line[:end]
			if end > 0 && line[end-1] == '\r' {
				line = line[:end-1]
			}
			o.offsets = append(o.offsets, at+int64(used))
			if _, err := s.dec.Decode(line); err != nil {
				return used, fmt.Errorf("%s: record at byte %d: %w: %s", o.name, at+int64(used), err, shorten(line))
			}
			used = next
		}
		if records == 0 {
			return used, nil
		}
		if err := s.emit(ctx, o, records, at+int64(used), info, emit); err != nil {
			return used, err
		}
	}
	return used, nil
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
		m.Reset(len(rows))
		for i := range rows {
			s.metadata(m, i, s.scan.Columns[c].Metadata, o.name, info)
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

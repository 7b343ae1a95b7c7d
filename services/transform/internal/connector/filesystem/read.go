package filesystem

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
)

// Run reads the files in the order of their names, each once. With a monitor
// interval it goes on to look for new ones.
func (s *source) Run(ctx context.Context, from []connector.Position, emit func(connector.Chunk) error) error {
	done := make(map[string]int64)
	for _, p := range from {
		done[p.Topic] = p.Offset
	}
	part, read := 0, make(map[string]bool)
	for {
		files, err := s.files()
		if err != nil {
			return err
		}
		for _, name := range files {
			if read[name] {
				continue
			}
			read[name] = true
			if err := s.read(ctx, part, name, done[name], emit); err != nil {
				return fmt.Errorf("table %q: %w", s.scan.Table.Name, err)
			}
			part++
		}
		if s.every == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.every):
		}
	}
}

// files lists the files of the path, which is a file, a directory or a pattern.
func (s *source) files() ([]string, error) {
	roots := []string{s.path}
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		found, globErr := filepath.Glob(s.path)
		switch {
		case globErr == nil && len(found) > 0:
			roots = found
		case s.every > 0:
			return nil, nil // it may come yet
		default:
			return nil, fmt.Errorf("table %q: %w", s.scan.Table.Name, err)
		}
	}
	var only *regexp.Regexp
	if p := s.o.Text("source.path.regex-pattern"); p != "" {
		only = regexp.MustCompile("^(?:" + p + ")$") // checked with the table
	}
	var files []string
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			hidden := path != root && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_"))
			switch {
			case d.IsDir() && hidden:
				return filepath.SkipDir
			case !d.IsDir() && !hidden && matches(only, path):
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("table %q: %w", s.scan.Table.Name, err)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// matches reports whether a pattern covers a file's absolute path.
func matches(only *regexp.Regexp, path string) bool {
	if only == nil {
		return true
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return only.MatchString(path)
}

// open opens a file behind the first bytes of what it holds, which is unpacked if
// its name says that it is packed.
func open(name string, from int64) (io.Reader, fs.FileInfo, func() error, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, nil, errors.Join(err, f.Close())
	}
	if ext := filepath.Ext(name); ext != ".gz" && ext != ".gzip" {
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			return nil, nil, nil, errors.Join(err, f.Close())
		}
		return f, info, f.Close, nil
	}
	z, err := gzip.NewReader(f)
	if err == nil {
		_, err = io.CopyN(io.Discard, z, from)
	}
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("unpack %s: %w", name, err), f.Close())
	}
	return z, info, f.Close, nil
}

func (s *source) read(ctx context.Context, part int, name string, from int64, emit func(connector.Chunk) error) error {
	f, info, done, err := open(name, from)
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // it was only read
	if s.keys != nil {
		if err := s.keys.values(name, s.parts); err != nil {
			return err
		}
	}
	o := origin{part: part, name: name, path: s.path}
	buf, have := make([]byte, bufferSize), 0
	at := from
	for {
		n, err := io.ReadFull(f, buf[have:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && (!last || errors.Is(err, io.ErrUnexpectedEOF) && isGzip(f) && !atEnd(f)) {
			return fmt.Errorf("read %s: %w", name, err)
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

func isGzip(r io.Reader) bool {
	_, ok := r.(*gzip.Reader)
	return ok
}

// atEnd tells the end of a packed file from one that was cut off: only the first
// has no more to give without an error of its own.
func atEnd(r io.Reader) bool {
	var b [1]byte
	_, err := r.Read(b[:])
	return errors.Is(err, io.EOF)
}

// recordEnd returns where the line feed of the first record is, -1 without one.
func (s *source) recordEnd(data []byte) int {
	if sp, ok := s.dec.(format.Splitter); ok {
		return sp.RecordEnd(data)
	}
	return bytes.IndexByte(data, '\n')
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
			end := s.recordEnd(line)
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
			if _, ok := s.dec.(format.Splitter); ok && len(line) == 0 {
				line = data[used:next] // a line of one empty value, not a record without any
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

// Package render writes events as lines of JSON: the console and file outputs.
package render

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weirflow/weirflow/services/agent/internal/format"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
)

// Console writes to a stream.
type Console struct {
	out     *bufio.Writer
	version string
	pretty  bool
	buf     []byte
}

// NewConsole makes an output that writes to w.
func NewConsole(w io.Writer, version string, pretty bool) *Console {
	return &Console{out: bufio.NewWriterSize(w, 64<<10), version: version, pretty: pretty}
}

// Send implements pipeline.Output.
func (c *Console) Send(_ context.Context, b *pipeline.Batch) error {
	if err := writeBatch(c.out, b, c.version, c.pretty, &c.buf); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	if err := c.out.Flush(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	b.Ack(0)
	return nil
}

// Close implements pipeline.Output.
func (c *Console) Close() error { return c.out.Flush() }

func writeBatch(w *bufio.Writer, b *pipeline.Batch, version string, pretty bool, buf *[]byte) error {
	for _, g := range b.Groups {
		var err error
		*buf, err = g.EachRendered(version, *buf, func(_, _ int64, rendered []byte) error {
			if pretty {
				var indented bytes.Buffer
				if err := json.Indent(&indented, rendered, "", "  "); err != nil {
					return err
				}
				rendered = indented.Bytes()
			}
			if _, err := w.Write(rendered); err != nil {
				return err
			}
			return w.WriteByte('\n')
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FileOptions are the settings of the file output.
type FileOptions struct {
	Dir, Name      string
	RotateBytes    int64
	Keep           int
	Mode           os.FileMode
	RotateOnStart  bool
	Version        string
	DateTimeLayout string
}

// File writes to files that take turns: name, name-1 … name-N.
type File struct {
	o    FileOptions
	file *os.File
	out  *bufio.Writer
	size int64
	buf  []byte
}

// NewFile makes an output that writes to files.
func NewFile(o FileOptions) (*File, error) {
	if _, err := format.Compile(o.Name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make output folder: %w", err)
	}
	f := &File{o: o}
	info, err := os.Stat(f.name(0))
	if err == nil && info.Size() > 0 && o.RotateOnStart {
		if err := f.shift(); err != nil {
			return nil, err
		}
	}
	return f, f.open()
}

func (f *File) name(i int) string {
	base := filepath.Join(f.o.Dir, f.o.Name)
	if i == 0 {
		return base + ".ndjson"
	}
	return fmt.Sprintf("%s-%d.ndjson", base, i)
}

func (f *File) open() error {
	file, err := os.OpenFile(f.name(0), os.O_CREATE|os.O_APPEND|os.O_WRONLY, f.o.Mode)
	if err != nil {
		return fmt.Errorf("open output file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.out, f.size = file, bufio.NewWriterSize(file, 64<<10), info.Size()
	return nil
}

// shift renames each file to the next number; the last one goes.
func (f *File) shift() error {
	for i := f.o.Keep - 1; i >= 0; i-- {
		err := os.Rename(f.name(i), f.name(i+1))
		if i == f.o.Keep-1 {
			err = os.Remove(f.name(i))
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("rotate output file: %w", err)
		}
	}
	return nil
}

// Send implements pipeline.Output.
func (f *File) Send(_ context.Context, b *pipeline.Batch) error {
	if f.size >= f.o.RotateBytes {
		if err := errors.Join(f.out.Flush(), f.file.Close(), f.shift()); err != nil {
			return err
		}
		if err := f.open(); err != nil {
			return err
		}
	}
	if err := writeBatch(f.out, b, f.o.Version, false, &f.buf); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	if err := f.out.Flush(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	if info, err := f.file.Stat(); err == nil {
		f.size = info.Size()
	}
	b.Ack(0)
	return nil
}

// Close implements pipeline.Output.
func (f *File) Close() error { return errors.Join(f.out.Flush(), f.file.Sync(), f.file.Close()) }

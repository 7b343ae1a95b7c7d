package filesystem

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// inProgress ends the names of files that are written to; they begin with a dot, so
// that readers leave them out.
const inProgress = ".inprogress"

// part is a file that is written to.
type part struct {
	of      string // its partition's folder
	file    *os.File
	w       *bufio.Writer
	name    string // what it will be called
	size    int64
	opened  time.Time
	written time.Time
	dirty   bool
}

func create(of, dir, name string, now time.Time) (*part, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "."+name+inProgress), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o640) //nolint:gosec // the statement names the path
	if err != nil {
		return nil, err
	}
	return &part{of: of, file: file, w: bufio.NewWriterSize(file, 1<<16), name: filepath.Join(dir, name), opened: now, written: now}, nil
}

func (p *part) write(line []byte, now time.Time) error {
	p.size += int64(len(line))
	p.written, p.dirty = now, true
	_, err := p.w.Write(line)
	return err
}

func (p *part) sync() error {
	if !p.dirty {
		return nil
	}
	p.dirty = false
	return errors.Join(p.w.Flush(), p.file.Sync())
}

// finish gives the file its name.
func (p *part) finish() error {
	if err := errors.Join(p.sync(), p.file.Close()); err != nil {
		return err
	}
	if err := os.Rename(p.file.Name(), p.name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(p.name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// lastLine returns where the last whole line of a file ends.
func lastLine(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 1<<16)
	for end := info.Size(); end > 0; {
		from := max(0, end-int64(len(buf)))
		n, err := f.ReadAt(buf[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}

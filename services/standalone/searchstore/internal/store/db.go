// Package store keeps indices: one SQLite file each, in which every commit
// adds an immutable segment. It resolves names, aliases and patterns, applies
// document operations durably and in order, and merges segments.
package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"os"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the SQLite driver

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// schema is what a new index file holds. Segments refer to parts through
// their directory; tombs are documents deleted after their segment was made.
const schema = `
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment(id INTEGER PRIMARY KEY, ord INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0, dir BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS part(id INTEGER PRIMARY KEY, seg INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS part_seg ON part(seg);
CREATE TABLE IF NOT EXISTS tomb(seg INTEGER NOT NULL, doc INTEGER NOT NULL, PRIMARY KEY(seg, doc)) WITHOUT ROWID;
`

// packSize is up to where small sections share a row.
const packSize = 64 << 10

// file is an index's SQLite file: one connection writes, several read.
type file struct {
	path string
	w, r *sql.DB
}

func openFile(ctx context.Context, path string) (*file, error) {
	q := url.Values{}
	q.Set("_synchronous", "FULL")
	q.Set("_busy_timeout", "10000")
	dsn := "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") + "?" + q.Encode()
	w, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	var fresh []string
	if st, err := os.Stat(path); err != nil || st.Size() == 0 { // the second would write to a file that is there
		fresh = []string{"PRAGMA page_size=8192", "PRAGMA auto_vacuum=INCREMENTAL"}
	}
	for _, stmt := range append(fresh, "PRAGMA journal_mode=WAL", "PRAGMA cache_size=-2000", "PRAGMA wal_autocheckpoint=2000", "PRAGMA journal_size_limit=33554432", schema) {
		if _, err := w.ExecContext(ctx, stmt); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %s: %w", path, err), w.Close())
		}
	}
	r, err := sql.Open("sqlite3", dsn+"&_query_only=true")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), w.Close())
	}
	r.SetMaxOpenConns(4)
	r.SetMaxIdleConns(2)
	return &file{path: path, w: w, r: r}, nil
}

func (f *file) close() error {
	if f.w == nil { // of an index that could not be opened
		return nil
	}
	return errors.Join(f.r.Close(), f.w.Close())
}

// place is where a section is stored.
type place struct {
	part     int64
	off, len int64
	sum      uint32 // of the section, when the directory is summed
}

// directory maps section names to places; the section meta is held in it.
type directory struct {
	meta   []byte
	places map[string]place
	summed bool
}

func (d *directory) encode(names []string) []byte {
	var b []byte
	b = binary.AppendUvarint(b, uint64(len(d.meta)))
	b = append(b, d.meta...)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, n := range names {
		p := d.places[n]
		b = binary.AppendUvarint(b, uint64(len(n)))
		b = append(b, n...)
		b = binary.AppendUvarint(b, uint64(p.part))
		b = binary.AppendUvarint(b, uint64(p.off))
		b = binary.AppendUvarint(b, uint64(p.len))
	}
	// Checksums follow: of each section, and of the directory itself.
	for _, n := range names {
		b = binary.LittleEndian.AppendUint32(b, d.places[n].sum)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b))
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func decodeDirectory(b []byte) (*directory, error) {
	bad := errors.New("segment directory is damaged")
	ok := true
	all := b
	num := func() uint64 {
		n, k := binary.Uvarint(b)
		if k <= 0 {
			ok = false
			return 0
		}
		b = b[k:]
		return n
	}
	text := func() []byte {
		n := num()
		if n > uint64(len(b)) {
			ok = false
			return nil
		}
		t := b[:n]
		b = b[n:]
		return t
	}
	d := &directory{meta: text(), places: map[string]place{}}
	var names []string
	for n := num(); n > 0 && ok; n-- {
		name := string(text())
		names = append(names, name)
		d.places[name] = place{part: int64(num()), off: int64(num()), len: int64(num())}
	}
	if !ok {
		return nil, bad
	}
	if len(b) == 0 { // written before there were checksums
		return d, nil
	}
	if len(b) != 4*len(names)+4 || checksum(all[:len(all)-4]) != binary.LittleEndian.Uint32(all[len(all)-4:]) {
		return nil, bad
	}
	for i, n := range names {
		p := d.places[n]
		p.sum = binary.LittleEndian.Uint32(b[4*i:])
		d.places[n] = p
	}
	d.summed = true
	return d, nil
}

// writeSegment stores a segment's sections in a transaction.
func writeSegment(ctx context.Context, tx *sql.Tx, id, ord int64, sections []segment.Section) (*directory, error) {
	d := &directory{places: map[string]place{}, summed: true}
	var names []string
	var pack []byte
	var packed []string
	insert := func(data []byte) (int64, error) {
		res, err := tx.ExecContext(ctx, "INSERT INTO part(seg, data) VALUES(?, ?)", id, data)
		if err != nil {
			return 0, fmt.Errorf("write part: %w", err)
		}
		return res.LastInsertId()
	}
	flush := func() error {
		if len(pack) == 0 {
			return nil
		}
		row, err := insert(pack)
		if err != nil {
			return err
		}
		for _, n := range packed {
			p := d.places[n]
			p.part = row
			d.places[n] = p
		}
		pack, packed = pack[:0], packed[:0]
		return nil
	}
	for _, s := range sections {
		if s.Name == "meta" {
			d.meta = s.Data
			continue
		}
		names = append(names, s.Name)
		if len(s.Data) >= packSize/2 {
			row, err := insert(s.Data)
			if err != nil {
				return nil, err
			}
			d.places[s.Name] = place{row, 0, int64(len(s.Data)), checksum(s.Data)}
			continue
		}
		d.places[s.Name] = place{0, int64(len(pack)), int64(len(s.Data)), checksum(s.Data)}
		packed = append(packed, s.Name)
		if pack = append(pack, s.Data...); len(pack) >= packSize {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO segment(id, ord, dir) VALUES(?, ?, ?)", id, ord, d.encode(names)); err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	return d, nil
}

// loader returns the function that reads a segment's sections.
func (f *file) loader(d *directory) func(section string) ([]byte, error) {
	return func(section string) ([]byte, error) {
		p, ok := d.places[section]
		if !ok {
			return nil, fmt.Errorf("section %q is not stored", section)
		}
		if p.len == 0 {
			return nil, nil
		}
		var data []byte
		err := f.r.QueryRowContext(context.Background(), "SELECT substr(data, ?, ?) FROM part WHERE id = ?", p.off+1, p.len, p.part).Scan(&data)
		if err != nil {
			return nil, fmt.Errorf("read section %q of %s: %w", section, f.path, err)
		}
		if int64(len(data)) != p.len || d.summed && checksum(data) != p.sum {
			return nil, fmt.Errorf("read section %q of %s: its bytes are damaged", section, f.path)
		}
		return data, nil
	}
}

func setMeta(ctx context.Context, tx *sql.Tx, key string, value []byte) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", key, value); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

func (f *file) meta(ctx context.Context) (map[string][]byte, error) {
	rows, err := f.r.QueryContext(ctx, "SELECT key, value FROM meta")
	if err != nil {
		return nil, fmt.Errorf("read index data of %s: %w", f.path, err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string][]byte{}
	for rows.Next() {
		var k string
		var v []byte
		if err := rows.Scan(&k, &v); err != nil {
			return nil, fmt.Errorf("read index data of %s: %w", f.path, err)
		}
		out[k] = v
	}
	return out, rows.Err()
}

// segments counts the segments of a file.
func (f *file) segments(ctx context.Context) (n int, err error) {
	err = f.r.QueryRowContext(ctx, "SELECT count(*) FROM segment").Scan(&n)
	return n, err
}

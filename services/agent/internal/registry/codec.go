package registry

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

const (
	magic      = "WFREG001"
	headerSize = 8
	maxRecord  = 1 << 20
)

const (
	kindPut     byte = 1
	kindAdvance byte = 2
	kindRemove  byte = 3
)

var errCorrupt = errors.New("corrupt record")

// appendRecord frames a body that write appends.
func appendRecord(dst []byte, write func([]byte) []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, headerSize)...)
	dst = write(dst)
	body := dst[start+headerSize:]
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[start+4:], crc32.Checksum(body, castagnoli()))
	return dst
}

func appendPut(dst []byte, e *Entry) []byte {
	return appendRecord(dst, func(b []byte) []byte {
		b = append(b, kindPut)
		b = binary.AppendUvarint(b, e.number)
		b = appendText(b, e.ID.Input)
		b = binary.AppendUvarint(b, e.ID.Device)
		b = binary.AppendUvarint(b, e.ID.Inode)
		b = appendText(b, e.ID.Path)
		b = appendText(b, e.FileID)
		b = appendText(b, e.Path)
		return appendPosition(b, e)
	})
}

func appendAdvance(dst []byte, e *Entry) []byte {
	return appendRecord(dst, func(b []byte) []byte {
		b = append(b, kindAdvance)
		b = binary.AppendUvarint(b, e.number)
		return appendPosition(b, e)
	})
}

func appendRemove(dst []byte, number uint64) []byte {
	return appendRecord(dst, func(b []byte) []byte {
		return binary.AppendUvarint(append(b, kindRemove), number)
	})
}

func appendPosition(b []byte, e *Entry) []byte {
	for _, v := range []uint64{
		uint64(e.Offset),
		uint64(e.Tail.Length), uint64(e.Tail.Value), uint64(e.Prefix.Length), uint64(e.Prefix.Value),
		uint64(max(0, e.Updated.Unix())),
	} {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// nextRecord cuts the first record off and returns its body.
func nextRecord(b []byte) (body, rest []byte, err error) {
	if len(b) < headerSize {
		return nil, nil, errCorrupt
	}
	n := binary.LittleEndian.Uint32(b)
	if n == 0 || n > maxRecord || int(n) > len(b)-headerSize {
		return nil, nil, errCorrupt
	}
	body = b[headerSize : headerSize+n]
	if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, nil, errCorrupt
	}
	return body, b[headerSize+n:], nil
}

// reader takes fields off a body; after the first failure it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err, r.b = errCorrupt, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.err, r.b = errCorrupt, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) position(e *Entry) {
	e.Offset = int64(r.uint())
	e.Tail = r.sum(MaxTail)
	e.Prefix = r.sum(MaxPrefix)
	e.Updated = time.Unix(int64(r.uint()), 0)
	if e.Offset < 0 {
		r.err = errCorrupt
	}
}

func (r *reader) sum(limit uint64) Sum {
	n, v := r.uint(), r.uint()
	if n > limit || v > 1<<32-1 {
		r.err = errCorrupt
		return Sum{}
	}
	return Sum{int(n), uint32(v)}
}

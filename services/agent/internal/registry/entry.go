package registry

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"time"
)

// Sizes of what identifies a file's content.
const (
	MaxPrefix = 1024
	MaxTail   = 64
)

// ID says which file an entry is for.
type ID struct {
	// Input keeps apart what several inputs remember of one file.
	Input  string
	Device uint64
	Inode  uint64
	// Path takes the place of device and inode where files are told apart by name.
	Path string
}

// Sum is a checksum of some bytes of a file.
type Sum struct {
	Length int
	Value  uint32
}

// SumOf computes a checksum.
func SumOf(b []byte) Sum { return Sum{len(b), crc32.Checksum(b, castagnoli())} }

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Position is how far a file has been sent.
type Position struct {
	// Offset is the end of the last acknowledged line.
	Offset int64
	// Tail is the sum of the bytes before Offset, Prefix of the file's first.
	Tail   Sum
	Prefix Sum
}

// Entry is what is remembered of one incarnation of a file.
type Entry struct {
	ID     ID
	FileID string
	Path   string
	Position
	Updated time.Time

	number  uint64
	dirty   bool
	removed bool
}

func newFileID() (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make file id: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

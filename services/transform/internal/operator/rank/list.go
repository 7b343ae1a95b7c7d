// Package rank is ROW_NUMBER as a filter: top-N, deduplication, and both per window.
package rank

import (
	"encoding/binary"
	"slices"
	"sort"

	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// entry is a row with the bytes that order it.
type entry struct{ order, row string }

// list is the rows of a partition in order; among equals the first to come is first.
type list struct {
	entries []entry
	to      int // how many are visible, where that is the partition's own
}

// after returns the place behind all entries that are not ordered behind order.
func (l *list) after(order []byte) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].order > string(order) })
}

// before returns the place of the first entry that is not ordered before order.
func (l *list) before(order []byte) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].order >= string(order) })
}

func (l *list) insert(at int, e entry) { l.entries = slices.Insert(l.entries, at, e) }

func (l *list) remove(at int) { l.entries = slices.Delete(l.entries, at, at+1) }

// find returns the place of a row, -1 if it is not there.
func (l *list) find(order, text []byte) int {
	for i := l.before(order); i < len(l.entries) && l.entries[i].order == string(order); i++ {
		if l.entries[i].row == string(text) {
			return i
		}
	}
	return -1
}

func saveList(dst []byte, l *list) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(l.entries)))
	for _, e := range l.entries {
		dst = row.AppendText(row.AppendText(dst, e.order), e.row)
	}
	return dst
}

func loadList(_, s string) (*list, error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return nil, err
	}
	l := &list{}
	for range n {
		var e entry
		if e.order, s, err = row.Text(s); err != nil {
			return nil, err
		}
		if e.row, s, err = row.Text(s); err != nil {
			return nil, err
		}
		l.entries = append(l.entries, e)
	}
	return l, nil
}

// saveOwn and loadOwn are for lists that say how many are visible.
func saveOwn(dst []byte, l *list) []byte {
	return saveList(binary.AppendUvarint(dst, uint64(l.to)), l)
}

func loadOwn(key, s string) (*list, error) {
	to, s, err := row.Uvarint(s)
	if err != nil {
		return nil, err
	}
	l, err := loadList(key, s)
	if err == nil {
		l.to = int(to)
	}
	return l, err
}

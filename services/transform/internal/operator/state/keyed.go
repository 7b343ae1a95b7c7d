package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
)

// Codec writes and reads the entries of a table.
type Codec[E any] struct {
	Append func(dst []byte, e E) []byte
	// Decode may keep parts of s.
	Decode func(key, s string) (E, error)
}

// Table is a map from keys to entries.
type Table[E any] struct {
	name    string
	codec   Codec[E]
	index   *Index
	entries pages.List[E]
	tracks  bool   // there was a snapshot
	dirty   Marks  // changed since the last snapshot
	saved   Marks  // in it
	deleted []byte // keys that were in it and are gone since, each with its length
	ttl     time.Duration
	now     func() time.Time
	used    pages.List[int64] // when an entry was last written; of no meaning without TTL
	// usedName is the state that holds used, beside that of the entries.
	usedName string
	sweepAt  int64
	scratch  []byte
	// onExpire hears of entries whose time is over.
	onExpire func(key string, e E)
}

// AddTable adds a table to an operator's state.
func AddTable[E any](t *Tables, name string, codec Codec[E]) *Table[E] {
	table := &Table[E]{name: name, codec: codec, index: NewIndex()}
	t.parts = append(t.parts, table)
	return table
}

// Expire forgets entries that were not written for the time given; 0 keeps all.
// dropped is told of those that go; it may be nil.
func (t *Table[E]) Expire(ttl time.Duration, now func() time.Time, dropped func(key string, e E)) {
	if ttl <= 0 {
		return
	}
	t.ttl, t.now, t.onExpire, t.usedName = ttl, now, dropped, t.name+".used"
}

// Len returns the number of entries.
func (t *Table[E]) Len() int { return t.index.Len() }

// Get returns the entry of a key.
func (t *Table[E]) Get(key []byte) (e E, ok bool) {
	at, ok := t.index.Find(key)
	if !ok {
		return e, false
	}
	if t.ttl > 0 && t.now().UnixMilli()-*t.used.At(at) >= t.ttl.Milliseconds() {
		t.drop(at)
		return e, false
	}
	return *t.entries.At(at), true
}

func (t *Table[E]) drop(at int32) {
	if t.onExpire != nil {
		t.onExpire(t.index.Key(at), *t.entries.At(at))
	}
	t.remove(at)
}

// Put sets the entry of a key.
func (t *Table[E]) Put(key string, e E) { t.touch(t.set(column.ViewBytes(key), e)) }

func (t *Table[E]) set(key []byte, e E) int32 {
	at, _ := t.index.Add(key)
	if int(at) < t.entries.Len() {
		*t.entries.At(at) = e
		return at
	}
	t.entries.Append(e)
	if t.ttl > 0 {
		t.used.Append(0)
	}
	return at
}

// Touch says that the entry of a key was changed in place.
func (t *Table[E]) Touch(key string) { t.TouchBytes(column.ViewBytes(key)) }

// TouchBytes is Touch.
func (t *Table[E]) TouchBytes(key []byte) {
	if !t.tracks && t.ttl == 0 {
		return
	}
	if at, ok := t.index.Find(key); ok {
		t.touch(at)
	}
}

func (t *Table[E]) touch(at int32) {
	if t.tracks {
		t.dirty.Set(at)
	}
	if t.ttl == 0 {
		return
	}
	now := t.now().UnixMilli()
	*t.used.At(at) = now
	if now >= t.sweepAt {
		t.expire(now)
	}
}

// expire drops all that is over its time, once per lifetime.
func (t *Table[E]) expire(now int64) {
	first := t.sweepAt == 0
	t.sweepAt = now + t.ttl.Milliseconds()
	if first {
		return
	}
	for at := int32(0); at < t.index.Bound(); at++ {
		if t.index.Has(at) && now-*t.used.At(at) >= t.ttl.Milliseconds() {
			t.drop(at)
		}
	}
}

// Delete removes a key.
func (t *Table[E]) Delete(key string) {
	if at, ok := t.index.Find(column.ViewBytes(key)); ok {
		t.remove(at)
	}
}

func (t *Table[E]) remove(at int32) {
	if t.saved.Has(at) {
		key := t.index.Key(at)
		t.deleted = append(binary.AppendUvarint(t.deleted, uint64(len(key))), key...)
	}
	t.dirty.Unset(at)
	t.saved.Unset(at)
	var none E
	*t.entries.At(at) = none
	t.index.Delete(at)
	if t.index.Bound() == 0 { // the index gave its memory back
		t.entries.Reset()
		t.used.Reset()
		t.dirty, t.saved = nil, nil
	}
}

// Each calls f for every entry, in no order. f may delete the entry it is given.
func (t *Table[E]) Each(f func(key string, e E) error) error {
	for at := int32(0); at < t.index.Bound(); at++ {
		if !t.index.Has(at) {
			continue
		}
		if err := f(t.index.Key(at), *t.entries.At(at)); err != nil {
			return err
		}
	}
	return nil
}

// Snapshot writes all entries the first time, later those that changed.
func (t *Table[E]) Snapshot(w operator.StateWriter) error {
	if err := t.writeDeleted(w); err != nil {
		return err
	}
	if t.tracks {
		return t.dirty.Take(func(at int32) error { return t.put(w, at) })
	}
	t.tracks = true
	for at := int32(0); at < t.index.Bound(); at++ {
		if t.index.Has(at) {
			if err := t.put(w, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeDeleted comes first: a key may have come again.
func (t *Table[E]) writeDeleted(w operator.StateWriter) error {
	err := EachKey(t.deleted, func(key []byte) error {
		if err := w.Put(t.name, key, nil); err != nil || t.ttl == 0 {
			return err
		}
		return w.Put(t.usedName, key, nil)
	})
	if cap(t.deleted) > bigChunk {
		t.deleted = nil
	}
	t.deleted = t.deleted[:0]
	return err
}

// EachKey calls f for keys that lie one after the other, each with its length.
func EachKey(list []byte, f func(key []byte) error) error {
	for len(list) > 0 {
		n, used := binary.Uvarint(list)
		if err := f(list[used : used+int(n)]); err != nil {
			return err
		}
		list = list[used+int(n):]
	}
	return nil
}

func (t *Table[E]) put(w operator.StateWriter, at int32) error {
	t.saved.Set(at)
	t.scratch = t.codec.Append(t.scratch[:0], *t.entries.At(at))
	if t.scratch == nil {
		t.scratch = []byte{}
	}
	key := column.ViewBytes(t.index.Key(at))
	if err := w.Put(t.name, key, t.scratch); err != nil || t.ttl == 0 {
		return err
	}
	t.scratch = binary.LittleEndian.AppendUint64(t.scratch[:0], uint64(*t.used.At(at)))
	return w.Put(t.usedName, key, t.scratch)
}

// Sweep writes all entries. A key keeps its number while it is there, so that none
// that stays is missed, whatever happens while more is called.
func (t *Table[E]) Sweep(w operator.StateWriter, more func() bool) (bool, error) {
	for at := int32(0); at < t.index.Bound(); at++ {
		if !t.index.Has(at) {
			continue
		}
		if err := t.put(w, at); err != nil || !more() {
			return false, err
		}
	}
	return true, nil
}

// Restore reads all entries.
func (t *Table[E]) Restore(r operator.StateReader) error {
	t.tracks = true
	var newest Newest
	err := Replay(r, t.name, func(n uint32, key, value []byte) error {
		if value != nil {
			at, _ := t.index.Add(key)
			newest.See(at, n)
		} else if at, ok := t.index.Find(key); ok {
			t.index.Delete(at)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.entries.Grow(int(t.index.Bound()))
	if t.ttl > 0 {
		t.used.Grow(int(t.index.Bound()))
	}
	err = Replay(r, t.name, func(n uint32, key, value []byte) error {
		at, ok := t.index.Find(key)
		if !ok || !newest.Is(at, n) {
			return nil
		}
		e, err := t.codec.Decode(string(key), string(value))
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		*t.entries.At(at) = e
		t.saved.Set(at)
		if t.ttl > 0 {
			*t.used.At(at) = t.now().UnixMilli()
		}
		return nil
	})
	if err != nil || t.ttl == 0 {
		return err
	}
	return t.restoreUsed(r)
}

// restoreUsed reads when entries were last written, so that the time they have
// goes on where it was. State that was written without TTL starts anew.
func (t *Table[E]) restoreUsed(r operator.StateReader) error {
	return Replay(r, t.usedName, func(_ uint32, key, value []byte) error {
		if at, ok := t.index.Find(key); ok && len(value) == 8 {
			*t.used.At(at) = int64(binary.LittleEndian.Uint64(value))
		}
		return nil
	})
}

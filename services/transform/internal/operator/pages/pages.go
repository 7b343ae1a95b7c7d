// Package pages has lists that grow without moving what they hold: a list of ten
// million values costs no copy of it, and no garbage as large as itself.
package pages

const (
	bits = 12
	// Size is how many values lie together.
	Size = 1 << bits
)

// List is a list of values.
type List[T any] struct {
	pages [][]T
	n     int
}

// Len is the number of values.
func (l *List[T]) Len() int { return l.n }

// At returns the place of value i. It moves only while the list has one page: it is
// not to be kept.
func (l *List[T]) At(i int32) *T { return &l.pages[i>>bits][i&(Size-1)] }

// Append adds a value.
func (l *List[T]) Append(v T) {
	last := l.n >> bits
	switch {
	case last < len(l.pages):
	case last == 0:
		l.pages = append(l.pages, nil) // it grows as it must: most lists are short
	default:
		l.pages = append(l.pages, make([]T, 0, Size))
	}
	l.pages[last] = append(l.pages[last], v)
	l.n++
}

// Grow adds zero values until there are n.
func (l *List[T]) Grow(n int) {
	var zero T
	for l.n < n {
		l.Append(zero)
	}
}

// Reset empties the list and gives its memory back.
func (l *List[T]) Reset() { *l = List[T]{} }

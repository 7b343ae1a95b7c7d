package pages_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
)

func TestValuesStayWhereTheyAre(t *testing.T) {
	var l pages.List[int]
	const n = 3*pages.Size + 5
	for i := range n {
		l.Append(i)
	}
	place := l.At(pages.Size)
	l.Grow(n + 2*pages.Size)
	*l.At(n) = -1
	for i := range n {
		if *l.At(int32(i)) != i {
			t.Fatalf("value %d is %d", i, *l.At(int32(i)))
		}
	}
	if l.Len() != n+2*pages.Size || *l.At(n) != -1 || *l.At(n + 1) != 0 || place != l.At(pages.Size) {
		t.Errorf("%d values, %d and %d behind the last", l.Len(), *l.At(n), *l.At(n + 1))
	}
	if l.Reset(); l.Len() != 0 {
		t.Errorf("%d values are left", l.Len())
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	var l pages.List[int64]
	for i := 0; b.Loop(); i++ {
		if i%(1<<20) == 0 {
			l.Reset()
		}
		l.Append(int64(i))
	}
}

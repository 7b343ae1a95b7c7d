package deadletter

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
)

func letter(event, kind string, at int64) *deadletterv1.DeadLetter {
	return &deadletterv1.DeadLetter{ErrorType: kind, SourceTable: "src", Stage: "transform", EventId: event, IngestionTs: timestamppb.New(time.UnixMilli(at))}
}

func (b *box) put(partition int32, offset int64, l *deadletterv1.DeadLetter) {
	b.add(ref{partition, offset}, l, eventOf(l))
}

// states lists a box's letters with the first letters of their states, newest first.
func states(b *box) string {
	var out strings.Builder
	for _, n := range b.choose(&choice{}) {
		fmt.Fprintf(&out, "%s%c ", n.ref, "?ord"[n.state])
	}
	return out.String()
}

func tally(b *box) string {
	var sum [4]int64
	for _, c := range b.counts {
		for i := range sum {
			sum[i] += c[i]
		}
	}
	return fmt.Sprint(sum[open:])
}

func fate(state deadletterv1.DeadLetterState, at int64, ranges ...int64) *deadletterv1.Fate {
	f := &deadletterv1.Fate{State: state, At: timestamppb.New(time.UnixMilli(at))}
	for i := 0; i < len(ranges); i += 2 {
		f.Letters = append(f.Letters, &deadletterv1.OffsetRange{First: ranges[i], Last: ranges[i+1]})
	}
	return f
}

func TestBox(t *testing.T) {
	for _, c := range []struct {
		name         string
		do           func(b *box)
		want, counts string
	}{
		{"nothing decided", func(*box) {}, "0-5o 0-4o 0-2o 0-0o ", "[4 0 0]"},
		{"a range that has gaps", func(b *box) { b.decide(0, fate(discarded, 9, 1, 4)) }, "0-5o 0-4d 0-2d 0-0o ", "[2 0 2]"},
		{"ranges of letters that are not there", func(b *box) { b.decide(0, fate(discarded, 9, 50, 70, -3, -1)); b.decide(7, fate(discarded, 9, 0, 9)) }, "0-5o 0-4o 0-2o 0-0o ", "[4 0 0]"},
		{"no state", func(b *box) { b.decide(0, fate(0, 9, 0, 9)); b.decide(0, fate(8, 9, 0, 9)) }, "0-5o 0-4o 0-2o 0-0o ", "[4 0 0]"},
		{"the last decision counts", func(b *box) { b.decide(0, fate(discarded, 9, 0, 9)); b.decide(0, fate(replayed, 10, 2, 2)) }, "0-5d 0-4d 0-2r 0-0d ", "[0 1 3]"},
		{"a replay nobody noted", func(b *box) { b.replay(ref{0, 4}, time.UnixMilli(9)) }, "0-5o 0-4r 0-2o 0-0o ", "[3 1 0]"},
		{"a replay that is read before its letter", func(b *box) { b.replay(ref{0, 6}, time.UnixMilli(9)); b.put(0, 6, letter("g", "late", 60)) }, "0-6r 0-5o 0-4o 0-2o 0-0o ", "[4 1 0]"},
		{"a replay does not undo a decision", func(b *box) { b.decide(0, fate(discarded, 9, 0, 9)); b.replay(ref{0, 4}, time.UnixMilli(9)) }, "0-5d 0-4d 0-2d 0-0d ", "[0 0 4]"},
		{"what has expired is forgotten", func(b *box) { b.trim(0, 4); b.trim(0, 3); b.trim(3, 9) }, "0-5o 0-4o ", "[2 0 0]"},
		{"all have expired", func(b *box) { b.trim(0, 100) }, "", "[0 0 0]"},
		{"the same event again while it is open", func(b *box) { b.put(0, 6, letter("a", "parse_error", 60)) }, "0-5o 0-4o 0-2o 0-0o ", "[4 0 0]"},
		{"the same event after it was dealt with", func(b *box) { b.decide(0, fate(replayed, 9, 0, 0)); b.put(0, 6, letter("a", "parse_error", 60)) }, "0-6o 0-5o 0-4o 0-2o 0-0r ", "[4 1 0]"},
		{"the same event with another fault", func(b *box) { b.put(0, 6, letter("a", "late", 60)) }, "0-6o 0-5o 0-4o 0-2o 0-0o ", "[5 0 0]"},
		{"another partition", func(b *box) { b.put(1, 0, letter("z", "late", 45)); b.decide(0, fate(discarded, 9, 0, 9)) }, "0-5d 1-0o 0-4d 0-2d 0-0d ", "[1 0 4]"},
		{"read twice", func(b *box) { b.put(0, 4, letter("x", "late", 40)) }, "0-5o 0-4o 0-2o 0-0o ", "[4 0 0]"},
		{"the topic was deleted", func(b *box) { b.forget(); b.put(0, 0, letter("a", "late", 70)) }, "0-0o ", "[1 0 0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox()
			for i, offset := range []int64{0, 2, 4, 5} {
				b.put(0, offset, letter(string(rune('a'+i)), "parse_error", offset*10))
			}
			c.do(b)
			if got := states(b); got != c.want {
				t.Errorf("letters %s, want %s", got, c.want)
			}
			if got := tally(b); got != c.counts {
				t.Errorf("counts %s, want %s", got, c.counts)
			}
		})
	}
}

func TestPageTokens(t *testing.T) {
	n := note{ref: ref{3, 17}, at: 123}
	got, err := fromToken(toToken(n))
	if err != nil || got.ref != n.ref || got.at != n.at {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzIDs(f *testing.F) {
	f.Add("0-17")
	f.Add("-1-2")
	f.Add("1-+2")
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := parseRef(s); ok && r.String() != s {
			t.Errorf("%q is read as %s", s, r)
		}
		_, _ = fromToken(s)
	})
}

func BenchmarkAdd(b *testing.B) {
	b.ReportAllocs()
	x := newBox()
	l := letter("", "parse_error", 1)
	for i := range b.N {
		l.EventId = strconv.Itoa(i)
		x.put(0, int64(i), l)
	}
}

package match

import (
	"reflect"
	"slices"
	"testing"
)

// busy is a partition with a row to come, and three attempts of which two share a step.
func busy() *partition {
	a, b, c := &event{time: 1000, number: 1, row: "a"}, &event{time: 2000, number: 2, row: "b"}, &event{time: 3000, order: "x", row: "c"}
	shared := &step{event: a}
	p := newPartition()
	p.next = 3
	p.pending = []*event{c}
	p.live = []attempt{
		{state: 1, last: shared, start: a.at()},
		{state: 2, last: &step{before: shared, variable: 1, event: b}, start: a.at()},
	}
	p.done = []attempt{{state: final, last: &step{event: b}, start: b.at()}}
	return p
}

func TestPartitionsComeBack(t *testing.T) {
	want := busy()
	got, err := load(string(save(nil, want)), 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("partition %+v, want %+v", got, want)
	}
	if got.live[0].last != got.live[1].last.before {
		t.Error("a step that two attempts shared became two")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(string(save(nil, busy())))
	f.Add("")
	f.Fuzz(func(_ *testing.T, s string) {
		if p, err := load(s, 3, 2); err == nil {
			save(nil, p)
		}
	})
}

func TestRowsWaitInOrderOfTimeThenOrder(t *testing.T) {
	p := newPartition()
	for _, e := range []*event{{time: 2, order: "b", row: "4"}, {time: 1, row: "1"}, {time: 2, order: "a", row: "2"}, {time: 2, order: "a", row: "3"}} {
		p.insert(e)
	}
	var got []string
	for _, e := range p.pending {
		got = append(got, e.row)
	}
	if want := []string{"1", "2", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

package operator

import "container/heap"

// Alarms say when keys are to be looked at.
type Alarms struct{ heap alarmHeap }

type alarm struct {
	at  int64
	key string
}

type alarmHeap []alarm

func (a alarmHeap) Len() int { return len(a) }
func (a alarmHeap) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].key < a[j].key
}
func (a alarmHeap) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push is for the heap.
func (a *alarmHeap) Push(x any) { *a = append(*a, x.(alarm)) }

// Pop is for the heap.
func (a *alarmHeap) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = alarm{}
	*a = (*a)[:last]
	return x
}

// Set sets an alarm for a key.
func (a *Alarms) Set(at int64, key string) { heap.Push(&a.heap, alarm{at, key}) }

// Next takes the first alarm that is due at a time; of equal times the least key.
func (a *Alarms) Next(now int64) (at int64, key string, ok bool) {
	if len(a.heap) == 0 || a.heap[0].at > now {
		return 0, "", false
	}
	x, _ := heap.Pop(&a.heap).(alarm)
	return x.at, x.key, true
}

// First returns the time of the first alarm.
func (a *Alarms) First() (int64, bool) {
	if len(a.heap) == 0 {
		return 0, false
	}
	return a.heap[0].at, true
}

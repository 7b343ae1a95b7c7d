package kafka

/*
#include "bridge.h"
*/
import "C"

import (
	"maps"
	"slices"
	"time"
	"unsafe"
)

const (
	pollIdle = 100 * time.Millisecond
	// Without an answer for so long a producer is held. It is let go as soon as an
	// answer comes, and now and then, more and more seldom, for what has to be sent
	// again.
	holdAfter     = 5 * time.Millisecond
	holdAtFirst   = 30 * time.Millisecond
	holdAtLongest = 240 * time.Millisecond
	letGoFor      = 3 * time.Millisecond
	// librdkafka sends no more of a partition while so many records of it are in flight.
	windowOfPartition = 5
)

// hold keeps an idempotent producer from spinning. It sends no more of a
// partition while five of its records are in flight (RD_KAFKA_IDEMP_MAX_INFLIGHT),
// and librdkafka's thread, when a record that waits behind them is older than
// linger.ms, asks again and again without a pause whether it may be sent. When the
// cluster is slow that takes a core for each producer, and slows down a cluster on
// the same machine even more. A partition that is paused is not asked for.
type hold struct {
	state holdState
	since time.Time     // of the state, or of the last answer in it
	long  time.Duration // how long it is held at a time
}

type holdState int

const (
	idle    holdState = iota // nothing waits
	waiting                  // for an answer
	held
	let // go for a moment, without an answer
)

// wait says how long to poll for.
func (h *hold) wait() time.Duration {
	return [...]time.Duration{idle: pollIdle, waiting: holdAfter, held: h.long, let: letGoFor}[h.state]
}

// serve is called after each poll, by the goroutine that polls.
func (h *hold) serve(p *Producer, answered bool) {
	now := time.Now()
	next := h.state
	over := now.Sub(h.since) >= h.wait()
	switch {
	case p.InFlight() <= windowOfPartition:
		next = idle
	case answered || h.state == idle:
		next, h.long = waiting, holdAtFirst
	case over && h.state == held:
		next, h.long = let, min(2*h.long, holdAtLongest)
	case over:
		next = held
	}
	if next == h.state && !answered {
		return
	}
	if h.state == held && next != held {
		C.wf_let_go(p.c)
		p.settle() // letting go serves reports, too
	}
	if h.state != held && next == held {
		p.hold()
	}
	h.state, h.since = next, now
}

func (p *Producer) hold() {
	p.mu.Lock()
	topics := slices.Collect(maps.Values(p.topics))
	p.mu.Unlock()
	C.wf_hold(p.c, unsafe.SliceData(topics), C.size_t(len(topics)))
}

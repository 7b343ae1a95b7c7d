package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"crypto/sha256"
)

// answer is what a query gave: the number of its rows and a sum over all of them
// in which their order does not count.
type answer struct {
	rows int
	sum  string
}

// answerIn reads the answer that lies in a topic. Where rows have a key, the last
// of each counts.
func (b *bench) answerIn(topic string, keyed bool) (answer, error) {
	var failed error
	last := make(map[string][sha256.Size]byte)
	total, rows := new(big.Int), 0
	_, err := b.read(topic, func(key, value []byte) {
		k, err := plain(key)
		if value == nil && keyed {
			delete(last, k)
			failed = errors.Join(failed, err)
			return
		}
		v, err2 := plain(value)
		failed = errors.Join(failed, err, err2)
		sum := sha256.Sum256([]byte(v))
		if keyed {
			last[k] = sum
			return
		}
		rows++
		total.Add(total, new(big.Int).SetBytes(sum[:]))
	})
	if keyed {
		rows = len(last)
		for _, sum := range last {
			total.Add(total, new(big.Int).SetBytes(sum[:]))
		}
	}
	if err = errors.Join(err, failed); err != nil {
		return answer{}, fmt.Errorf("read the answer in %s: %w", topic, err)
	}
	return answer{rows, total.Text(36)}, nil
}

// plain writes JSON so that equal values are equal text.
func plain(b []byte) (string, error) {
	if len(b) == 0 {
		return "", nil
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return "", err
	}
	out, err := json.Marshal(v)
	return string(out), err
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// toIndex is path (d): Kafka, transform, Kafka, indexer, the embedded store.
func (b *bench) toIndex() error {
	const addr = "127.0.0.1:29200"
	store, err := b.start("searchstore", "--listen", addr, "--data-dir", filepath.Join(b.dir, "search"))
	if err != nil {
		return err
	}
	defer store.stop()
	if err := waitFor(addr); err != nil {
		return err
	}
	indexer, err := b.start("weirflow-indexer", "--rpc.listen", "127.0.0.1:27072", "--admin.listen", "", "--kafka.brokers", b.brokers, "--group", "bench-"+b.id)
	if err != nil {
		return err
	}
	defer indexer.stop()
	index := "bench-" + b.id
	sink := fmt.Sprintf("CREATE TABLE out_table %s WITH ('connector'='elasticsearch-7','hosts'='http://%s','index'='%s','sink.bulk-flush.max-actions'='5000','sink.bulk-flush.max-size'='5mb');\n", columns, addr, index)
	return b.job("(d) Kafka → transform → indexer → embedded store", sink, func() error { return b.indexed("http://"+addr, index) }, indexer, store)
}

// indexed waits until all lines are documents.
func (b *bench) indexed(url, index string) error {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(url + "/" + index + "/_count")
		if err != nil {
			return err
		}
		var c struct{ Count int }
		err = json.NewDecoder(res.Body).Decode(&c)
		_ = res.Body.Close()
		if err != nil {
			return err
		}
		if c.Count == b.lines {
			return nil
		}
	}
	return fmt.Errorf("not all of %d lines became documents", b.lines)
}

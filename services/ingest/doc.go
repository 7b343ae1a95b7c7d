// Package ingest takes events over gRPC into Kafka. It renders the lines that
// agents send as Filebeat's JSON, produces them idempotently, and acknowledges a
// batch when every in-sync replica has it. It also administers topics and
// answers which messages are in them.
package ingest

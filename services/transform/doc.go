// Package transform runs SQL jobs: it keeps them, reads their topics, carries
// out their statements on columns, and hands results to Kafka topics and, as
// ready-made documents, to the indexer.
package transform

// Package searchstore is the embedded search store: a server that speaks
// Elasticsearch's HTTP API and keeps its indices in SQLite files.
package searchstore

// Package indexer writes the results of SQL jobs to Elasticsearch. It consumes
// the IndexBatch records that transform produces, joins them into bulk requests
// without decoding a document, reads the answer per item, tries again what may
// be tried again, sets the rest aside or stops, as the job's statement says, and
// commits a record's offset when all of its documents are settled.
package indexer

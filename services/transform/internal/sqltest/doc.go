// Package sqltest tests the statements of jobs: rows are put into their tables in
// a given order and at given times of a simulated clock, and what comes out is
// compared with what is expected. All tables are in memory; formats decode the
// bytes of records as they do in a job.
package sqltest

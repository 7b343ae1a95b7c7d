// Package peer lets every instance answer for all: a request about a job is passed
// on to the instance that has the job, one about all jobs is put together from all
// instances' answers. Who has what, and where it is reached, is asked of the consumer
// group that shares the jobs out.
package peer

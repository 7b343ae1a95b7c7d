// Package job keeps and runs jobs: their records in the compacted topic
// weirflow.jobs, a run for each that should be running, restarts with growing
// pauses, and checkpoints in the compacted topic weirflow.state.<job>.
package job

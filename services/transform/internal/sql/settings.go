package sql

import (
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

// flinkSettings are the settings of Flink SQL jobs, so that a slip of the pen in
// one is noticed. Those that concern Flink's own machinery are taken and have no
// effect.
const flinkSettings = `
table.builtin-catalog-name table.builtin-database-name table.catalog-modification.listeners table.column-expansion-strategy
table.display.max-column-width table.dml-sync table.dynamic-table-options.enabled table.generated-code.max-length table.legacy-nested-row-nullability
table.local-time-zone table.plan.compile.catalog-objects table.plan.force-recompile table.plan.restore.catalog-objects table.planner table.resources.download-dir
table.rtas-ctas.atomicity-enabled table.sql-dialect
table.exec.async-lookup.buffer-capacity table.exec.async-lookup.key-ordered-enabled table.exec.async-lookup.output-mode table.exec.async-lookup.timeout
table.exec.async-scalar.buffer-capacity table.exec.async-scalar.max-attempts table.exec.async-scalar.retry-delay table.exec.async-scalar.retry-strategy
table.exec.async-scalar.timeout table.exec.deduplicate.insert-update-after-sensitive-enabled
table.exec.deduplicate.mini-batch.compact-changes-enabled table.exec.disabled-operators table.exec.emit.allow-lateness table.exec.emit.early-fire.delay
table.exec.emit.early-fire.enabled table.exec.emit.late-fire.delay table.exec.emit.late-fire.enabled table.exec.interval-join.min-cleanup-interval
table.exec.legacy-cast-behaviour table.exec.legacy-transformation-uids table.exec.local-hash-agg.adaptive.enabled table.exec.mini-batch.allow-latency table.exec.mini-batch.enabled
table.exec.mini-batch.size table.exec.non-temporal-sort.enabled table.exec.operator-fusion-codegen.enabled table.exec.rank.topn-cache-size table.exec.resource.default-parallelism
table.exec.shuffle-mode table.exec.simplify-operator-name-enabled table.exec.sink.keyed-shuffle table.exec.sink.legacy-upsert-materialize table.exec.sink.not-null-enforcer
table.exec.sink.rowtime-inserter table.exec.sink.type-length-enforcer table.exec.sink.upsert-materialize table.exec.sort.async-merge-enabled table.exec.sort.default-limit
table.exec.sort.max-num-file-handles table.exec.source.cdc-events-duplicate table.exec.source.idle-timeout table.exec.spill-compression.block-size table.exec.spill-compression.enabled
table.exec.state.ttl table.exec.uid.format table.exec.uid.generation table.exec.unaligned.checkpoint table.exec.unbounded-over.version table.exec.window-agg.buffer-size-limit
table.optimizer.adaptive-broadcast-join.strategy table.optimizer.agg-phase-strategy table.optimizer.bushy-join-reorder-threshold
table.optimizer.distinct-agg.split.bucket-num table.optimizer.distinct-agg.split.enabled table.optimizer.dynamic-filtering.enabled
table.optimizer.incremental-agg-enabled table.optimizer.join-reorder-enabled table.optimizer.join.broadcast-threshold
table.optimizer.multiple-input-enabled table.optimizer.non-deterministic-update.strategy table.optimizer.reuse-optimize-block-with-digest-enabled
table.optimizer.reuse-sink-enabled table.optimizer.reuse-source-enabled table.optimizer.reuse-sub-plan-enabled table.optimizer.runtime-filter.enabled
table.optimizer.runtime-filter.max-build-data-size table.optimizer.runtime-filter.min-filter-ratio table.optimizer.runtime-filter.min-probe-data-size
table.optimizer.source.aggregate-pushdown-enabled table.optimizer.source.predicate-pushdown-enabled table.optimizer.source.report-statistics-enabled
table.optimizer.sql2rel.project-merge.enabled table.optimizer.union-all-as-breakpoint-enabled
pipeline.auto-generate-uids pipeline.auto-watermark-interval pipeline.cached-files pipeline.classpaths pipeline.closure-cleaner-level pipeline.force-avro pipeline.force-kryo
pipeline.generic-types pipeline.global-job-parameters pipeline.jars pipeline.jobvertex-parallelism-overrides pipeline.max-parallelism pipeline.name pipeline.object-reuse
pipeline.operator-chaining.chain-operators-with-different-max-parallelism pipeline.operator-chaining.enabled pipeline.serialization-config pipeline.vertex-description-mode
pipeline.vertex-name-include-index-prefix pipeline.watermark-alignment.allow-unaligned-source-splits
execution.allow-client-job-configurations execution.attached execution.batch.adaptive.auto-parallelism.enabled execution.batch-shuffle-mode execution.buffer-timeout.enabled
execution.buffer-timeout.interval execution.checkpointing.aligned-checkpoint-timeout execution.checkpointing.checkpoints-after-tasks-finish execution.checkpointing.checkpoints-after-tasks-finish.enabled
execution.checkpointing.create-subdir execution.checkpointing.dir execution.checkpointing.externalized-checkpoint-retention execution.checkpointing.file-merging.enabled execution.checkpointing.incremental
execution.checkpointing.interval execution.checkpointing.interval-during-backlog execution.checkpointing.local-backup.enabled execution.checkpointing.max-concurrent-checkpoints execution.checkpointing.min-pause
execution.checkpointing.mode execution.checkpointing.num-retained execution.checkpointing.savepoint-dir execution.checkpointing.storage execution.checkpointing.timeout
execution.checkpointing.tolerable-failed-checkpoints execution.checkpointing.unaligned execution.checkpointing.unaligned.enabled execution.checkpointing.unaligned.forced execution.checkpointing.write-buffer
execution.job-listeners execution.runtime-mode execution.savepoint.ignore-unclaimed-state execution.savepoint.path execution.savepoint-restore-mode execution.shutdown-on-application-finish
execution.shutdown-on-attached-exit execution.sorted-inputs.enabled execution.state-recovery.claim-mode execution.state-recovery.from-local execution.state-recovery.ignore-unclaimed-state
execution.state-recovery.path execution.submit-failed-job-on-application-error execution.target
metrics.reporters parallelism.default state.backend state.backend.type state.backend.incremental state.checkpoints.dir state.savepoints.dir state.checkpoint-storage
restart-strategy restart-strategy.type restart-strategy.fixed-delay.attempts restart-strategy.fixed-delay.delay restart-strategy.failure-rate.delay
restart-strategy.failure-rate.failure-rate-interval restart-strategy.failure-rate.max-failures-per-interval restart-strategy.exponential-delay.initial-backoff
sql-client.execution.result-mode sql-client.execution.max-table-result.rows sql-client.verbose sql-client.display.max-column-width sql-client.display.print-time-cost
`

// checkSetting refuses a setting whose name is nearly, but not quite, that of one
// that Flink has. Other names are taken: a later Flink may know them.
func checkSetting(st *ast.Set) error {
	known := strings.Fields(flinkSettings)
	if slices.Contains(known, st.Key) {
		return nil
	}
	if near := diag.Within(st.Key, known, 3); near != "" {
		return diag.At(st.Pos(), "the setting '%s' is not known", st.Key).WithHint("did you mean '%s'?", near)
	}
	return nil
}

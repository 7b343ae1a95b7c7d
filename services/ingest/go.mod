module github.com/weirflow/weirflow/services/ingest

go 1.26.0

require (
	github.com/weirflow/weirflow/proto v0.0.0
	github.com/weirflow/weirflow/services/platform v0.0.0
)

replace (
	github.com/weirflow/weirflow/proto => ../../proto
	github.com/weirflow/weirflow/services/platform => ../platform
)

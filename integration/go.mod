module github.com/weirflow/weirflow/integration

go 1.26.0

require (
	github.com/weirflow/weirflow/proto v0.0.0
	github.com/weirflow/weirflow/services/platform v0.0.0
	github.com/weirflow/weirflow/services/agent v0.0.0
	github.com/weirflow/weirflow/services/ingest v0.0.0
	github.com/weirflow/weirflow/services/transform v0.0.0
	github.com/weirflow/weirflow/services/indexer v0.0.0
	github.com/weirflow/weirflow/services/standalone v0.0.0
	github.com/weirflow/weirflow/gateway v0.0.0
)

replace (
	github.com/weirflow/weirflow/proto => ../proto
	github.com/weirflow/weirflow/services/platform => ../services/platform
	github.com/weirflow/weirflow/services/agent => ../services/agent
	github.com/weirflow/weirflow/services/ingest => ../services/ingest
	github.com/weirflow/weirflow/services/transform => ../services/transform
	github.com/weirflow/weirflow/services/indexer => ../services/indexer
	github.com/weirflow/weirflow/services/standalone => ../services/standalone
	github.com/weirflow/weirflow/gateway => ../gateway
)

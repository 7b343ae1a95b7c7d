module github.com/weirflow/weirflow/integration

go 1.26.0

require (
	github.com/weirflow/weirflow/proto v0.0.0
	github.com/weirflow/weirflow/services/platform v0.0.0
	github.com/weirflow/weirflow/services/standalone v0.0.0
	github.com/weirflow/weirflow/services/transform v0.0.0
	google.golang.org/grpc v1.85.0
)

require (
	github.com/confluentinc/confluent-kafka-go/v2 v2.11.1 // indirect
	github.com/stretchr/testify v1.11.1 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260928230214-8a89bd6388cc // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace (
	github.com/weirflow/weirflow/gateway => ../gateway
	github.com/weirflow/weirflow/proto => ../proto
	github.com/weirflow/weirflow/services/agent => ../services/agent
	github.com/weirflow/weirflow/services/indexer => ../services/indexer
	github.com/weirflow/weirflow/services/ingest => ../services/ingest
	github.com/weirflow/weirflow/services/platform => ../services/platform
	github.com/weirflow/weirflow/services/standalone => ../services/standalone
	github.com/weirflow/weirflow/services/transform => ../services/transform
)

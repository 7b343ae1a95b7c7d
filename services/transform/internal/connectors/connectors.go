// Package connectors lists the connectors that there are.
package connectors

import (
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connector/alert"
	"github.com/weirflow/weirflow/services/transform/internal/connector/blackhole"
	"github.com/weirflow/weirflow/services/transform/internal/connector/datagen"
	"github.com/weirflow/weirflow/services/transform/internal/connector/elasticsearch"
	"github.com/weirflow/weirflow/services/transform/internal/connector/filesystem"
	"github.com/weirflow/weirflow/services/transform/internal/connector/kafka"
	"github.com/weirflow/weirflow/services/transform/internal/connector/printer"
)

// All returns all connectors by name.
func All() connector.Registry {
	kafkas := kafka.Factories()
	return connector.Registry{
		"kafka":           kafkas["kafka"],
		"upsert-kafka":    kafkas["upsert-kafka"],
		"elasticsearch-6": elasticsearch.Factory(6),
		"elasticsearch-7": elasticsearch.Factory(7),
		"elasticsearch-8": elasticsearch.Factory(8),
		"filesystem":      filesystem.Factory(),
		"datagen":         datagen.Factory(),
		"print":           printer.Factory(),
		"blackhole":       blackhole.Factory(),
		"alert":           alert.Factory(),
	}
}

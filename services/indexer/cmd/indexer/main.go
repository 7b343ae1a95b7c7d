// Command weirflow-indexer runs the indexer service.
package main

import (
	"os"

	"github.com/weirflow/weirflow/services/indexer"
	"github.com/weirflow/weirflow/services/platform/process"
)

func main() { os.Exit(process.Main(indexer.Command())) }

// Command weirflow-ingest runs the ingest service.
package main

import (
	"os"

	"github.com/weirflow/weirflow/services/ingest"
	"github.com/weirflow/weirflow/services/platform/process"
)

func main() { os.Exit(process.Main(ingest.Command())) }

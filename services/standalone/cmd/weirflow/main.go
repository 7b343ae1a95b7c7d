// Command weirflow is all of Weirflow in one binary.
package main

import (
	"os"

	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/standalone"
)

func main() { os.Exit(process.Main(standalone.Command())) }

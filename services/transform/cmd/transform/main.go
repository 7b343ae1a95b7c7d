// Command weirflow-transform runs the transform service, and SQL scripts.
package main

import (
	"os"

	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/transform"
)

func main() { os.Exit(process.Main(transform.Command())) }

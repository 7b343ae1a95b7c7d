// Command weirflow-alerting runs the alerting service.
package main

import (
	"os"

	"github.com/weirflow/weirflow/services/alerting"
	"github.com/weirflow/weirflow/services/platform/process"
)

func main() { os.Exit(process.Main(alerting.Command())) }

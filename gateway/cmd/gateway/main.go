// Command weirflow-gateway runs the gateway.
package main

import (
	"os"

	"github.com/weirflow/weirflow/gateway"
	"github.com/weirflow/weirflow/services/platform/process"
)

func main() { os.Exit(process.Main(gateway.Command())) }

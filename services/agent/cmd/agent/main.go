// Command agent reads log files and ships their lines.
package main

import (
	"os"

	"github.com/weirflow/weirflow/services/agent/cli"
	"github.com/weirflow/weirflow/services/platform/process"
)

func main() {
	cmd := cli.Command()
	cmd.Use = "weirflow-agent"
	os.Exit(process.Main(cmd))
}

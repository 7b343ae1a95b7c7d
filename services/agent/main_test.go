package agent_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/weirflow/weirflow/services/agent/cli"
)

// roleVariable makes the test binary run as the agent, so that tests can kill it.
const roleVariable = "WEIRFLOW_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "agent" {
		ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		cmd := cli.Command()
		cmd.SetArgs(os.Args[1:])
		err := cmd.ExecuteContext(ctx)
		cancel()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

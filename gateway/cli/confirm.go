package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// confirm asks for a name to be typed before what can't be undone.
func confirm(cmd *cobra.Command, yes bool, name, loss string) error {
	if yes {
		return nil
	}
	in := cmd.InOrStdin()
	if file, ok := in.(*os.File); ok && !term.IsTerminal(int(file.Fd())) {
		return fmt.Errorf("%s Say --yes if that is meant", loss)
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s Type %s to go on: ", loss, name) // the answer counts
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && line == "" {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(line) != name {
		return errors.New("nothing was done")
	}
	return nil
}

package sqlcli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

// plain reads statements from a terminal that cannot move its cursor.
type plain struct {
	in      *bufio.Reader
	out     io.Writer
	history *history
}

// Readline returns the next statement.
func (p *plain) Readline() (string, error) {
	var text strings.Builder
	for ask := prompt; ; ask = more {
		fmt.Fprint(p.out, ask)
		line, err := p.in.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			if errors.Is(err, io.EOF) && strings.TrimSpace(text.String()) != "" {
				return text.String(), nil // the next call tells of the end
			}
			return "", err
		}
		if s := strings.TrimRight(text.String(), "\r\n"); command(s) != "" || sql.Complete(s) {
			if strings.TrimSpace(s) != "" {
				_, err = p.history.Write(s)
			}
			return s, err
		}
	}
}

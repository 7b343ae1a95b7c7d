package sqlcli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

// asClient makes the test binary the program itself, so that a test can talk to it
// through a terminal of its own.
const asClient = "WEIRFLOW_TEST_SQL_CLIENT"

func runAsClient() bool {
	if os.Getenv(asClient) == "" {
		return false
	}
	if err := sqlcli.Command().ExecuteContext(context.Background()); err != nil {
		_, _ = os.Stderr.WriteString("error: " + err.Error() + "\n")
		os.Exit(1)
	}
	return true
}

// console is a terminal with the program in it.
type console struct {
	t      *testing.T
	tty    *os.File
	screen vt10x.Terminal
	cmd    *exec.Cmd
	ended  chan struct{}
	last   atomic.Int64 // when it wrote something
}

// open starts the program in a terminal.
func open(t *testing.T, cols, rows int, state string, args ...string) *console {
	t.Helper()
	return openIn(t, "xterm-256color", cols, rows, state, args...)
}

// openIn starts the program in a terminal of a kind.
func openIn(t *testing.T, kind string, cols, rows int, state string, args ...string) *console {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asClient+"=1", "XDG_STATE_HOME="+state, "TERM="+kind, "INPUTRC=/dev/null")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Skip("no terminal can be made here: ", err)
	}
	c := &console{t: t, tty: tty, screen: vt10x.New(vt10x.WithWriter(tty), vt10x.WithSize(cols, rows)), cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			_, _ = c.screen.Write(buf[:n])
			c.last.Store(time.Now().UnixNano())
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = tty.Close()
		<-c.ended
	})
	return c
}

// sees waits until the screen shows a text.
func (c *console) sees(text string) {
	c.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(c.text(), text) {
		if time.Now().After(deadline) {
			c.t.Fatalf("waited in vain for %q; the screen shows\n%s", text, c.text())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *console) text() string {
	lines := strings.Split(c.screen.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// quiet is for how long a program writes nothing that waits for keys.
const quiet = 100 * time.Millisecond

// enters sends keys when the program asks for a statement, and has heard from the
// terminal where the cursor is, which it asks for as well.
func (c *console) enters(keys string) {
	c.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !strings.HasSuffix(c.text(), "weirflow>") || time.Since(time.Unix(0, c.last.Load())) < quiet {
		if time.Now().After(deadline) {
			c.t.Fatalf("it does not ask for a statement; the screen shows\n%s", c.text())
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.types(keys)
}

// types sends keys.
func (c *console) types(keys string) {
	c.t.Helper()
	c.last.Store(time.Now().UnixNano()) // the answer may take a moment
	if _, err := c.tty.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

// leaves presses Ctrl-D and waits for the end.
func (c *console) leaves() {
	c.t.Helper()
	c.enters("\x04")
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			c.t.Errorf("it ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		c.t.Errorf("it does not end; the screen shows\n%s", c.text())
	}
}

func TestTerminal(t *testing.T) {
	state := t.TempDir()
	c := open(t, 80, 40, state)
	c.enters("SELECT x, y\r")
	c.types("FROM (VALUES (1, 'ab'), (22, 'longer')) AS t (x, y);\r")
	c.sees(strings.Join([]string{
		"+----+----+--------+",
		"| op | x  | y      |",
		"+----+----+--------+",
		"| +I |  1 | ab     |",
		"| +I | 22 | longer |",
		"+----+----+--------+",
		"2 rows ("}, "\n"))
	c.enters("SELECT nosuch\r")
	c.types("FROM (VALUES (1)) AS t (x);\r")
	c.sees("line 1, column 8: column \"nosuch\" not found")
	c.sees("  SELECT nosuch\n         ^")
	c.enters("SELECT 'unfinished")
	c.sees("unfinished")
	c.types("\x03")
	c.enters("help\r")
	c.sees("Ctrl-D")
	c.sees("leaves")
	c.leaves()

	file := filepath.Join(state, "weirflow", "sql_history")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the history: %v, %v", info, err)
	}
	text, _ := os.ReadFile(file)
	if strings.Contains(string(text), "unfinished") || !strings.Contains(string(text), `"SELECT x, y\nFROM (VALUES`) {
		t.Errorf("the history holds\n%s", text)
	}
}

func TestTerminalStreamsUntilCtrlC(t *testing.T) {
	c := open(t, 80, 40, t.TempDir())
	c.enters("CREATE TABLE g (n INT) WITH ('connector'='datagen','rows-per-second'='50');\r")
	c.sees("created table g")
	c.enters("clear;\r")
	c.enters("SELECT MOD(n, 1), COUNT(*) FROM g GROUP BY MOD(n, 1);\r")
	c.sees("| -U |")
	c.types("\x03")
	c.sees("interrupted")
	c.enters("clear;\r")
	c.enters("SELECT 'still ' || 'here' AS x;\r")
	c.sees("| +I | still here |")
	c.enters("CREATE TABLE b (n INT) WITH ('connector'='blackhole');\r")
	c.sees("created table b")
	c.enters("INSERT INTO b SELECT n FROM g;\r")
	c.sees("running; Ctrl-C ends it")
	c.types("\x03")
	c.sees("interrupted")
	c.leaves()
}

func TestTerminalHistoryKeepsNoSecrets(t *testing.T) {
	state := t.TempDir()
	c := open(t, 100, 40, state)
	c.enters("CREATE TABLE k (a INT) WITH ('connector'='kafka','topic'='t','properties.bootstrap.servers'='b:1','format'='json','properties.sasl.password'='hunter2');\r")
	c.sees("created table k")
	c.enters("SHOW TABLES;\r")
	c.sees("| k ")
	c.leaves()
	text, err := os.ReadFile(filepath.Join(state, "weirflow", "sql_history"))
	if err != nil || strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "SHOW TABLES;") {
		t.Errorf("%v, the history holds\n%s", err, text)
	}
	c = open(t, 100, 40, state)
	c.enters("\x1b[A") // up
	c.sees("weirflow> SHOW TABLES;")
	c.types("\r")
	c.sees("0 rows")
	c.leaves()
}

func TestTerminalCompletes(t *testing.T) {
	init := filepath.Join(t.TempDir(), "init.sql")
	if err := os.WriteFile(init, []byte("CREATE TABLE orders (id INT, customer STRING) WITH ('connector'='datagen','number-of-rows'='2');"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, 100, 40, t.TempDir(), "--init", init)
	for _, part := range [][2]string{
		{"SELECT cust\t", "SELECT customer"}, {", upp\t", "SELECT customer, upper"}, {"(customer) fr\t", "upper(customer) from"},
		{" ord\t", "from orders"}, {";\r", "2 rows"},
		{"CREATE TABLE b (x INT) WITH ('conn\t", "WITH ('connector'"}, {" = 'blac\t", "'connector' = 'blackhole'"}, {");\r", "created table b"},
		{"SET 'table.exec.state.t\t", "SET 'table.exec.state.ttl'"}, {" = '1 h';\r", "set table.exec.state.ttl"},
	} {
		if strings.HasPrefix(part[0], "S") || strings.HasPrefix(part[0], "C") {
			c.enters(part[0])
		} else {
			c.types(part[0])
		}
		c.sees(part[1])
	}
	c.leaves()
}

func TestTerminalThatIsDumb(t *testing.T) {
	c := openIn(t, "dumb", 80, 40, t.TempDir())
	c.enters("SELECT x\rFROM (VALUES (7)) AS t (x);\r")
	c.sees("       -> ")
	c.sees("| +I | 7 |")
	c.enters("history\r")
	c.sees("1  SELECT x\n      FROM (VALUES (7)) AS t (x);")
	c.leaves()
}

func TestTerminalNarrow(t *testing.T) {
	c := open(t, 40, 30, t.TempDir(), "-e", "SELECT '世界世界世界世界世界世界世界世界世界世界世界世界' AS wide, 123 AS n, CAST(NULL AS STRING) AS nothing")
	c.sees("| op | wide            | n   | nothing |")
	c.sees("…")
	c.sees("<NULL>")
	var columns []string
	for n := range strings.FieldsSeq("a b c d e f g h") {
		columns = append(columns, "'value of "+n+"' AS "+n)
	}
	c = open(t, 40, 30, t.TempDir(), "-e", "SELECT "+strings.Join(columns, ", "))
	c.sees("-[ 1 ]---")
	c.sees("\nh  | value of h")
}

func TestExitCodes(t *testing.T) {
	for name, tt := range map[string]struct {
		args  []string
		stdin string
		code  int
		want  string
	}{
		"a statement":         {[]string{"-o", "csv", "-e", "SELECT 1 AS x", "-e", "SELECT 2 AS y"}, "", 0, "op,x\n+I,1\nop,y\n+I,2\n"},
		"a pipe":              {[]string{"-o", "csv"}, "SELECT 3 AS z;", 0, "op,z\n+I,3\n"},
		"a wrong statement":   {[]string{"-o", "csv", "-e", "SELECT 1 AS x", "-e", "SELECT", "-e", "SELECT 2"}, "", 1, ""},
		"a wrong value":       {[]string{"-o", "csv", "-e", "SELECT CAST('x' AS INT)"}, "", 1, "line 1, column 8"},
		"limit":               {[]string{"-o", "csv", "--limit", "2", "SELECT x FROM (VALUES (1), (2), (3)) AS t (x)"}, "", 0, "op,x\n+I,1\n+I,2\n"},
		"two kinds of script": {[]string{"-f", "x.sql", "-e", "SELECT 1"}, "", 1, "give one of"},
		"no such file":        {[]string{"-f", "/nonexistent.sql"}, "", 1, "/nonexistent.sql"},
		"no tests":            {[]string{"test", t.TempDir()}, "", 1, ".test.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], tt.args...)
			cmd.Env = append(os.Environ(), asClient+"=1")
			cmd.Stdin = strings.NewReader(tt.stdin)
			out, err := cmd.CombinedOutput()
			code := 0
			if e, ok := errors.AsType[*exec.ExitError](err); ok {
				code = e.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if code != tt.code || tt.code == 0 && string(out) != tt.want || !strings.Contains(string(out), tt.want) {
				t.Errorf("exit code %d, output %q", code, out)
			}
		})
	}
}

// TestInterruptEndsAScript sends the signal of Ctrl-C to a script without a terminal.
func TestInterruptEndsAScript(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-o", "csv", "-e", "CREATE TABLE g (n INT) WITH ('connector'='datagen','rows-per-second'='100')", "-e", "SELECT n FROM g")
	cmd.Env = append(os.Environ(), asClient+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	if _, err := out.Read(buf); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = out.Read(buf)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

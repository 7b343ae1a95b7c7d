//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// terminal is a person's, before a running Weirflow.
type terminal struct {
	t    *testing.T
	dir  string
	vars []string
}

// run calls weirflow and returns what it said, and its exit code.
func (x *terminal) run(args ...string) (string, int) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin("weirflow"), args...)
	cmd.Dir, cmd.Env = x.dir, append(os.Environ(), x.vars...)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		x.t.Fatalf("weirflow %s: %v", strings.Join(args, " "), err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// says calls weirflow until it ends well and says all that is wanted.
func (x *terminal) says(args []string, want ...string) {
	x.t.Helper()
	eventually(x.t, 30*time.Second, "weirflow "+strings.Join(args, " "), func() error {
		out, code := x.run(args...)
		missing := slices.IndexFunc(want, func(w string) bool { return !strings.Contains(out, w) })
		if code != 0 || missing >= 0 {
			return fmt.Errorf("exit code %d, %q", code, out)
		}
		return nil
	})
}

// One goes from one's own log file to its documents on the command line, with a folder
// of files that holds neither the store's password nor its address twice.
func TestCommandLine(t *testing.T) {
	dir, p := t.TempDir(), freePorts(t, 7)
	log := filepath.Join(dir, "shop.log")
	beat := writeFile(t, filepath.Join(dir, "filebeat.yml"), fmt.Sprintf(
		"filebeat.inputs:\n- type: filestream\n  id: shop\n  paths: [%s]\n  prospector.scanner.check_interval: 1s\noutput.ingest:\n  hosts: [%q]\n  topic: shop\n", log, p[1]))
	launch(t, dir, "weirflow", "run", "--no-demo", "--data-dir", filepath.Join(dir, "data"), "--gateway.listen", p[0], "--gateway.grpc.listen", p[6], "--ingest.listen", p[1],
		"--kafka.listen", p[2], "--search.listen", p[3], "--alerting.listen", p[4], "--admin.listen", p[5], "-c", beat)
	x := &terminal{t: t, dir: dir, vars: []string{"WEIRFLOW_SERVER=http://" + p[0], "WEIRFLOW_CLI_CONFIG=" + filepath.Join(dir, "cli.yaml"), "STORE=http://" + p[3]}}
	appendFile(t, log, "INFO order 17 is paid\nERROR order 18 is lost\nINFO order 19 is paid\n")
	x.says([]string{"messages", "shop"}, "order 17", "order 19")
	x.says([]string{"topics", "list"}, "shop")

	writeFile(t, filepath.Join(dir, "site", "jobs", "lost.sql"), "CREATE TABLE shop (`@timestamp` TIMESTAMP_LTZ(3), message STRING) WITH ('connector' = 'kafka', 'topic' = 'shop',\n"+
		"  'properties.bootstrap.servers' = '"+p[2]+"', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');\n"+
		"CREATE TABLE lost (`@timestamp` TIMESTAMP_LTZ(3), message STRING) WITH ('connector' = 'elasticsearch-7', 'hosts' = '${STORE}', 'index' = 'lost', 'json.timestamp-format.standard' = 'ISO-8601');\n"+
		"INSERT INTO lost SELECT `@timestamp`, message FROM shop WHERE message LIKE 'ERROR%';\n")
	x.says([]string{"apply", "-f", "site", "--dry-run"}, "lost")
	if out, _ := x.run("jobs", "list"); strings.Contains(out, "lost") {
		t.Errorf("a dry run made the job: %s", out)
	}
	x.says([]string{"apply", "-f", "site", "--yes"}, "lost")
	x.says([]string{"jobs", "list"}, "lost", "RUNNING")
	x.says([]string{"search", "lost", "message:order"}, "order 18")
	if out, _ := x.run("search", "lost"); strings.Contains(out, "order 17") {
		t.Errorf("what the job does not take is found: %s", out)
	}
	x.says([]string{"status"})
	out, code := x.run("jobs", "get", "lost", "-o", "json")
	var got struct{ Job struct{ Name string } }
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || got.Job.Name != "lost" {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
	x.says([]string{"jobs", "stop", "lost"})
	x.says([]string{"jobs", "list"}, "SUSPENDED")
	if out, code := x.run("jobs", "get", "absent"); code == 0 || !strings.Contains(out, "absent") {
		t.Errorf("exit code %d: %s", code, out)
	}

	// The Go SDK's example goes the same way in a program.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	walk := exec.CommandContext(ctx, "go", "run", "./sdk/go/examples/walk")
	walk.Dir, walk.Env = filepath.Join("..", "proto"), append(os.Environ(), "WEIRFLOW="+p[6], "BROKERS="+p[2])
	if said, err := walk.CombinedOutput(); err != nil || !strings.Contains(string(said), `walk-errors 0/0 {"message":"ERROR the disk is full"}`) {
		t.Errorf("%v: %s", err, said)
	}
}

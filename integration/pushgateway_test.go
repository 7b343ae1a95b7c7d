//go:build integration

package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gatewayOfMetrics starts Debian's Pushgateway behind Debian's nginx, which asks for
// a name and a password, and returns nginx's port.
func gatewayOfMetrics(t *testing.T, user, password string) string {
	t.Helper()
	tool(t, "prometheus-pushgateway")
	scripts := filepath.Join("..", "scripts", "real", "pushgateway")
	if out, err := output(t, filepath.Join(scripts, "install.sh")); err != nil {
		t.Skipf("nginx cannot be fetched: %v\n%s", err, out)
	}
	p := freePorts(t, 2)
	_, port, _ := net.SplitHostPort(p[0])
	_, bare, _ := net.SplitHostPort(p[1])
	dir := t.TempDir()
	run := func(script string) {
		c := exec.Command(filepath.Join(scripts, script))
		c.Env = append(os.Environ(), "PUSHGATEWAY_RUN="+dir, "PUSHGATEWAY_PORT="+port, "PUSHGATEWAY_BARE="+bare,
			"PUSHGATEWAY_USER="+user, "PUSHGATEWAY_PASSWORD="+password)
		if err := c.Run(); err != nil { // its output stays open in what it starts
			t.Errorf("%s: %v", script, err)
		}
	}
	run("start.sh")
	t.Cleanup(func() { run("stop.sh") })
	return port
}

// TestMetricsArePushed gives jobs the parameters of the mission's document and finds
// their metrics in a real Pushgateway behind basic auth, under Flink's names.
func TestMetricsArePushed(t *testing.T) {
	const user, password = "1250000000", "s3cret-of-the-gateway"
	port := gatewayOfMetrics(t, user, password)
	s := allInOne(t, false)
	s.boot()
	pushed := func() string {
		req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+"/metrics", nil)
		req.SetBasicAuth(user, password)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%v: %s\n%s", err, res.Status, b)
		}
		return string(b)
	}
	parameters := func(more ...string) map[string]string {
		out := map[string]string{
			"pipeline.max-parallelism": "2048", "metrics.reporters": "promgateway", "metrics.reporter.promgateway.host": "127.0.0.1",
			"metrics.reporter.promgateway.port": port, "metrics.reporter.promgateway.needBasicAuth": "true", "metrics.reporter.promgateway.username": user,
			"metrics.reporter.promgateway.password": password, "metrics.reporter.promgateway.interval": "1 SECONDS",
		}
		for i := 0; i+1 < len(more); i += 2 {
			out["metrics.reporter.promgateway."+more[i]] = more[i+1]
		}
		return out
	}
	numbers := "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');\nCREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');\n" +
		"INSERT INTO nothing SELECT n + 1 FROM numbers WHERE n IS NOT NULL;"
	create := func(name, sql string, parameters map[string]string) error {
		return s.call(http.MethodPost, "/api/v1/jobs", map[string]any{"name": name, "sql": sql, "parameters": parameters, "start": true}, nil)
	}
	eventually(t, 30*time.Second, "a job with parameters", func() error {
		return create("pushing", numbers, parameters("jobName", "weirflow", "randomJobNameSuffix", "false", "groupingKey", "team=ops;zone=a"))
	})
	want := func(what string, there bool, parts ...string) {
		t.Helper()
		eventually(t, 20*time.Second, what, func() error {
			text := pushed()
			for line := range strings.Lines(text) {
				all := true
				for _, p := range parts {
					all = all && strings.Contains(line, p)
				}
				if all && !strings.HasPrefix(line, "#") {
					if !there {
						return fmt.Errorf("still there: %s", line)
					}
					return nil
				}
			}
			if there {
				return fmt.Errorf("%q is not in\n%.3000s", parts, text)
			}
			return nil
		})
	}
	want("the operator's rate", true, "flink_taskmanager_job_task_operator_numRecordsOutPerSecond{", `job_name="pushing"`, `job="weirflow"`, `team="ops"`, `operator_name="Source:numbers"`)
	want("the process", true, "flink_taskmanager_Status_JVM_CPU_Load{", `job="weirflow"`)
	want("the job", true, "flink_jobmanager_job_runningState{", `job="weirflow"`, "} 1")
	want("no other job", false, "flink_", fmt.Sprintf("job_name=%q", s.index))

	// A script may set the same, and a name of its own is given to what it pushes.
	set := "SET 'metrics.reporters' = 'promgateway';\nSET 'metrics.reporter.promgateway.hostUrl' = 'http://127.0.0.1:" + port + "';\nSET 'metrics.reporter.promgateway.basicAuth' = 'true';\n" +
		"SET 'metrics.reporter.promgateway.username' = '" + user + "';\nSET 'metrics.reporter.promgateway.password' = '" + password + "';\nSET 'metrics.reporter.promgateway.interval' = '1 s';\n" +
		"SET 'metrics.reporter.promgateway.jobName' = 'named';\nSET 'metrics.reporter.promgateway.deleteOnShutdown' = 'false';\n"
	if err := create("from-script", set+numbers, nil); err != nil {
		t.Fatal(err)
	}
	want("what the script sets", true, "flink_jobmanager_job_numRestarts{", `job_name="fromscript"`, `job="named`)

	// A wrong password costs the job nothing, and is not told.
	if err := create("refused", numbers, parameters("password", "not-this-one")); err != nil {
		t.Fatal(err)
	}
	if err := create("slip", numbers, parameters("groupingKeys", "a=b")); err == nil || !strings.Contains(err.Error(), "did you mean") {
		t.Errorf("an option with a slip of the pen: %v", err)
	}
	var text map[string]any
	for _, name := range []string{"pushing", "from-script", "refused"} {
		eventually(t, 10*time.Second, name+" runs", func() error {
			if err := s.call(http.MethodGet, "/api/v1/jobs/"+name, nil, &text); err != nil {
				return err
			}
			if got := fmt.Sprint(text); strings.Contains(got, password) || strings.Contains(got, "not-this-one") {
				t.Fatalf("the password is told: %s", got)
			}
			if !strings.Contains(fmt.Sprint(text), "JOB_STATE_RUNNING") {
				return fmt.Errorf("%v", text)
			}
			return nil
		})
	}

	// What ends is removed, unless it shall stay.
	for _, name := range []string{"pushing", "from-script"} {
		if err := s.call(http.MethodPost, "/api/v1/jobs/"+name+":stop", map[string]any{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	want("the stopped job is gone", false, "flink_", `job="weirflow"`)
	want("the other stays", true, "push_time_seconds{", `job="named`)
	s.halt()
}

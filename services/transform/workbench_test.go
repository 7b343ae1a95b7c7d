package transform_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func versions(t *testing.T, client jobv1.JobServiceClient, job string) []*jobv1.JobVersion {
	t.Helper()
	res, err := client.ListJobVersions(t.Context(), &jobv1.ListJobVersionsRequest{Job: job})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetVersions()
}

func TestVersionsOfAJobAreKept(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	client, _, stop := service(t, cfg)
	statement := func(filter string) string {
		return source(cfg, ",'properties.sasl.password'='hush'") + "CREATE TABLE b (m STRING) WITH ('connector'='blackhole'); INSERT INTO b SELECT message FROM src WHERE message " + filter
	}
	put := func(sql string) {
		t.Helper()
		if _, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "kept", Sql: sql, Replace: true}); err != nil {
			t.Fatal(err)
		}
	}
	put(statement("= 'one'"))
	put(statement("= 'two'"))
	put(statement("= 'two'")) // no change
	got := versions(t, client, "kept")
	if len(got) != 2 || got[0].GetVersion() != 2 || !strings.Contains(got[0].GetSql(), "'two'") || !strings.Contains(got[1].GetSql(), "'one'") {
		t.Fatalf("versions %v", got)
	}
	if strings.Contains(got[0].GetSql()+got[1].GetSql(), "hush") {
		t.Error("a version shows a secret")
	}
	stop()
	client, _, _ = service(t, cfg)
	if again := versions(t, client, "kept"); len(again) != 2 || again[1].GetSql() != got[1].GetSql() {
		t.Errorf("after a restart: %v", again)
	}
	if _, err := client.DeleteJob(t.Context(), &jobv1.DeleteJobRequest{Name: "kept"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ListJobVersions(t.Context(), &jobv1.ListJobVersionsRequest{Job: "kept"}); status.Code(err) != codes.NotFound {
		t.Errorf("versions of no job: %v", err)
	}
	put(statement("= 'three'"))
	if got := versions(t, client, "kept"); len(got) != 1 || got[0].GetVersion() != 1 {
		t.Errorf("a new job of the name of a deleted one has versions %v", got)
	}
}

func TestCatalogOfStatementsThatAreBeingWritten(t *testing.T) {
	client, _, _ := service(t, kafkatest.Start(t))
	res, err := client.GetCatalog(t.Context(), &jobv1.GetCatalogRequest{Sql: `
		CREATE TABLE a (x INT, ts TIMESTAMP_LTZ(3)) WITH ('connector' = 'kafka', 'topic' = 'unfinished');
		CREATE TABLE broken (x INT,;
		CREATE VIEW v AS SELECT x + 1 AS y FROM a;
		EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO a SELECT 2; END;
		CREATE FUNCTION twice (n INT) RETURNS INT RETURN n * 2;
		SELECT y FROM v WHERE y = 'not clo`})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range res.GetTables() {
		for _, c := range table.GetColumns() {
			names = append(names, table.GetName()+"."+c.GetName()+" "+c.GetType())
		}
	}
	slices.Sort(names)
	if want := []string{"a.ts TIMESTAMP_LTZ(3)", "a.x INT", "v.y INT"}; !slices.Equal(names, want) {
		t.Errorf("columns %q, want %q", names, want)
	}
	kinds := map[string]string{}
	for _, f := range res.GetFunctions() {
		kinds[f.GetName()] = f.GetKind()
		if f.GetName() == "twice" && !f.GetUserDefined() {
			t.Error("the user's function is not told apart")
		}
	}
	for name, want := range map[string]string{"UPPER": "scalar", "COUNT": "aggregate", "ROW_NUMBER": "window", "twice": "scalar"} {
		if kinds[name] != want {
			t.Errorf("%s is %q, want %q", name, kinds[name], want)
		}
	}
	if !slices.Contains(res.GetKeywords(), "SELECT") {
		t.Error("no keywords")
	}
	for _, c := range res.GetConnectors() {
		if c.GetName() == "kafka" && !slices.Contains(c.GetOptions(), "scan.startup.mode") {
			t.Errorf("options of kafka: %q", c.GetOptions())
		}
	}
}

func TestStatementsAreTested(t *testing.T) {
	client, _, _ := service(t, kafkatest.Start(t))
	const sql = `CREATE TABLE a (x INT) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'nowhere:1', 'format' = 'json');
		CREATE TABLE b (y INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT x * 2 FROM a WHERE x > 1`
	res, err := client.TestJob(t.Context(), &jobv1.TestJobRequest{Sql: sql, Tests: `
tests:
- name: doubles
  steps: [{into: a, rows: [{x: 1}, {x: 3}]}]
  expect: {b: [{y: 6}]}
- name: wrong
  steps: [{into: a, rows: [{x: 4}]}]
  expect: {b: [{y: 9}]}
`})
	if err != nil {
		t.Fatal(err)
	}
	got := res.GetResults()
	if len(got) != 2 || !got[0].GetPassed() || got[0].GetDifference() != "" || got[1].GetPassed() || !strings.Contains(got[1].GetDifference(), "- 9") || !strings.Contains(got[1].GetDifference(), "+ 8") {
		t.Errorf("results %v", got)
	}
	for what, tests := range map[string]string{
		"a file of the server": "job: /etc/passwd\ntests: [{name: a, expect: {b: []}}]",
		"no tests":             "tests: []",
		"not YAML":             "tests: [",
	} {
		if _, err := client.TestJob(t.Context(), &jobv1.TestJobRequest{Sql: sql, Tests: tests}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", what, err)
		}
	}
	res, err = client.TestJob(t.Context(), &jobv1.TestJobRequest{Sql: "SELEC 1", Tests: "tests: [{name: a, expect: {b: []}}]"})
	if err != nil || res.GetResults()[0].GetPassed() {
		t.Errorf("broken statements: %v, %v", res, err)
	}
}

func TestStatusSaysWhereAJobWrites(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	client, _, _ := service(t, cfg)
	produce(t, cfg, "in", 0, 25)
	sql := source(cfg, "") + `CREATE TABLE o (m STRING) WITH ('connector'='kafka','topic'='out','format'='json','properties.bootstrap.servers'='` + cfg.Brokers[0] + `');
		CREATE TABLE nothing (m STRING) WITH ('connector'='blackhole');
		EXECUTE STATEMENT SET BEGIN INSERT INTO o SELECT message FROM src; INSERT INTO nothing SELECT message FROM src WHERE message = 'line 7'; END;`
	if _, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "both", Sql: sql, Start: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both sinks to have their rows", func() bool {
		res, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "both"})
		if err != nil {
			return false
		}
		got := res.GetJob().GetStatus().GetOutputs()
		return len(got) == 2 && got[0].GetTable() == "o" && got[0].GetConnector() == "kafka" && got[0].GetTarget() == "out" && got[0].GetRecords() == 25 &&
			got[1].GetTable() == "nothing" && got[1].GetTarget() == "" && got[1].GetRecords() == 1
	})
}

package transform_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// TestPlanHasTheOperatorsOfTheStatus makes sure that who draws a plan can put the
// figures of a running job to its nodes.
func TestPlanHasTheOperatorsOfTheStatus(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "a", "b")
	client, _, _ := service(t, cfg)
	sql := source(cfg, "") + fmt.Sprintf("CREATE TABLE a (m STRING, n BIGINT, PRIMARY KEY (m) NOT ENFORCED) WITH ('connector'='upsert-kafka','topic'='a',"+
		"'properties.bootstrap.servers'='%s','key.format'='json','value.format'='json');\n", strings.Join(cfg.Brokers, ",")) + sinkTo(cfg, "b", "b", "m STRING")
	sql += "INSERT INTO a SELECT message, COUNT(*) FROM src GROUP BY message;\n" +
		"INSERT INTO b SELECT l.message FROM src AS l JOIN src AS r ON l.message = r.message;"
	res, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: sql})
	if err != nil || !res.GetValid() {
		t.Fatal(res, err)
	}
	type node struct {
		ID           string
		Contents     string
		Predecessors []struct{ ID string }
	}
	var doc struct{ Nodes []node }
	if err := json.Unmarshal([]byte(res.GetPlanJson()), &doc); err != nil {
		t.Fatal(err)
	}
	var planned []string
	for _, n := range doc.Nodes {
		for _, p := range n.Predecessors {
			if !slices.ContainsFunc(doc.Nodes, func(m node) bool { return m.ID == p.ID }) {
				t.Errorf("%s reads %q, which is no node", n.Contents, p.ID)
			}
		}
		planned = append(planned, n.ID)
	}
	if !strings.Contains(res.GetPlanJson(), "Sink(table=[default_catalog.default_database.b]") {
		t.Errorf("the plan does not name its sinks: %s", res.GetPlanJson())
	}
	create(t, client, "planned", sql)
	var running []string
	eventually(t, "the operators", func() bool {
		got, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "planned"})
		if err != nil {
			t.Fatal(err)
		}
		running = nil
		for _, o := range got.GetJob().GetStatus().GetOperators() {
			running = append(running, o.GetId())
		}
		return len(running) > 0
	})
	slices.Sort(planned)
	slices.Sort(running)
	if !slices.Equal(planned, running) {
		t.Errorf("planned %v, running %v", planned, running)
	}
}

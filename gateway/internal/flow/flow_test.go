package flow

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	flowv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

func look() *Look {
	return &Look{
		Agents: []*agentv1.Agent{{Id: "1", Name: "web-1", State: agentv1.AgentState_AGENT_STATE_ONLINE}},
		Topics: []*topicv1.Topic{{Name: "app", Partitions: []*topicv1.Partition{{Low: 5, High: 105}, {Low: 0, High: 10}}}, {Name: "weirflow.jobs"}},
		Jobs: []*jobv1.Job{{Name: "errors", Status: &jobv1.JobStatus{State: jobv1.JobState_JOB_STATE_RUNNING,
			Sources: []*jobv1.SourcePosition{{Topic: "app", Offset: 90, Lag: 15, LagMillis: 12_000}, {Topic: "app", Partition: 1, Offset: 10}},
			Outputs: []*jobv1.Output{{Table: "es", Connector: "elasticsearch-7", Target: "errors", Records: 40}, {Table: "k", Connector: "kafka", Target: "next", Records: 7}, {Table: "a", Connector: "alert", Records: 2}}}},
			{Name: "broken", Status: &jobv1.JobStatus{State: jobv1.JobState_JOB_STATE_FAILED, Error: "no such field"}}},
		Stages:  []*ledgerv1.Stage{{Service: "ingest", Name: "app", In: 110, Out: 109, InFlight: 1}, {Service: "indexer", Name: "errors/es", Out: 39, DeadLettered: 1}},
		Indices: []*searchv1.Index{{Name: "errors", Health: "green", Documents: 39}},
		Alerts:  []*alertv1.ActiveAlert{{State: alertv1.AlertState_ALERT_STATE_ACTIVE}, {State: alertv1.AlertState_ALERT_STATE_ACKNOWLEDGED}},
	}
}

func TestPicture(t *testing.T) {
	f := draw(look())
	nodes := map[string]*flowv1.Node{}
	for _, n := range f.GetNodes() {
		nodes[n.GetId()] = n
	}
	totals := map[string]uint64{}
	for _, e := range f.GetEdges() {
		totals[e.GetFrom()+" > "+e.GetTo()] = e.GetTotal()
		if nodes[e.GetFrom()] == nil || nodes[e.GetTo()] == nil {
			t.Errorf("the edge %v leads nowhere", e)
		}
	}
	for edge, want := range map[string]uint64{"agent/web-1 > topic/app": 109, "topic/app > job/errors": 100, "job/errors > index/errors": 39, "job/errors > topic/next": 7, "job/errors > alerts": 2} {
		if totals[edge] != want {
			t.Errorf("%s: %d, want %d", edge, totals[edge], want)
		}
	}
	if len(totals) != 5 {
		t.Errorf("edges %v", totals)
	}
	if n := nodes["topic/app"]; n.GetSize() != 110 {
		t.Errorf("the topic is %v", n)
	}
	if n := nodes["job/errors"]; n.GetHealth() != flowv1.Health_HEALTH_LATE || n.GetLag() != 15 || n.GetLagMillis() != 12_000 {
		t.Errorf("the late job is %v", n)
	}
	if n := nodes["job/broken"]; n.GetHealth() != flowv1.Health_HEALTH_FAILED || n.GetReason() != "no such field" {
		t.Errorf("the broken job is %v", n)
	}
	if n := nodes["index/errors"]; n.GetSize() != 39 || n.GetDeadLettered() != 1 {
		t.Errorf("the index is %v", n)
	}
	if n := nodes["alerts"]; n.GetSize() != 2 || n.GetReason() != "1 wait for somebody" {
		t.Errorf("the alerts are %v", n)
	}
	if nodes["topic/weirflow.jobs"] != nil {
		t.Error("Weirflow's own topics are drawn")
	}
}

func TestSeveralAgentsAreOneNode(t *testing.T) {
	l := look()
	l.Agents = append(l.Agents, &agentv1.Agent{Id: "2", Name: "web-2", State: agentv1.AgentState_AGENT_STATE_SILENT}, &agentv1.Agent{Id: "3", Name: "web-3", State: agentv1.AgentState_AGENT_STATE_STOPPED})
	for _, n := range draw(l).GetNodes() {
		if n.GetKind() == flowv1.NodeKind_NODE_KIND_AGENT && (n.GetName() != "3 agents" || n.GetHealth() != flowv1.Health_HEALTH_FAILED || n.GetReason() != "web-2 does not report") {
			t.Errorf("the agents are %v", n)
		}
	}
}

func TestRates(t *testing.T) {
	r := rates{window: 10 * time.Second}
	at := time.Unix(1000, 0)
	var got []float64
	for i, total := range []uint64{0, 100, 200, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 5, 15} {
		f := &flowv1.Flow{Edges: []*flowv1.Edge{{From: "a", To: "b", Total: total}}}
		r.put(at.Add(time.Duration(i)*time.Second), f)
		got = append(got, f.GetEdges()[0].GetRate())
	}
	if got[0] != 0 || got[1] != 100 || got[3] != 100 || got[10] != 30 || got[13] != 0 || got[15] != 10 {
		t.Errorf("rates %v", got)
	}
	if len(r.past) > 12 {
		t.Errorf("%d moments are kept", len(r.past))
	}
}

// stream takes what is sent.
type stream struct {
	grpc.ServerStream
	ctx  context.Context //nolint:containedctx // a stream has one
	mu   sync.Mutex
	seen int
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) Send(*flowv1.WatchFlowResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	return nil
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func TestWatchersShareOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		s := New(func(context.Context) *Look { looks.Add(1); return look() }, time.Now)
		ctx, cancel := context.WithCancel(context.Background())
		var watching sync.WaitGroup
		var all []*stream
		for range 50 {
			st := &stream{ctx: ctx}
			all = append(all, st)
			watching.Go(func() { _ = s.WatchFlow(&flowv1.WatchFlowRequest{}, st) })
		}
		time.Sleep(5*time.Second + 100*time.Millisecond)
		for _, st := range all {
			if n := st.count(); n < 5 || n > 7 {
				t.Errorf("a watcher saw %d pictures in five seconds", n)
			}
		}
		if n := looks.Load(); n > 7 {
			t.Errorf("the services were asked %d times in five seconds", n)
		}
		cancel()
		watching.Wait()
		time.Sleep(3 * time.Second)
		before := looks.Load()
		time.Sleep(5 * time.Second)
		if looks.Load() != before {
			t.Error("the services are asked though nobody watches")
		}
	})
}

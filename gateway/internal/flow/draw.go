package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	flowv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

// Look is what the services say at one moment. What did not answer is in Unreachable.
type Look struct {
	Agents      []*agentv1.Agent
	Topics      []*topicv1.Topic
	Jobs        []*jobv1.Job
	Stages      []*ledgerv1.Stage
	Indices     []*searchv1.Index
	Alerts      []*alertv1.ActiveAlert
	Unreachable map[string]string
}

// lateAfter is how far behind, in milliseconds, somebody is late.
const lateAfter = 10_000

// picture collects nodes and edges.
type picture struct {
	nodes map[string]*flowv1.Node
	edges map[[2]string]*flowv1.Edge

	topics map[string]*topicv1.Topic
}

// draw makes the picture, without rates and time.
func draw(l *Look) *flowv1.Flow {
	p := &picture{nodes: map[string]*flowv1.Node{}, edges: map[[2]string]*flowv1.Edge{}, topics: map[string]*topicv1.Topic{}}
	for _, t := range l.Topics {
		p.topics[t.GetName()] = t
		if !strings.HasPrefix(t.GetName(), "weirflow.") && !t.GetInternal() {
			p.topic(t.GetName())
		}
	}
	p.agents(l.Agents, l.Stages)
	for _, j := range l.Jobs {
		p.job(j, l)
	}
	p.alerts(l.Alerts)
	f := &flowv1.Flow{Ledger: l.Stages, Unreachable: l.Unreachable}
	for _, n := range p.nodes {
		f.Nodes = append(f.Nodes, n)
	}
	slices.SortFunc(f.Nodes, func(a, b *flowv1.Node) int {
		return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), strings.Compare(a.GetName(), b.GetName()))
	})
	for _, e := range p.edges {
		f.Edges = append(f.Edges, e)
	}
	slices.SortFunc(f.Edges, func(a, b *flowv1.Edge) int {
		return cmp.Or(strings.Compare(a.GetFrom(), b.GetFrom()), strings.Compare(a.GetTo(), b.GetTo()))
	})
	return f
}

// node returns the node of an id, made if it is not there.
func (p *picture) node(kind flowv1.NodeKind, id, name string) *flowv1.Node {
	if n := p.nodes[id]; n != nil {
		return n
	}
	n := &flowv1.Node{Id: id, Kind: kind, Name: name, Health: flowv1.Health_HEALTH_OK}
	p.nodes[id] = n
	return n
}

func (p *picture) edge(from, to *flowv1.Node, total uint64) {
	key := [2]string{from.GetId(), to.GetId()}
	if p.edges[key] == nil {
		p.edges[key] = &flowv1.Edge{From: from.GetId(), To: to.GetId()}
	}
	p.edges[key].Total += total
}

func (p *picture) topic(name string) *flowv1.Node {
	n := p.node(flowv1.NodeKind_NODE_KIND_TOPIC, "topic/"+name, name)
	if t := p.topics[name]; t != nil && n.Size == nil {
		var size int64
		for _, x := range t.GetPartitions() {
			size += x.GetHigh() - x.GetLow()
		}
		n.Size = &size
	}
	return n
}

// agents draws where events come from. Ingest knows how many of them go to which
// topic, not whose they are: several agents are one node.
func (p *picture) agents(all []*agentv1.Agent, stages []*ledgerv1.Stage) {
	id, name := "agent/*", fmt.Sprintf("%d agents", len(all))
	switch len(all) {
	case 0:
		name = "clients"
	case 1:
		id, name = "agent/"+all[0].GetName(), all[0].GetName()
	}
	from := func() *flowv1.Node { return p.node(flowv1.NodeKind_NODE_KIND_AGENT, id, name) }
	for _, a := range all {
		n := from()
		switch {
		case a.GetState() == agentv1.AgentState_AGENT_STATE_SILENT:
			n.Health, n.State, n.Reason = flowv1.Health_HEALTH_FAILED, "SILENT", a.GetName()+" does not report"
		case n.GetHealth() == flowv1.Health_HEALTH_FAILED:
		case a.GetState() == agentv1.AgentState_AGENT_STATE_STOPPED:
			n.Health, n.State, n.Reason = flowv1.Health_HEALTH_IDLE, "STOPPED", a.GetName()+" has stopped"
		case n.GetState() == "":
			n.State = "ONLINE"
		}
	}
	for _, s := range stages {
		if s.GetService() == "ingest" {
			n := from()
			p.edge(n, p.topic(s.GetName()), s.GetOut())
			n.DeadLettered += s.GetDeadLettered()
		}
	}
}

// job draws a job with what it reads and writes.
func (p *picture) job(j *jobv1.Job, l *Look) {
	st := j.GetStatus()
	n := p.node(flowv1.NodeKind_NODE_KIND_JOB, "job/"+j.GetName(), j.GetName())
	n.State = strings.TrimPrefix(st.GetState().String(), "JOB_STATE_")
	n.DeadLettered = st.GetLedger().GetDeadLettered()
	read := map[string]uint64{}
	if len(st.GetSources()) > 0 {
		var lag, millis int64
		for _, s := range st.GetSources() {
			lag, millis = lag+s.GetLag(), max(millis, s.GetLagMillis())
			read[s.GetTopic()] += uint64(max(0, s.GetOffset()))
		}
		n.Lag, n.LagMillis = &lag, &millis
	}
	for topic, total := range read {
		p.edge(p.topic(topic), n, total)
	}
	n.Health, n.Reason = health(st)
	for _, o := range st.GetOutputs() {
		p.output(n, j.GetName(), o, l)
	}
}

func health(st *jobv1.JobStatus) (flowv1.Health, string) {
	var millis int64
	for _, s := range st.GetSources() {
		millis = max(millis, s.GetLagMillis())
	}
	switch {
	case st.GetState() == jobv1.JobState_JOB_STATE_FAILED, st.GetState() == jobv1.JobState_JOB_STATE_RESTARTING, st.GetError() != "":
		return flowv1.Health_HEALTH_FAILED, st.GetError()
	case st.GetState() != jobv1.JobState_JOB_STATE_RUNNING:
		return flowv1.Health_HEALTH_IDLE, ""
	case millis > lateAfter:
		return flowv1.Health_HEALTH_LATE, fmt.Sprintf("%d s behind", millis/1000)
	default:
		return flowv1.Health_HEALTH_OK, ""
	}
}

// output draws where a job writes. Documents are written by the indexer, which has an
// account of its own for each table.
func (p *picture) output(from *flowv1.Node, job string, o *jobv1.Output, l *Look) {
	switch kind := o.GetConnector(); {
	case strings.HasPrefix(kind, "elasticsearch"):
		n := p.node(flowv1.NodeKind_NODE_KIND_INDEX, "index/"+o.GetTarget(), o.GetTarget())
		written := o.GetRecords()
		for _, s := range l.Stages {
			if s.GetService() == "indexer" && s.GetName() == job+"/"+o.GetTable() {
				written = s.GetOut()
				n.DeadLettered += s.GetDeadLettered()
			}
		}
		for _, x := range l.Indices {
			if x.GetName() == o.GetTarget() {
				n.State = x.GetHealth()
				size := x.GetDocuments()
				n.Size = &size
				if x.GetHealth() == "red" {
					n.Health, n.Reason = flowv1.Health_HEALTH_FAILED, "the index is red"
				}
			}
		}
		p.edge(from, n, written)
	case kind == "kafka" || kind == "upsert-kafka":
		p.edge(from, p.topic(o.GetTarget()), o.GetRecords())
	case kind == "alert":
		p.edge(from, p.node(flowv1.NodeKind_NODE_KIND_ALERTS, "alerts", "alerts"), o.GetRecords())
	}
}

// alerts draws the end of the way.
func (p *picture) alerts(all []*alertv1.ActiveAlert) {
	n := p.node(flowv1.NodeKind_NODE_KIND_ALERTS, "alerts", "alerts")
	size, open := int64(len(all)), 0
	for _, a := range all {
		if a.GetState() == alertv1.AlertState_ALERT_STATE_ACTIVE {
			open++
		}
	}
	n.Size = &size
	if open > 0 {
		n.Health, n.Reason = flowv1.Health_HEALTH_LATE, fmt.Sprintf("%d wait for somebody", open)
	} else if size == 0 {
		n.Health = flowv1.Health_HEALTH_IDLE
	}
}

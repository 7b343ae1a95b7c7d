package access

import (
	"maps"
	"slices"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// rule says who may make a call.
type rule struct {
	// role is the least that is needed; unspecified: nobody need be logged in.
	role accessv1.Role
	// area is the scope that a token needs; empty: any token may.
	area string
	// audited calls are written down: they change something.
	audited bool
}

// SearchPassthrough stands for the paths that lead to the search store, which are no
// call of gRPC.
const SearchPassthrough = "/api/v1/search/" //nolint:gosec // it is no secret

const (
	viewer   = accessv1.Role_ROLE_VIEWER
	operator = accessv1.Role_ROLE_OPERATOR
	admin    = accessv1.Role_ROLE_ADMIN
	anybody  = accessv1.Role_ROLE_UNSPECIFIED
)

// area is one service in the table: viewers may make the calls that read.
type area struct {
	service, name string
	reads, writes []string
	// least is the role that writing needs.
	least accessv1.Role
}

// rules is the whole of who may do what: a call that is not in it is refused.
func rules() map[string]rule {
	out := map[string]rule{SearchPassthrough: {role: viewer, area: "search"}}
	for _, a := range slices.Concat(dataAreas(), alertAreas(), accessAreas()) {
		for _, m := range a.reads {
			out["/weirflow."+a.service+"/"+m] = rule{role: viewer, area: a.name}
		}
		for _, m := range a.writes {
			out["/weirflow."+a.service+"/"+m] = rule{role: a.least, area: a.name, audited: true}
		}
	}
	// Statements of viewers run, but only such as read; they are written down.
	out["/weirflow.job.v1.JobService/Preview"] = rule{role: viewer, area: "jobs", audited: true}
	// Events are data, not changes: the ledger accounts for them.
	out["/weirflow.ingest.v1.IngestService/PushBatch"] = rule{role: operator, area: "events"}
	out["/weirflow.ingest.v1.IngestService/Push"] = rule{role: operator, area: "events"}
	out["/weirflow.access.v1.UserService/ListUsers"] = rule{role: admin, area: "users"}
	out["/weirflow.access.v1.AuditService/ListAuditEntries"] = rule{role: admin, area: "audit"}
	out["/weirflow.access.v1.SessionService/GetSession"] = rule{role: anybody}
	out["/weirflow.access.v1.SessionService/CreateSession"] = rule{role: anybody, audited: true}
	out["/weirflow.access.v1.SessionService/DeleteSession"] = rule{role: anybody, audited: true}
	return out
}

func dataAreas() []area {
	type list = []string
	return []area{
		{"agent.v1.AgentService", "agents", list{"ListAgents", "GetAgent"}, nil, operator},
		{"topic.v1.TopicService", "topics", list{"ListTopics", "GetTopic"}, list{"CreateTopic", "DeleteTopic"}, operator},
		{"topic.v1.MessageService", "messages", list{"ListMessages", "FollowMessages"}, nil, operator},
		{
			"job.v1.JobService", "jobs", list{"ListJobs", "GetJob", "ValidateJob", "GetCatalog", "TestJob", "ListJobVersions", "ListSavepoints"},
			list{"CreateJob", "StartJob", "StopJob", "DeleteJob", "CreateSavepoint", "DeleteSavepoint"}, operator,
		},
		{"deadletter.v1.DeadLetterService", "deadletters", list{"ListDeadLetters", "GetDeadLetter", "CountDeadLetters"}, list{"ReplayDeadLetters", "DiscardDeadLetters"}, operator},
		{"metric.v1.MetricService", "metrics", list{"Query", "QueryRange", "ListMetrics", "ListLabelValues"}, nil, operator},
		{"search.v1.SearchService", "search", list{"ListIndices", "GetFields", "Search"}, nil, operator},
		{"dashboard.v1.DashboardService", "dashboards", list{"ListDashboards", "GetDashboard", "ExportDashboard"}, list{"PutDashboard", "DeleteDashboard"}, operator},
		{"flow.v1.FlowService", "status", list{"GetFlow", "WatchFlow"}, nil, operator},
		{"ledger.v1.LedgerService", "status", list{"GetLedger"}, nil, operator},
		{"status.v1.StatusService", "status", list{"GetStatus"}, nil, operator},
	}
}

func alertAreas() []area {
	type list = []string
	return []area{
		{"alert.v1.AlertService", "alerts", list{"ListAlerts", "ListDeliveries"}, list{"AcknowledgeAlert", "AssignAlert", "CommentAlert"}, operator},
		{"alert.v1.PolicyService", "alerts", list{"ListPolicies", "GetPolicy", "TestPolicy"}, list{"PutPolicy", "DeletePolicy"}, operator},
		{"alert.v1.SilenceService", "alerts", list{"ListSilences"}, list{"CreateSilence", "ExpireSilence"}, operator},
		{
			"alert.v1.OnCallService", "alerts", list{"ListPeople", "GetPerson", "ListRotas", "GetRota", "GetOnCall", "ListShifts"},
			list{"PutPerson", "DeletePerson", "PutRota", "DeleteRota", "AddOverride", "DeleteOverride"}, operator,
		},
		{
			"alert.v1.TemplateService", "alerts", list{"ListTemplates", "GetTemplate", "PreviewTemplate", "ListReceivers"},
			list{"PutTemplate", "DeleteTemplate", "TestReceiver"}, operator,
		},
	}
}

func accessAreas() []area {
	type list = []string
	return []area{
		{"access.v1.UserService", "users", nil, list{"CreateUser", "UpdateUser", "DeleteUser"}, admin},
		{"access.v1.TokenService", "tokens", list{"ListTokens"}, list{"CreateToken", "DeleteToken"}, viewer}, // each has his own
		{"access.v1.SessionService", "", nil, list{"ChangePassword"}, viewer},
	}
}

// areas are the scopes that a token may have, sorted.
func areas(table map[string]rule) []string {
	set := map[string]bool{}
	for _, r := range table {
		if r.area != "" {
			set[r.area] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

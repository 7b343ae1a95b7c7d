package api

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"

	"github.com/weirflow/weirflow/services/transform/internal/job"
	"github.com/weirflow/weirflow/services/transform/internal/peer"
)

// Rules says which of several instances answers a call. What is not named here is
// answered by the one that is asked.
func Rules(m *job.Manager) map[string]peer.Rule {
	byName := peer.Rule{Job: func(req proto.Message) string { return req.(interface{ GetName() string }).GetName() }}
	byJob := peer.Rule{Job: func(req proto.Message) string { return req.(interface{ GetJob() string }).GetJob() }}
	get := byName
	get.Last = func(req proto.Message, why error) (proto.Message, error) {
		j, err := m.Get(req.(*jobv1.GetJobRequest).GetName())
		if err != nil {
			return nil, problem(err)
		}
		return &jobv1.GetJobResponse{Job: shown(unsure(j, status.Convert(why).Message()))}, nil
	}
	return map[string]peer.Rule{
		jobv1.JobService_CreateJob_FullMethodName:                        byName,
		jobv1.JobService_StartJob_FullMethodName:                         byName,
		jobv1.JobService_StopJob_FullMethodName:                          byName,
		jobv1.JobService_DeleteJob_FullMethodName:                        byName,
		jobv1.JobService_GetJob_FullMethodName:                           get,
		jobv1.JobService_CreateSavepoint_FullMethodName:                  byJob,
		jobv1.JobService_DeleteSavepoint_FullMethodName:                  byJob,
		jobv1.JobService_ListJobs_FullMethodName:                         {Merge: mergeJobs},
		deadletterv1.DeadLetterService_ReplayDeadLetters_FullMethodName:  byJob,
		deadletterv1.DeadLetterService_DiscardDeadLetters_FullMethodName: byJob,
		ledgerv1.LedgerService_GetLedger_FullMethodName:                  {Merge: mergeLedgers},
		statusv1.StatusService_GetStatus_FullMethodName:                  {Merge: mergeStatuses},
	}
}

// unsure is a job of which only the record is known.
func unsure(j *jobv1.Job, why string) *jobv1.Job {
	if !j.GetRunning() {
		return j
	}
	c, _ := proto.Clone(j).(*jobv1.Job)
	if c.Status == nil {
		c.Status = &jobv1.JobStatus{}
	}
	if c.GetStatus().GetState() != jobv1.JobState_JOB_STATE_RESTARTING {
		c.Status.State, c.Status.ChangedAt = jobv1.JobState_JOB_STATE_RESTARTING, timestamppb.Now()
	}
	c.Status.Error = "not known to run: " + why
	return c
}

// mergeJobs takes from another instance what it says of its jobs.
func mergeJobs(into, other proto.Message, from peer.Instance, failed error) {
	list, _ := into.(*jobv1.ListJobsResponse)
	theirs := make(map[string]*jobv1.Job)
	if res, ok := other.(*jobv1.ListJobsResponse); ok && failed == nil {
		for _, j := range res.GetJobs() {
			theirs[j.GetName()] = j
		}
	}
	for i, j := range list.GetJobs() {
		switch {
		case !from.Has(job.Slot(j.GetName())):
		case failed != nil:
			list.Jobs[i] = unsure(j, fmt.Sprintf("instance %q: %s", from.Name, status.Convert(failed).Message()))
		case theirs[j.GetName()] != nil:
			list.Jobs[i] = theirs[j.GetName()]
		}
	}
}

func mergeLedgers(into, other proto.Message, from peer.Instance, failed error) {
	sum, _ := into.(*ledgerv1.GetLedgerResponse)
	if res, ok := other.(*ledgerv1.GetLedgerResponse); ok && failed == nil {
		sum.Stages = append(sum.Stages, res.GetStages()...)
		return
	}
	if sum.Unreachable == nil {
		sum.Unreachable = make(map[string]string)
	}
	sum.Unreachable[named(from)] = reason(failed)
}

func mergeStatuses(into, other proto.Message, from peer.Instance, failed error) {
	all, _ := into.(*statusv1.GetStatusResponse)
	if res, ok := other.(*statusv1.GetStatusResponse); ok && failed == nil {
		all.Services = append(all.Services, res.GetServices()...)
		return
	}
	all.Services = append(all.Services, &statusv1.ServiceStatus{Service: "transform", Instance: from.Name,
		Parts: []*statusv1.Part{{Name: "gRPC", Reason: reason(failed)}}})
}

func named(x peer.Instance) string {
	if x.Name == "" {
		return "transform (other instances)"
	}
	return "transform " + x.Name
}

func reason(err error) string {
	st := status.Convert(err)
	if st.Code() == codes.Unknown {
		return err.Error()
	}
	return st.Message()
}

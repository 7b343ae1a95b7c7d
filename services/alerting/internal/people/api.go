package people

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/history"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// Server answers AlertService.
type Server struct {
	alertv1.UnimplementedAlertServiceServer
	People  *People
	Engine  *notify.Engine
	History *history.History
}

// ListAlerts returns the alerts that go on.
func (s Server) ListAlerts(ctx context.Context, req *alertv1.ListAlertsRequest) (*alertv1.ListAlertsResponse, error) {
	list, err := s.Engine.Active(ctx)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	res := &alertv1.ListAlertsResponse{}
	want := strings.ToLower(req.GetText())
	for _, a := range list {
		x := s.shown(a)
		if (req.GetState() == 0 || x.GetState() == req.GetState()) && mentions(x, want) {
			res.Alerts = append(res.Alerts, x)
		}
	}
	slices.SortStableFunc(res.Alerts, func(x, y *alertv1.ActiveAlert) int { return x.GetStartsAt().AsTime().Compare(y.GetStartsAt().AsTime()) })
	return res, nil
}

func (s Server) shown(a notify.Active) *alertv1.ActiveAlert {
	x := &alertv1.ActiveAlert{Fingerprint: a.Alert.Fingerprint().String(), Labels: notify.Plain(a.Alert.Labels), Annotations: notify.Plain(a.Alert.Annotations),
		StartsAt: timestamppb.New(a.Alert.StartsAt), EndsAt: timestamppb.New(a.Alert.EndsAt), GeneratorUrl: a.Alert.GeneratorURL, Receivers: a.Receivers,
		Handling: s.People.Handling(a.Alert), State: alertv1.AlertState_ALERT_STATE_ACTIVE}
	switch {
	case a.Suppressed:
		x.State = alertv1.AlertState_ALERT_STATE_SUPPRESSED
	case x.GetHandling().GetAcknowledgedAt() != nil:
		x.State = alertv1.AlertState_ALERT_STATE_ACKNOWLEDGED
	}
	return x
}

func mentions(a *alertv1.ActiveAlert, want string) bool {
	if want == "" {
		return true
	}
	for _, m := range []map[string]string{a.GetLabels(), a.GetAnnotations()} {
		for _, v := range m {
			if strings.Contains(strings.ToLower(v), want) {
				return true
			}
		}
	}
	return false
}

// find returns the alert that a call names.
func (s Server) find(fingerprint string) (*alert.Alert, error) {
	select {
	case <-s.People.Ready():
	default:
		return nil, status.Error(codes.Unavailable, "what people did about alerts has not been read from Kafka yet")
	}
	fp, err := model.ParseFingerprint(fingerprint)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "%q is not the fingerprint of an alert; ListAlerts gives them", fingerprint)
	}
	a, err := s.Engine.Alerts().Get(fp)
	if err != nil || a.Resolved() { // the only error is that it is not there
		return nil, status.Errorf(codes.NotFound, "there is no alert %s now", fingerprint)
	}
	return a, nil
}

func answer(h *alertv1.Handling, err error) (*alertv1.Handling, error) {
	switch {
	case err == nil:
		return h, nil
	case errors.Is(err, ErrInput):
		return nil, status.Error(codes.InvalidArgument, err.Error())
	default:
		return nil, status.Error(codes.Unavailable, err.Error())
	}
}

// AcknowledgeAlert says that someone deals with an alert.
func (s Server) AcknowledgeAlert(ctx context.Context, req *alertv1.AcknowledgeAlertRequest) (*alertv1.AcknowledgeAlertResponse, error) {
	a, err := s.find(req.GetFingerprint())
	if err != nil {
		return nil, err
	}
	h, err := answer(s.People.Acknowledge(ctx, a, req.GetBy(), req.GetComment(), req.GetUndo()))
	return &alertv1.AcknowledgeAlertResponse{Handling: h}, err
}

// AssignAlert says whose an alert is.
func (s Server) AssignAlert(ctx context.Context, req *alertv1.AssignAlertRequest) (*alertv1.AssignAlertResponse, error) {
	a, err := s.find(req.GetFingerprint())
	if err != nil {
		return nil, err
	}
	h, err := answer(s.People.Assign(ctx, a, req.GetAssignee()))
	return &alertv1.AssignAlertResponse{Handling: h}, err
}

// CommentAlert adds a comment.
func (s Server) CommentAlert(ctx context.Context, req *alertv1.CommentAlertRequest) (*alertv1.CommentAlertResponse, error) {
	a, err := s.find(req.GetFingerprint())
	if err != nil {
		return nil, err
	}
	h, err := answer(s.People.Comment(ctx, a, req.GetBy(), req.GetText()))
	return &alertv1.CommentAlertResponse{Handling: h}, err
}

// ListDeliveries returns what was sent.
func (s Server) ListDeliveries(_ context.Context, req *alertv1.ListDeliveriesRequest) (*alertv1.ListDeliveriesResponse, error) {
	q := history.Query{Text: req.GetText(), Failed: req.GetFailed(), Token: req.GetPageToken(), Size: int(req.GetPageSize())}
	if q.Size <= 0 {
		q.Size = defaultPage
	}
	q.Size = min(q.Size, maxPage)
	if req.GetSince() != nil {
		q.Since = req.GetSince().AsTime()
	}
	list, next, err := s.History.Find(q)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &alertv1.ListDeliveriesResponse{Deliveries: list, NextPageToken: next}, nil
}

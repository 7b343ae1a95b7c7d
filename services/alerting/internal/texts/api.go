package texts

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
)

// Server answers TemplateService.
type Server struct {
	alertv1.UnimplementedTemplateServiceServer
	Book   *Book
	Engine *notify.Engine
	Logger *slog.Logger
	Now    func() time.Time
}

func (s Server) ready() error {
	select {
	case <-s.Book.Known():
		return nil
	default:
		return status.Error(codes.Unavailable, "the templates have not been read from Kafka yet")
	}
}

func problem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound), errors.Is(err, notify.ErrReceiver):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, ErrInput):
		return status.Error(codes.InvalidArgument, err.Error())
	default:
		return status.Error(codes.Unavailable, err.Error())
	}
}

// PutTemplate keeps a template.
func (s Server) PutTemplate(ctx context.Context, req *alertv1.PutTemplateRequest) (*alertv1.PutTemplateResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	t, err := s.Book.Put(ctx, req.GetTemplate(), s.Engine.CheckTemplate)
	if err != nil {
		return nil, problem(err)
	}
	return &alertv1.PutTemplateResponse{Template: t}, nil
}

// GetTemplate returns a template.
func (s Server) GetTemplate(_ context.Context, req *alertv1.GetTemplateRequest) (*alertv1.GetTemplateResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	t, err := s.Book.Get(req.GetId())
	if err != nil {
		return nil, problem(err)
	}
	return &alertv1.GetTemplateResponse{Template: t}, nil
}

// ListTemplates returns all.
func (s Server) ListTemplates(context.Context, *alertv1.ListTemplatesRequest) (*alertv1.ListTemplatesResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return &alertv1.ListTemplatesResponse{Templates: s.Book.List()}, nil
}

// DeleteTemplate forgets a template.
func (s Server) DeleteTemplate(ctx context.Context, req *alertv1.DeleteTemplateRequest) (*alertv1.DeleteTemplateResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	if err := s.Book.Delete(ctx, req.GetId()); err != nil {
		return nil, problem(err)
	}
	return &alertv1.DeleteTemplateResponse{}, nil
}

// alert is the one that a call names, or a sample.
func (s Server) alert(fingerprint, language string) (*alert.Alert, error) {
	if fingerprint == "" {
		return sample(s.Now(), language), nil
	}
	a, err := s.Engine.Find(fingerprint)
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return a, nil
}

// PreviewTemplate renders a template.
func (s Server) PreviewTemplate(ctx context.Context, req *alertv1.PreviewTemplateRequest) (*alertv1.PreviewTemplateResponse, error) {
	if len(req.GetText()) > maxText {
		return nil, status.Errorf(codes.InvalidArgument, "a template has at most %d bytes", maxText)
	}
	a, err := s.alert(req.GetFingerprint(), req.GetLanguage())
	if err != nil {
		return nil, err
	}
	if req.GetResolved() {
		a = over(a, s.Now())
	}
	res, err := preview(ctx, s.Engine.Templates(), s.Logger, req, a)
	if err != nil {
		return nil, problem(err)
	}
	return res, nil
}

// ListReceivers returns the receivers of the configuration.
func (s Server) ListReceivers(context.Context, *alertv1.ListReceiversRequest) (*alertv1.ListReceiversResponse, error) {
	all, err := s.Engine.ReceiverList()
	if err != nil {
		return nil, problem(err)
	}
	res := &alertv1.ListReceiversResponse{}
	for _, r := range all {
		res.Receivers = append(res.Receivers, &alertv1.Receiver{Name: r.Name, Channels: r.Channels, Used: r.Used})
	}
	return res, nil
}

// TestReceiver sends a message, marked as a test.
func (s Server) TestReceiver(ctx context.Context, req *alertv1.TestReceiverRequest) (*alertv1.TestReceiverResponse, error) {
	found, err := s.alert(req.GetFingerprint(), "")
	if err != nil {
		return nil, err
	}
	a := *found
	a.Labels = found.Labels.Clone()
	a.Labels[notify.TestLabel] = "true"
	rounds := []*alert.Alert{&a}
	if req.GetResolved() {
		rounds = append(rounds, over(&a, s.Now()))
	}
	res := &alertv1.TestReceiverResponse{}
	for _, round := range rounds {
		outcomes, err := s.Engine.Test(ctx, req.GetReceiver(), req.GetChannel(), round)
		if err != nil {
			return nil, problem(err)
		}
		for _, o := range outcomes {
			r := &alertv1.TestResult{Channel: o.Channel, Took: durationpb.New(o.Took)}
			if o.Err != nil {
				r.Error = strings.ToValidUTF8(o.Err.Error(), "\uFFFD")
			}
			res.Results = append(res.Results, r)
		}
	}
	return res, nil
}

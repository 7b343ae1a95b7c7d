package dashboard

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

// Topic holds the dashboards that people made.
const Topic = "weirflow.dashboards"

// Book answers DashboardService.
type Book struct {
	dashboardv1.UnimplementedDashboardServiceServer
	shipped map[string]*dashboardv1.Dashboard
	own     *table.Table[*dashboardv1.Dashboard] // nil without a Kafka: there are the shipped ones
	who     func(context.Context) string
	now     func() time.Time
	change  sync.Mutex
}

// New prepares a book; without brokers it has the shipped dashboards only. who says
// who makes a request.
func New(cfg kafka.Config, log *slog.Logger, who func(context.Context) string, now func() time.Time) (*Book, error) {
	b := &Book{who: who, now: now}
	var err error
	if b.shipped, err = shippedOnes(); err != nil || len(cfg.Brokers) == 0 {
		return b, err
	}
	b.own, err = table.New(table.Config{Kafka: cfg, Topic: Topic, Logger: log}, func() *dashboardv1.Dashboard { return &dashboardv1.Dashboard{} })
	return b, err
}

// Run reads the dashboards until the context ends.
func (b *Book) Run(ctx context.Context) error {
	if b.own == nil {
		<-ctx.Done()
		return nil
	}
	return b.own.Run(ctx)
}

func (b *Book) ready() error {
	if b.own == nil {
		return status.Error(codes.FailedPrecondition, "dashboards can't be kept: the gateway knows no Kafka (kafka.brokers)")
	}
	select {
	case <-b.own.Ready():
		return nil
	default:
		return status.Error(codes.Unavailable, "the dashboards have not been read from Kafka yet")
	}
}

// ListDashboards returns the shipped ones and then those that people made, by title.
func (b *Book) ListDashboards(context.Context, *dashboardv1.ListDashboardsRequest) (*dashboardv1.ListDashboardsResponse, error) {
	all := slices.Collect(maps.Values(b.shipped))
	if b.own != nil {
		if err := b.ready(); err != nil {
			return nil, err
		}
		all = append(all, slices.Collect(maps.Values(b.own.All()))...)
	}
	slices.SortFunc(all, func(x, y *dashboardv1.Dashboard) int {
		if x.GetShipped() != y.GetShipped() {
			if x.GetShipped() {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(x.GetTitle())+x.GetName(), strings.ToLower(y.GetTitle())+y.GetName())
	})
	res := &dashboardv1.ListDashboardsResponse{}
	for _, d := range all {
		res.Dashboards = append(res.Dashboards, &dashboardv1.Dashboard{Name: d.GetName(), Title: d.GetTitle(), Description: d.GetDescription(), Range: d.GetRange(),
			Shipped: d.GetShipped(), Version: d.GetVersion(), UpdatedBy: d.GetUpdatedBy(), UpdatedAt: d.GetUpdatedAt()})
	}
	return res, nil
}

func (b *Book) find(name string) (*dashboardv1.Dashboard, error) {
	if d := b.shipped[name]; d != nil {
		return d, nil
	}
	if b.own != nil {
		if err := b.ready(); err != nil {
			return nil, err
		}
		if d, ok := b.own.Get(name); ok {
			return d, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "there is no dashboard %q", name)
}

// GetDashboard returns one with its panels.
func (b *Book) GetDashboard(_ context.Context, req *dashboardv1.GetDashboardRequest) (*dashboardv1.GetDashboardResponse, error) {
	d, err := b.find(req.GetName())
	return &dashboardv1.GetDashboardResponse{Dashboard: d}, err
}

// PutDashboard makes or replaces one.
func (b *Book) PutDashboard(ctx context.Context, req *dashboardv1.PutDashboardRequest) (*dashboardv1.PutDashboardResponse, error) {
	d, _ := proto.Clone(req.GetDashboard()).(*dashboardv1.Dashboard)
	if err := check(d); err != nil {
		return nil, err
	}
	if b.shipped[d.GetName()] != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "the dashboard %q comes with Weirflow and can't be changed: copy it under another name", d.GetName())
	}
	if err := b.ready(); err != nil {
		return nil, err
	}
	b.change.Lock()
	defer b.change.Unlock()
	old, there := b.own.Get(d.GetName())
	switch {
	case !there && d.GetVersion() != 0:
		return nil, status.Errorf(codes.Aborted, "the dashboard %q was deleted meanwhile; version 0 makes it anew", d.GetName())
	case there && d.GetVersion() != old.GetVersion():
		return nil, status.Errorf(codes.Aborted, "the dashboard %q was changed meanwhile by %s: version %d is there, yours began at %d", d.GetName(), orSomebody(old.GetUpdatedBy()), old.GetVersion(), d.GetVersion())
	case !there && len(b.own.All()) >= maxDashboards:
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d dashboards already", maxDashboards)
	}
	d.Shipped, d.Version, d.UpdatedBy, d.UpdatedAt = false, d.GetVersion()+1, b.who(ctx), timestamppb.New(b.now())
	if err := b.own.Put(ctx, d.GetName(), d); err != nil {
		return nil, status.Errorf(codes.Unavailable, "keep the dashboard: %v", err)
	}
	return &dashboardv1.PutDashboardResponse{Dashboard: d}, nil
}

func orSomebody(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

// DeleteDashboard forgets one.
func (b *Book) DeleteDashboard(ctx context.Context, req *dashboardv1.DeleteDashboardRequest) (*dashboardv1.DeleteDashboardResponse, error) {
	d, err := b.find(req.GetName())
	if err != nil {
		return nil, err
	}
	if d.GetShipped() {
		return nil, status.Errorf(codes.FailedPrecondition, "the dashboard %q comes with Weirflow and can't be deleted", d.GetName())
	}
	if err := b.own.Delete(ctx, d.GetName()); err != nil {
		return nil, status.Errorf(codes.Unavailable, "delete the dashboard: %v", err)
	}
	return &dashboardv1.DeleteDashboardResponse{}, nil
}

// ExportDashboard returns one as Grafana imports it.
func (b *Book) ExportDashboard(_ context.Context, req *dashboardv1.ExportDashboardRequest) (*dashboardv1.ExportDashboardResponse, error) {
	d, err := b.find(req.GetName())
	if err != nil {
		return nil, err
	}
	model, err := grafana(d)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "write the dashboard for Grafana: %v", err)
	}
	return &dashboardv1.ExportDashboardResponse{Grafana: model}, nil
}

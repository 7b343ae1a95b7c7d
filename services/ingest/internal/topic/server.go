// Package topic answers TopicService.
package topic

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// Server administers the topics of a cluster.
type Server struct {
	topicv1.UnimplementedTopicServiceServer
	admin *kafka.Admin
}

// NewServer answers with what a client of the cluster says.
func NewServer(a *kafka.Admin) *Server { return &Server{admin: a} }

// ListTopics lists topics by name with their partitions.
func (s *Server) ListTopics(ctx context.Context, req *topicv1.ListTopicsRequest) (*topicv1.ListTopicsResponse, error) {
	all, err := s.admin.Topics(ctx)
	if err != nil {
		return nil, Status(err)
	}
	size := int(req.GetPageSize())
	if size <= 0 || size > 1000 {
		size = 1000
	}
	res := &topicv1.ListTopicsResponse{}
	for _, t := range all {
		if t.Name <= req.GetPageToken() || (kafka.Internal(t.Name) && !req.GetIncludeInternal()) {
			continue
		}
		if len(res.Topics) == size {
			res.NextPageToken = res.Topics[size-1].GetName()
			break
		}
		p, err := s.describe(ctx, t)
		if err != nil {
			return nil, Status(err)
		}
		res.Topics = append(res.Topics, p)
	}
	return res, nil
}

// GetTopic describes one topic with its settings.
func (s *Server) GetTopic(ctx context.Context, req *topicv1.GetTopicRequest) (*topicv1.GetTopicResponse, error) {
	t, err := s.get(ctx, req.GetTopic())
	if err != nil {
		return nil, err
	}
	return &topicv1.GetTopicResponse{Topic: t}, nil
}

func (s *Server) get(ctx context.Context, name string) (*topicv1.Topic, error) {
	info, err := s.admin.Topic(ctx, name)
	if err != nil {
		return nil, Status(err)
	}
	t, err := s.describe(ctx, info)
	if err != nil {
		return nil, Status(err)
	}
	if t.Config, err = s.admin.TopicConfig(ctx, name); err != nil {
		return nil, Status(err)
	}
	return t, nil
}

func (s *Server) describe(ctx context.Context, info kafka.TopicInfo) (*topicv1.Topic, error) {
	low, err := s.admin.StartOffsets(ctx, info.Name)
	if err != nil {
		return nil, err
	}
	high, err := s.admin.EndOffsets(ctx, info.Name)
	if err != nil {
		return nil, err
	}
	t := &topicv1.Topic{Name: info.Name, Internal: kafka.Internal(info.Name)}
	for _, p := range info.Partitions {
		t.Partitions = append(t.Partitions, &topicv1.Partition{
			Id: p.ID, Leader: p.Leader, Replicas: p.Replicas, InSyncReplicas: p.ISR, Low: low[p.ID], High: high[p.ID],
		})
	}
	return t, nil
}

// CreateTopic makes a topic.
func (s *Server) CreateTopic(ctx context.Context, req *topicv1.CreateTopicRequest) (*topicv1.CreateTopicResponse, error) {
	if err := checkName(req.GetTopic()); err != nil {
		return nil, err
	}
	if kafka.Internal(req.GetTopic()) {
		return nil, status.Errorf(codes.FailedPrecondition, "topic %q would be one that Weirflow or Kafka keeps for itself", req.GetTopic())
	}
	if err := s.admin.Create(ctx, kafka.Spec{
		Name: req.GetTopic(), Partitions: int(req.GetPartitions()), Replication: int(req.GetReplicationFactor()), Config: req.GetConfig(),
	}); err != nil {
		return nil, Status(err)
	}
	t, err := s.get(ctx, req.GetTopic())
	if err != nil {
		return nil, err
	}
	return &topicv1.CreateTopicResponse{Topic: t}, nil
}

// DeleteTopic removes a topic; those that Weirflow keeps for itself are refused.
func (s *Server) DeleteTopic(ctx context.Context, req *topicv1.DeleteTopicRequest) (*topicv1.DeleteTopicResponse, error) {
	if kafka.Internal(req.GetTopic()) {
		return nil, status.Errorf(codes.FailedPrecondition, "topic %q is kept by Weirflow or Kafka itself", req.GetTopic())
	}
	if err := s.admin.Delete(ctx, req.GetTopic()); err != nil {
		return nil, Status(err)
	}
	return &topicv1.DeleteTopicResponse{}, nil
}

// ValidName reports whether Kafka allows a topic's name.
func ValidName(name string) bool {
	const longest = 249
	if name == "" || name == "." || name == ".." || len(name) > longest {
		return false
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	if !ValidName(name) {
		return status.Errorf(codes.InvalidArgument, "topic name %q: up to 249 letters, digits, '.', '_' and '-' are allowed", name)
	}
	return nil
}

// Status turns Kafka's errors into those of gRPC.
func Status(err error) error {
	const (
		topicExists, invalidPartitions, invalidReplication, invalidConfig, invalidTopic = 36, 37, 38, 40, 17
		authorization                                                                   = 29
	)
	switch {
	case kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic, kafka.CodeUnknownPartition):
		return status.Error(codes.NotFound, err.Error())
	case kafka.HasCode(err, topicExists):
		return status.Error(codes.AlreadyExists, err.Error())
	case kafka.HasCode(err, invalidPartitions, invalidReplication, invalidConfig, invalidTopic):
		return status.Error(codes.InvalidArgument, err.Error())
	case kafka.HasCode(err, authorization):
		return status.Error(codes.PermissionDenied, err.Error())
	case kafka.HasCode(err, kafka.CodeTimedOut, kafka.CodeAllBrokersDown, -195):
		return status.Error(codes.Unavailable, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}

package audit

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	// maxReaders bounds the questions that read the topic at the same time.
	maxReaders = 4
	// chunk is how many entries are read in one step back.
	chunk = 2000
	// maxScan bounds what one question looks at; its answer tells where to go on.
	maxScan = 100_000
	// readWithin bounds how long a question takes.
	readWithin = 15 * time.Second
	// Sizes of a page.
	defaultPage, maxPage = 100, 1000
)

// Server answers AuditService.
type Server struct {
	accessv1.UnimplementedAuditServiceServer
	log *Log
}

// NewServer answers with what a log has written.
func NewServer(l *Log) *Server { return &Server{log: l} }

// ListAuditEntries returns entries, the newest first. What is asked for is searched from
// the end of the topic backwards.
func (s *Server) ListAuditEntries(ctx context.Context, req *accessv1.ListAuditEntriesRequest) (*accessv1.ListAuditEntriesResponse, error) {
	if s.log.producer == nil {
		return nil, status.Error(codes.FailedPrecondition, "the audit log is not kept: the gateway knows no Kafka (kafka.brokers); its entries are in the gateway's own log")
	}
	size := int(req.GetPageSize())
	if size < 0 || size > maxPage {
		return nil, status.Errorf(codes.InvalidArgument, "page_size must be 0 to %d", maxPage)
	}
	if size == 0 {
		size = defaultPage
	}
	before := int64(-1)
	if t := req.GetPageToken(); t != "" {
		b, err := base64.RawURLEncoding.DecodeString(t)
		if err == nil {
			before, err = strconv.ParseInt(string(b), 10, 64)
		}
		if err != nil || before < 0 {
			return nil, status.Error(codes.InvalidArgument, "page_token is not one that was given out")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	select {
	case s.log.reading <- struct{}{}:
		defer func() { <-s.log.reading }()
	case <-ctx.Done():
		return nil, status.Error(codes.ResourceExhausted, "too many questions read the audit log; try again in some seconds")
	}
	res, err := s.search(ctx, req, size, before)
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "read the audit log: %v", err)
	}
	return res, nil
}

func (s *Server) search(ctx context.Context, req *accessv1.ListAuditEntriesRequest, size int, before int64) (*accessv1.ListAuditEntriesResponse, error) {
	c, err := kafka.NewConsumer(s.log.cfg, kafka.ConsumerOptions{Logger: s.log.log, Ends: true, Properties: map[string]string{
		"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "4096", "queued.min.messages": "1000"}})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	low, high, err := c.Bounds(ctx, Topic, 0)
	if kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic, kafka.CodeUnknownPartition) {
		return &accessv1.ListAuditEntriesResponse{}, nil // nothing was ever written
	}
	if err != nil {
		return nil, err
	}
	if before >= 0 {
		high = min(high, before)
	}
	res := &accessv1.ListAuditEntriesResponse{}
	for scanned := int64(0); high > low; {
		from := max(low, high-chunk)
		rows, err := readRange(ctx, c, from, high)
		if err != nil {
			return nil, err
		}
		for _, r := range slices.Backward(rows) {
			e := r.entry
			if since := req.GetSince(); since != nil && e.GetAt().AsTime().Before(since.AsTime()) {
				if e.GetAt().AsTime().Before(since.AsTime().Add(-skew)) {
					return res, nil
				}
				continue
			}
			if !wanted(e, req) {
				continue
			}
			if res.Entries = append(res.Entries, e); len(res.Entries) == size {
				res.NextPageToken = token(r.offset, low)
				return res, nil
			}
		}
		scanned += high - from
		if high = from; scanned >= maxScan {
			res.NextPageToken = token(high, low)
			return res, nil
		}
	}
	return res, nil
}

// skew is by how much the clocks of gateways may differ, so that entries in the topic
// are not quite in the order of their times.
const skew = time.Minute

func token(before, low int64) string {
	if before <= low {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(before, 10)))
}

type row struct {
	offset int64
	entry  *accessv1.AuditEntry
}

// readRange reads the entries of offsets [from, to).
func readRange(ctx context.Context, c *kafka.Consumer, from, to int64) ([]row, error) {
	if err := c.Assign([]kafka.Position{{Topic: Topic, Partition: 0, Offset: from}}); err != nil {
		return nil, err
	}
	var rows []row
	for {
		b, err := c.Poll(ctx, time.Second)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("it took too long: %w", ctx.Err())
		}
		if err != nil {
			return nil, err
		}
		ended := false
		if b != nil {
			for i := range b.Len() {
				r := b.Record(i)
				if r.Offset >= to {
					ended = true
					break
				}
				e := &accessv1.AuditEntry{}
				if proto.Unmarshal(r.Value, e) == nil {
					rows = append(rows, row{r.Offset, e})
				}
				ended = r.Offset == to-1
			}
			b.Release()
		}
		// The end may be known before all that comes before it has been taken.
		if at, ok := c.End(Topic, 0); ended || (b == nil && ok && at >= to) {
			return rows, nil
		}
	}
}

// wanted reports whether an entry is asked for; since is looked at before.
func wanted(e *accessv1.AuditEntry, req *accessv1.ListAuditEntriesRequest) bool {
	if until := req.GetUntil(); until != nil && e.GetAt().AsTime().After(until.AsTime()) {
		return false
	}
	text := strings.ToLower(req.GetText())
	if text == "" {
		return true
	}
	for _, s := range []string{e.GetUser(), e.GetMethod(), e.GetTarget(), e.GetAddress()} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

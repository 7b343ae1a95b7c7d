package api

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/preview"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// The limits of previews.
const (
	MaxPreviews = 8 // at once
	// stalled is for how long a client that does not read is waited for.
	stalled = 15 * time.Second

	defaultRows, maxRows       = 100, 10_000
	defaultSeconds, maxSeconds = 30, 600
	defaultBytes, maxBytes     = 1 << 20, 16 << 20
)

// Preview runs a SELECT and sends its rows.
func (s *Jobs) Preview(req *jobv1.PreviewRequest, stream jobv1.JobService_PreviewServer) error {
	r, err := s.previewOf(req)
	if err != nil {
		return err
	}
	select {
	case s.Previews <- struct{}{}:
	default:
		return status.Errorf(codes.ResourceExhausted, "%d previews are running already; try again when one has ended", cap(s.Previews))
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.Previews }()
		done <- s.run(r, stream)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(r.Time + stalled):
		// The end of the call frees what sends to a client that does not read.
		return status.Error(codes.DeadlineExceeded, "the client does not take the rows")
	}
}

// run runs a preview and sends its rows.
func (s *Jobs) run(r preview.Request, stream jobv1.JobService_PreviewServer) error {
	end, err := preview.Runner{Connectors: s.Connectors, Functions: s.Functions, Logger: s.Logger}.Run(stream.Context(), r, previewer{stream})
	if err != nil {
		return previewProblem(err, sql.NewHider(r.SQL, r.Parameters))
	}
	reason := map[preview.Reason]jobv1.PreviewEndReason{preview.Rows: jobv1.PreviewEndReason_PREVIEW_END_REASON_ROWS, preview.Time: jobv1.PreviewEndReason_PREVIEW_END_REASON_TIME,
		preview.Bytes: jobv1.PreviewEndReason_PREVIEW_END_REASON_BYTES, preview.Ended: jobv1.PreviewEndReason_PREVIEW_END_REASON_INPUT}[end.Reason]
	return stream.Send(&jobv1.PreviewResponse{What: &jobv1.PreviewResponse_End{End: &jobv1.PreviewEnd{Reason: reason, Rows: int64(end.Rows), Records: int64(end.Records)}}})
}

// previewProblem gives what went wrong in a preview its code.
func previewProblem(err error, h *sql.Hider) error {
	if st, ok := status.FromError(err); ok && !errors.Is(err, context.Canceled) {
		return st.Err() // the stream's own
	}
	var e *sql.Error
	code := codes.Unknown
	switch {
	case errors.As(err, &e):
		code = codes.InvalidArgument
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	default:
		if st := status.Convert(problem(err)); st.Code() != codes.Unavailable {
			code = st.Code()
		}
	}
	return status.Error(code, h.Hide(err.Error()))
}

// previewOf checks a request and fills in what it leaves open.
func (s *Jobs) previewOf(req *jobv1.PreviewRequest) (preview.Request, error) {
	r := preview.Request{SQL: req.GetSql(), Parameters: req.GetParameters()}
	rows, err := limited("max_rows", int64(req.GetMaxRows()), defaultRows, maxRows)
	if err != nil {
		return r, err
	}
	seconds, err := limited("max_seconds", int64(req.GetMaxSeconds()), defaultSeconds, maxSeconds)
	if err != nil {
		return r, err
	}
	if r.Bytes, err = limited("max_bytes", req.GetMaxBytes(), defaultBytes, maxBytes); err != nil {
		return r, err
	}
	r.Rows, r.Time = int(rows), time.Duration(seconds)*time.Second
	switch req.GetStart() {
	case jobv1.PreviewStart_PREVIEW_START_EARLIEST:
		r.Mode = preview.Earliest
	case jobv1.PreviewStart_PREVIEW_START_TIMESTAMP:
		if req.GetStartTime() == nil {
			return r, status.Error(codes.InvalidArgument, "start_time is needed to begin at a time")
		}
		r.Mode, r.Since = preview.Since, req.GetStartTime().AsTime()
	default:
	}
	if req.GetJob() == "" {
		return r, nil
	}
	if err := s.ready(); err != nil {
		return r, err
	}
	j, err := s.Manager.Get(req.GetJob())
	if err != nil {
		return r, problem(err)
	}
	if r.SQL, err = sql.Restore(r.SQL, j.GetSql()); err != nil {
		return r, problem(err)
	}
	r.Parameters = sql.RestoreSettings(r.Parameters, j.GetParameters())
	return r, nil
}

// limited returns a limit, or the usual one when none is given.
func limited(name string, n, usual, most int64) (int64, error) {
	switch {
	case n == 0:
		return usual, nil
	case n < 0 || n > most:
		return 0, status.Errorf(codes.InvalidArgument, "%s must be from 1 to %d", name, most)
	}
	return n, nil
}

// previewer sends what a preview gives.
type previewer struct {
	stream jobv1.JobService_PreviewServer
}

// Columns sends the head.
func (p previewer) Columns(fields []types.Field) error {
	cols := &jobv1.PreviewColumns{}
	for _, f := range fields {
		cols.Columns = append(cols.Columns, &jobv1.PreviewColumn{Name: f.Name, Type: f.Type.String()})
	}
	return p.stream.Send(&jobv1.PreviewResponse{What: &jobv1.PreviewResponse_Columns{Columns: cols}})
}

// Row sends a row.
func (p previewer) Row(op string, values []*string) error {
	row := &jobv1.PreviewRow{Op: op}
	for _, v := range values {
		if v == nil {
			row.Values = append(row.Values, structpb.NewNullValue())
			continue
		}
		row.Values = append(row.Values, structpb.NewStringValue(*v))
	}
	return p.stream.Send(&jobv1.PreviewResponse{What: &jobv1.PreviewResponse_Row{Row: row}})
}

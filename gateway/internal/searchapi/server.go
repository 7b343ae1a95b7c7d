// Package searchapi answers SearchService from the search store.
package searchapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/weirflow/weirflow/gateway/internal/storeerr"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
	"github.com/weirflow/weirflow/services/platform/secret"
)

const (
	askWithin = 60 * time.Second
	maxAnswer = 32 << 20
)

// Store says how the search store is reached.
type Store struct {
	URL      string
	Username string
	Password secret.String
}

// Server answers SearchService.
type Server struct {
	searchv1.UnimplementedSearchServiceServer
	store Store
	base  *url.URL
	http  *http.Client
}

// New prepares a server; nothing is asked yet.
func New(store Store) (*Server, error) {
	base, err := url.Parse(store.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address of the search store: %w", err)
	}
	return &Server{store: store, base: base, http: &http.Client{Timeout: askWithin}}, nil
}

// ask makes one request of the store and reads its answer into out.
func (s *Server) ask(ctx context.Context, method string, path []string, query url.Values, body []byte, out any) error {
	if s.store.URL == "" {
		return status.Error(codes.FailedPrecondition, "no search store is configured (gateway.search.url)")
	}
	u := s.base.JoinPath(path...)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.store.Username != "" {
		req.SetBasicAuth(s.store.Username, s.store.Password.Reveal())
	}
	res, err := s.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return status.FromContextError(ctx.Err()).Err()
		}
		return status.Error(codes.Unavailable, "the search store does not answer")
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return status.Error(codes.Unavailable, "the search store broke its answer off")
	case len(text) > maxAnswer:
		return status.Errorf(codes.ResourceExhausted, "the answer has more than %d bytes: ask for fewer documents or fields", maxAnswer)
	case res.StatusCode >= http.StatusBadRequest:
		return refusal(res.StatusCode, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return status.Error(codes.Unavailable, "the search store did not answer in JSON")
	}
	return nil
}

// refusal gives the store's error its code.
func refusal(code int, text []byte) error {
	message := cmp.Or(storeerr.Reason(text), fmt.Sprintf("the search store answered %d", code))
	switch {
	case code == http.StatusNotFound:
		return status.Error(codes.NotFound, message)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return status.Error(codes.FailedPrecondition, "the search store refuses the gateway's user: "+message)
	case code == http.StatusTooManyRequests:
		return status.Error(codes.ResourceExhausted, message)
	case code < http.StatusInternalServerError:
		return status.Error(codes.InvalidArgument, message)
	default:
		return status.Error(codes.Unavailable, message)
	}
}

// checked refuses what would lead to another part of the store's API.
func checked(pattern string) error {
	if pattern == "" || len(pattern) > 1024 || strings.HasPrefix(pattern, "_") || strings.ContainsAny(pattern, "/\\?#%\"<>| \x00") || pattern == "." || pattern == ".." {
		return status.Errorf(codes.InvalidArgument, "%q is no index or pattern such as logs-*", pattern)
	}
	return nil
}

// ListIndices returns indices by name; those whose names begin with a dot only if asked for.
func (s *Server) ListIndices(ctx context.Context, req *searchv1.ListIndicesRequest) (*searchv1.ListIndicesResponse, error) {
	path := []string{"_cat", "indices"}
	if p := req.GetPattern(); p != "" {
		if err := checked(p); err != nil {
			return nil, err
		}
		path = append(path, p)
	}
	var rows []struct {
		Health  string `json:"health"`
		Index   string `json:"index"`
		Docs    string `json:"docs.count"`
		Deleted string `json:"docs.deleted"`
		Bytes   string `json:"store.size"`
	}
	err := s.ask(ctx, http.MethodGet, path, url.Values{"format": {"json"}, "bytes": {"b"}, "h": {"health,index,docs.count,docs.deleted,store.size"}}, nil, &rows)
	if err != nil {
		if req.GetPattern() != "" && status.Code(err) == codes.NotFound {
			return &searchv1.ListIndicesResponse{}, nil
		}
		return nil, err
	}
	res := &searchv1.ListIndicesResponse{}
	for _, r := range rows {
		if strings.HasPrefix(r.Index, ".") && !strings.HasPrefix(req.GetPattern(), ".") {
			continue
		}
		res.Indices = append(res.Indices, &searchv1.Index{Name: r.Index, Health: r.Health, Documents: number(r.Docs), Deleted: number(r.Deleted), Bytes: number(r.Bytes)})
	}
	slices.SortFunc(res.Indices, func(a, b *searchv1.Index) int { return strings.Compare(a.GetName(), b.GetName()) })
	return res, nil
}

// number is a figure of the store; one that it does not know is 0.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// GetFields returns the fields of an index pattern by name.
func (s *Server) GetFields(ctx context.Context, req *searchv1.GetFieldsRequest) (*searchv1.GetFieldsResponse, error) {
	if err := checked(req.GetPattern()); err != nil {
		return nil, err
	}
	var caps struct {
		Fields map[string]map[string]struct {
			Metadata     bool `json:"metadata_field"`
			Searchable   bool `json:"searchable"`
			Aggregatable bool `json:"aggregatable"`
		} `json:"fields"`
	}
	if err := s.ask(ctx, http.MethodGet, []string{req.GetPattern(), "_field_caps"}, url.Values{"fields": {"*"}}, nil, &caps); err != nil {
		return nil, err
	}
	res := &searchv1.GetFieldsResponse{}
	for name, types := range caps.Fields {
		f := &searchv1.Field{Name: name, Searchable: true, Aggregatable: true}
		own := false
		for t, c := range types {
			if t == "unmapped" {
				continue
			}
			own = own || c.Metadata || t == "object" || t == "nested"
			f.Types = append(f.Types, t)
			f.Searchable, f.Aggregatable = f.GetSearchable() && c.Searchable, f.GetAggregatable() && c.Aggregatable
		}
		if own {
			continue
		}
		slices.Sort(f.Types)
		res.Fields = append(res.Fields, f)
	}
	slices.SortFunc(res.Fields, func(a, b *searchv1.Field) int { return strings.Compare(a.GetName(), b.GetName()) })
	return res, nil
}

// Search runs one search.
func (s *Server) Search(ctx context.Context, req *searchv1.SearchRequest) (*searchv1.SearchResponse, error) {
	if err := checked(req.GetPattern()); err != nil {
		return nil, err
	}
	body, err := req.GetBody().MarshalJSON()
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if req.GetBody() == nil {
		body = []byte("{}")
	}
	answer := map[string]any{}
	if err := s.ask(ctx, http.MethodPost, []string{req.GetPattern(), "_search"}, nil, body, &answer); err != nil {
		return nil, err
	}
	out, err := structpb.NewStruct(answer)
	if err != nil {
		return nil, status.Error(codes.Unavailable, errors.Join(errors.New("read the search store's answer"), err).Error())
	}
	return &searchv1.SearchResponse{Body: out}, nil
}

package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/agent/internal/output/ingest"
	"github.com/weirflow/weirflow/services/agent/internal/output/render"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// OutputConfig is an output as the file describes it. Topics and keys stay with
// the events, so that an output.kafka can be redirected to ingest.
type OutputConfig struct {
	// Kind is kafka, ingest, console or file.
	Kind string
	// Hosts are those of kafka and ingest.
	Hosts []string
	// Ingest says how to reach ingest.
	Ingest IngestConfig

	section settings.Section
}

// IngestConfig says how output.ingest connects.
type IngestConfig struct {
	TLS    rpc.TLS
	Secure bool
	Token  secret.String
	// Window bounds the unacknowledged batches; 0: what ingest says.
	Window                 int
	BackoffMin, BackoffMax time.Duration
}

func outputConfig(s *settings.Config) (OutputConfig, error) {
	sec := s.OutputSection
	o := OutputConfig{Kind: s.Output, section: sec}
	o.Ingest.BackoffMin, o.Ingest.BackoffMax = time.Second, time.Minute
	switch s.Output {
	case "kafka", "ingest":
		if s.Output == "kafka" {
			if _, err := kafkaProperties(sec); err != nil {
				return o, err
			}
		}
		if o.Hosts = sec.Strings("hosts"); len(o.Hosts) == 0 && s.Output == "kafka" {
			return o, errors.New("output.kafka: hosts is missing")
		}
	case "file":
		if sec.String("path") == "" {
			return o, errors.New("output.file: path is missing")
		}
	}
	if s.Output == "ingest" {
		if len(o.Hosts) == 0 {
			o.Hosts = []string{ports.Loopback(ports.IngestGRPC)}
		}
		o.Ingest.TLS = rpc.TLS{CAFile: sec.String("tls.ca"), CertFile: sec.String("tls.certificate"), KeyFile: sec.String("tls.key")}
		o.Ingest.Secure, o.Ingest.Token = sec.Bool("tls.enabled"), secret.String(sec.String("token"))
		o.Ingest.Window = sec.Int("window")
		o.Ingest.BackoffMin, o.Ingest.BackoffMax = sec.Duration("backoff.init"), sec.Duration("backoff.max")
	}
	return o, nil
}

// openOutput makes the output that the configuration names.
func (s *Service) openOutput(ctx context.Context) (pipeline.Output, error) {
	sec := s.out.section
	switch s.out.Kind {
	case "ingest":
		return s.openIngest(ctx), nil
	case "kafka":
		return s.openKafka()
	case "console":
		return render.NewConsole(s.d.Stdout, Compatible, sec.Bool("pretty") || codecPretty(sec)), nil
	case "file":
		return render.NewFile(render.FileOptions{
			Dir: settings.Resolve(s.settings.PathHome, sec.String("path")), Name: sec.String("filename"), Version: Compatible,
			RotateBytes: int64(sec.Int("rotate_every_kb")) << 10, Keep: sec.Int("number_of_files"),
			Mode: os.FileMode(sec.Int("permissions")) & os.ModePerm, RotateOnStart: sec.Bool("rotate_on_startup"),
		})
	}
	return nil, fmt.Errorf("output %s is not known", s.out.Kind)
}

func (s *Service) openIngest(ctx context.Context) pipeline.Output {
	c := s.out.Ingest
	s.d.Board.NotReady("output", "not connected yet")
	return ingest.New(ctx, ingest.Options{
		Hosts: s.out.Hosts, Window: c.Window, BackoffMin: max(c.BackoffMin, time.Millisecond), BackoffMax: max(c.BackoffMax, c.BackoffMin, time.Millisecond),
		Log: s.d.Logger.With("component", "output"),
		Dial: func(host string) (*grpc.ClientConn, error) {
			return s.d.Dial(rpc.ClientConfig{Address: host, TLS: c.TLS, Token: c.Token, Secure: c.Secure})
		},
		Client: &ingestv1.Client{AgentId: s.facts.id, Name: s.facts.name(s.settings), Version: Compatible, Hostname: s.facts.host.Hostname},
		State: func(reason string) {
			if reason == "" {
				s.d.Board.Ready("output")
				return
			}
			s.d.Board.NotReady("output", reason)
		},
	})
}

func codecPretty(sec settings.Section) bool {
	n := sec.Node("codec").Get("json.pretty")
	if n == nil {
		return false
	}
	b, ok := n.Value.(bool)
	return ok && b
}

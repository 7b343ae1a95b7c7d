package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/deadletter"
	output "github.com/weirflow/weirflow/services/agent/internal/output/kafka"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

func (s *Service) openKafka() (pipeline.Output, error) {
	sec := s.out.section
	props, err := kafkaProperties(sec)
	if err != nil {
		return nil, err
	}
	out, err := output.New(output.Options{
		Config: kafka.Config{Brokers: s.out.Hosts}, Properties: props, AgentID: s.facts.id, Version: Compatible,
		MaxBytes: int(sec.Size("max_message_bytes")), Headers: kafkaHeaders(sec.Node("headers")), Retry: time.Second,
		Log: s.d.Logger.With("component", "output"), Box: deadletter.NewBox(filepath.Join(s.settings.PathData, "dead-letters")),
	})
	if err != nil {
		return nil, err
	}
	s.d.Board.Ready("output")
	return out, nil
}

// kafkaProperties translates output.kafka to librdkafka's properties.
func kafkaProperties(sec settings.Section) (map[string]string, error) {
	limit := sec.Size("max_message_bytes")
	p := map[string]string{
		"client.id": sec.String("client_id"), "message.max.bytes": strconv.FormatInt(max(limit, 1000), 10),
		"batch.size": strconv.FormatInt(min(max(limit, 1000), 1000000), 10), "partitioner": output.Partitioner,
		"request.timeout.ms": strconv.FormatInt(max(1, sec.Duration("broker_timeout").Milliseconds()), 10),
	}
	errs := []error{kafkaCompression(sec, p), kafkaAcks(sec, p), kafkaPartition(sec, p), kafkaTLS(sec, p), kafkaSASL(sec, p)}
	return p, errors.Join(errs...)
}

// kafkaCompression leaves the codec to the producer if the file names none.
func kafkaCompression(sec settings.Section, p map[string]string) error {
	if !sec.Has("compression") {
		return nil
	}
	codec, err := output.Compression(sec.String("compression"))
	if err != nil {
		return fmt.Errorf("output.kafka: %w", err)
	}
	p["compression.type"] = codec
	if codec == "gzip" || sec.Has("compression_level") {
		p["compression.level"] = strconv.Itoa(sec.Int("compression_level"))
	}
	return nil
}

// kafkaAcks asks all replicas unless the file wants less.
func kafkaAcks(sec settings.Section, p map[string]string) error {
	if !sec.Has("required_acks") {
		return nil
	}
	switch n := sec.Int("required_acks"); n {
	case -1:
	case 0, 1:
		p["acks"], p["enable.idempotence"] = strconv.Itoa(n), "false"
	default:
		return fmt.Errorf("output.kafka.required_acks must be 0, 1 or -1, is %d", n)
	}
	return nil
}

func kafkaPartition(sec settings.Section, p map[string]string) error {
	n := sec.Node("partition")
	if n == nil || n.Kind != settings.Map {
		return nil
	}
	for _, k := range n.Keys {
		switch k {
		case "hash":
			if n.Get("hash.hash") != nil {
				return n.Errorf("output.kafka.partition.hash.hash is not supported: name the fields in output.kafka.key")
			}
		case "random", "round_robin": // both spread events evenly
			p["partitioner"] = "random"
		default:
			return n.Errorf("unknown output.kafka.partition %q: there are hash, random and round_robin", k)
		}
	}
	return nil
}

func kafkaTLS(sec settings.Section, p map[string]string) error {
	n := sec.Node("ssl")
	if n == nil || n.Kind != settings.Map || sec.Has("ssl.enabled") && !sec.Bool("ssl.enabled") {
		return nil
	}
	p["security.protocol"] = "ssl"
	switch mode := sec.String("ssl.verification_mode"); mode {
	case "full", "strict":
	case "certificate":
		p["ssl.endpoint.identification.algorithm"] = "none"
	case "none":
		p["enable.ssl.certificate.verification"] = "false"
	default:
		return fmt.Errorf("output.kafka.ssl.verification_mode %q is none of full, strict, certificate, none", mode)
	}
	var ca strings.Builder
	for _, c := range sec.Strings("ssl.certificate_authorities") {
		pem, err := pemOf(c)
		if err != nil {
			return fmt.Errorf("output.kafka.ssl.certificate_authorities: %w", err)
		}
		ca.WriteString(pem + "\n")
	}
	if ca.Len() > 0 {
		p["ssl.ca.pem"] = ca.String()
	}
	for key, property := range map[string]string{"ssl.certificate": "ssl.certificate.pem", "ssl.key": "ssl.key.pem"} {
		if v := sec.String(key); v != "" {
			pem, err := pemOf(v)
			if err != nil {
				return fmt.Errorf("output.kafka.%s: %w", key, err)
			}
			p[property] = pem
		}
	}
	if pass := sec.String("ssl.key_passphrase"); pass != "" {
		p["ssl.key.password"] = pass
	}
	return nil
}

// pemOf takes a certificate or key as it stands in the file, or its file's name.
func pemOf(v string) (string, error) {
	if strings.Contains(v, "-----BEGIN") {
		return v, nil
	}
	text, err := os.ReadFile(v)
	if err != nil {
		return "", fmt.Errorf("read certificate: %w", err)
	}
	return string(text), nil
}

func kafkaSASL(sec settings.Section, p map[string]string) error {
	user := sec.String("username")
	if user == "" {
		return nil
	}
	mechanism := strings.ToUpper(first(sec.String("sasl.mechanism"), "PLAIN"))
	switch mechanism {
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
	default:
		return fmt.Errorf("output.kafka.sasl.mechanism %q is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", mechanism)
	}
	p["sasl.mechanism"], p["sasl.username"], p["sasl.password"] = mechanism, user, sec.String("password")
	if p["security.protocol"] == "ssl" {
		p["security.protocol"] = "sasl_ssl"
	} else {
		p["security.protocol"] = "sasl_plaintext"
	}
	return nil
}

func kafkaHeaders(n *settings.Node) []kafka.Header {
	if n == nil || n.Kind != settings.List {
		return nil
	}
	var out []kafka.Header
	for _, it := range n.Items {
		key, ok := it.Get("key").Text()
		if !ok {
			continue
		}
		value, _ := it.Get("value").Text()
		out = append(out, kafka.Header{Key: key, Value: []byte(value)})
	}
	return out
}

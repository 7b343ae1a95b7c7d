package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/weirflow/weirflow/services/platform/secret"
)

// Config says how a Kafka cluster is reached.
type Config struct {
	// Brokers are the bootstrap servers, host:port.
	Brokers []string `yaml:"brokers" help:"bootstrap servers"`
	// Username and Password turn SASL on (PLAIN unless properties say otherwise).
	Username string        `yaml:"username" help:"user (SASL)"`
	Password secret.String `yaml:"password" help:"its password"`
	// Properties are librdkafka's configuration properties, such as
	// security.protocol, sasl.mechanism, ssl.ca.location.
	Properties Properties `yaml:"properties" help:"librdkafka properties, as {name: value}"`
}

// Properties are librdkafka's configuration properties. They print without the
// secrets that are among them.
type Properties map[string]string

// shown is a copy with stars where secrets are.
func (p Properties) shown() map[string]string {
	if p == nil {
		return nil
	}
	out := maps.Clone(map[string]string(p))
	for k := range out {
		for _, word := range []string{"password", "secret", "key.pem", "oauthbearer.config", "sasl.oauthbearer.assertion"} {
			if strings.Contains(k, word) {
				out[k] = secret.Mask
			}
		}
	}
	return out
}

// String prints the properties without their secrets.
func (p Properties) String() string { return fmt.Sprint(p.shown()) }

// GoString keeps %#v from printing secrets.
func (p Properties) GoString() string { return fmt.Sprintf("%#v", p.shown()) }

// LogValue keeps slog from printing secrets.
func (p Properties) LogValue() slog.Value { return slog.AnyValue(p.shown()) }

// MarshalYAML keeps a printed configuration from showing secrets.
func (p Properties) MarshalYAML() (any, error) { return p.shown(), nil }

// MarshalJSON keeps encoders from showing secrets.
func (p Properties) MarshalJSON() ([]byte, error) { return json.Marshal(p.shown()) }

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("kafka.brokers is empty: give at least one host:port")
	}
	return nil
}

// properties merges layers of properties, later ones winning, under what the
// configuration itself says.
func (c Config) properties(layers ...map[string]string) map[string]string {
	p := map[string]string{}
	for _, l := range layers {
		maps.Copy(p, l)
	}
	if c.Username != "" {
		p["security.protocol"] = "sasl_plaintext"
		p["sasl.mechanism"] = "PLAIN"
		p["sasl.username"] = c.Username
		p["sasl.password"] = c.Password.Reveal()
	}
	maps.Copy(p, c.Properties)
	p["bootstrap.servers"] = strings.Join(c.Brokers, ",")
	return p
}

// ConfigMap renders the configuration for confluent-kafka-go's own clients.
func (c Config) ConfigMap(extra map[string]string) *ckafka.ConfigMap {
	m := ckafka.ConfigMap{}
	for k, v := range c.properties(map[string]string{"log_level": "2"}, extra) {
		m[k] = v
	}
	return &m
}

// Error is what librdkafka or a broker answered.
type Error struct {
	// Code is librdkafka's rd_kafka_resp_err_t: negative ones are its own.
	Code int
	// Reason is its text.
	Reason string
}

// Error returns the text with the code.
func (e *Error) Error() string { return fmt.Sprintf("%s (kafka error %d)", e.Reason, e.Code) }

// Codes that callers tell apart.
const (
	CodeQueueFull        = -184
	CodeTimedOut         = -185
	CodeMessageTimedOut  = -192
	CodePurgedQueue      = -152
	CodePurgedInFlight   = -151
	CodeUnknownTopic     = -188
	CodeUnknownPartition = -190
	CodeAllBrokersDown   = -187
	CodeFatal            = -150
	CodeAutoOffsetReset  = -140
	CodeFenced           = -144

	CodeOffsetOutOfRange        = 1
	CodeUnknownTopicOrPartition = 3
	CodeMessageTooLarge         = 10
	CodeInvalidProducerEpoch    = 47
	CodeProducerFenced          = 90
)

// HasCode reports whether err is, or wraps, a Kafka error with one of the codes.
func HasCode(err error, codes ...int) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return slices.Contains(codes, e.Code)
	}
	var c ckafka.Error
	return errors.As(err, &c) && slices.Contains(codes, int(c.Code()))
}

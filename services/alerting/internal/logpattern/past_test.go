package logpattern_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// record is a line of the past: so many seconds after the beginning of the test's time.
type record struct {
	second int64
	value  string
}

func write(t *testing.T, cfg kafka.Config, topic string, began time.Time, records []record) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, r := range records {
		var all kafka.Records
		all.Append(0, nil, []byte(r.value))
		all.SetTime(began.UnixMilli() + r.second*1000)
		done := make(chan error, 1)
		if err := p.Produce(t.Context(), topic, &all, func(err error, _ []kafka.Failure) { done <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhenAPatternWouldHaveFired(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info")
	began := time.UnixMilli(1_700_000_000_000)
	line := func(second int64, host, level, message string) record {
		return record{second, fmt.Sprintf(`{"message":%q,"host":{"name":%q},"log":{"level":%q},"code":500}`, message, host, level)}
	}
	write(t, cfg, "topic-app-info", began, []record{
		line(-500, "a", "INFO", "disk full"), // long before
		line(10, "a", "INFO", "disk full"), line(10, "b", "INFO", "disk full"),
		{12, "no JSON, disk full"}, {13, `{"other":"disk full"}`}, {14, `{"message":null,"also":"disk full"}`},
		line(30, "a", "INFO", "the disk full again"), line(31, "a", "INFO", "all is well"),
		line(50, "a", "ERROR", "disk full"), line(55, "a", "ERROR", "disk full"), line(61, "b", "INFO", "disk full"),
		line(112, "b", "INFO", `say "hi"`),
		line(200, "a", "ERROR", "disk full"),
		line(580, "a", "ERROR", "err42"),
	})
	j := logpattern.NewJobs(nil, cfg)
	thrice := contains("disk full")
	thrice.Count, thrice.Within, thrice.By = 3, durationpb.New(time.Minute), []string{"host.name"}
	once := contains("disk full")
	once.Within = durationpb.New(30 * time.Second)
	for name, tt := range map[string]struct {
		p    *alertv1.LogPattern
		want []string // labels, when from, when to, of how many lines
	}{
		"three in a minute by host": {thrice, []string{"map[host_name:a] 50-115 3"}},
		"each line":                 {once, []string{"map[] 10-91 1", "map[] 200-230 1"}},
		"what JSON escapes":         {contains(`"hi"`), []string{"map[] 112-412 1"}},
		"a regular expression, open": {&alertv1.LogPattern{Pattern: &alertv1.LogPattern_Regexp{Regexp: `^err\d+$`}}, []string{
			"map[] 580- 1"}},
		"a field within, a number": {&alertv1.LogPattern{Field: "code", Pattern: &alertv1.LogPattern_Contains{Contains: "500"}, By: []string{"log.level"}, Count: 4, Within: durationpb.New(200 * time.Second)}, []string{
			"map[log_level:INFO] 31-312 4"}},
		"nothing": {contains("never"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			runs, err := j.Past(t.Context(), policy(tt.p), began, began.Add(10*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range runs {
				to := ""
				if !r.To.IsZero() {
					to = fmt.Sprint(r.To.Sub(began).Seconds())
				}
				got = append(got, fmt.Sprintf("%v %v-%s %d", r.Labels, r.From.Sub(began).Seconds(), to, r.Lines))
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
}

func TestPastThatIsNotToBeHad(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info", "weirflow.users")
	j := logpattern.NewJobs(nil, cfg)
	now := time.Now()
	write(t, cfg, "topic-app-info", now.Add(-time.Minute), []record{{0, `{"message":"x"}`}})
	users := contains("x")
	users.Topic = "weirflow.users"
	if _, err := j.Past(t.Context(), policy(users), now.Add(-time.Hour), now); !errors.Is(err, logpattern.ErrPattern) || !strings.Contains(err.Error(), "kept by Weirflow") {
		t.Errorf("topic of users: %v", err)
	}
	absent := contains("x")
	absent.Topic = "absent"
	if _, err := j.Past(t.Context(), policy(absent), now.Add(-time.Hour), now); !kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
		t.Errorf("absent topic: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Past(gone, policy(contains("x")), now.Add(-time.Hour), now); err == nil {
		t.Error("a call that has been given up goes on")
	}
}

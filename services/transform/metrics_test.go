package transform_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// TestMetricsAreThoseOfTheReadme compares the names that are exported with the table of README.md.
func TestMetricsAreThoseOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(readme)) {
		name, ok := strings.CutPrefix(line, "| `weirflow_transform_")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut("weirflow_transform_"+name, "`")
		before, alternatives, _ := strings.Cut(name, "{")
		alternatives, after, _ := strings.Cut(alternatives, "}")
		for a := range strings.SplitSeq(alternatives, ",") {
			want = append(want, before+a+after)
		}
	}
	reader := metric.NewManualReader()
	cfg := kafkatest.Start(t, "topic-app-info")
	produce(t, cfg, "topic-app-info", 0, 10)
	client, book := serviceMetered(t, cfg, metric.NewMeterProvider(metric.WithReader(reader)))
	create(t, client, "metered", missionJob(cfg))
	create(t, client, "counting", countingJob(cfg, "topic-app-info", "counted"))
	var got []string
	eventually(t, "lag to be known", func() bool {
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				got = append(got, m.Name)
			}
		}
		return account(book, "metered").Out == 10 && account(book, "counting").Out == 10 && slices.Contains(got, "weirflow_transform_source_lag_records") &&
			slices.Contains(got, "weirflow_transform_watermark_millis")
	})
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("exported %s\nREADME has %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

package transform_test

import (
	"fmt"
	"testing"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// TestLateRowsAreKept reads rows of which two come after their window was closed,
// and one has no time.
func TestLateRowsAreKept(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	for _, at := range []string{`"2026-01-01 00:00:01.000"`, `"2026-01-01 00:05:00.000"`} {
		send(t, cfg, "in", `{"ts":`+at+`}`)
	}
	client, book, _ := service(t, cfg)
	ddl := func(mode string) string {
		return fmt.Sprintf(`CREATE TABLE src (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector'='kafka','topic'='in',
			'properties.bootstrap.servers'='%s','scan.startup.mode'='earliest-offset','format'='json','error-handling.mode'='%s');
			`, cfg.Brokers[0], mode) + sinkTo(cfg, "o", "out", "n BIGINT") +
			"INSERT INTO o SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;"
	}
	create(t, client, "keeps", ddl("dlq"))
	create(t, client, "drops", ddl("off"))
	for _, name := range []string{"keeps", "drops"} {
		eventually(t, "the first rows are read", func() bool { return account(book, name).In == 2 })
	}
	for _, at := range []string{`"2026-01-01 00:00:02.000"`, `null`, `"2026-01-01 00:05:30.000"`, `"2026-01-01 00:00:03.000"`} {
		send(t, cfg, "in", `{"ts":`+at+`}`)
	}
	eventually(t, "the late rows are kept", func() bool {
		a := account(book, "keeps")
		return a.In == 6 && a.DeadLettered == 3
	})
	balanced(t, book, "keeps")
	var offsets []int64
	for _, l := range letters(t, cfg, "weirflow.deadletters.keeps") {
		if l.GetErrorType() != "late" || l.GetSourceTable() != "src" || len(l.GetRawPayload()) == 0 {
			t.Errorf("letter %v", l)
		}
		offsets = append(offsets, l.GetOffset())
	}
	if fmt.Sprint(offsets) != "[2 3 5]" {
		t.Errorf("letters of offsets %v, want 2, 3 and 5", offsets)
	}
	eventually(t, "the other job drops and counts them", func() bool {
		a := account(book, "drops")
		return a.In == 6 && a.Filtered == 3 && a.DeadLettered == 0
	})
	balanced(t, book, "drops")
}

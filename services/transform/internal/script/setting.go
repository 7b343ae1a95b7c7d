package script

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
)

// CheckSetting says what is wrong with the value of a setting. Those that nothing
// here reads may have any.
func CheckSetting(key, value string) error {
	switch key {
	case "table.exec.state.ttl", "table.exec.source.idle-timeout", "execution.checkpointing.interval", "table.exec.mini-batch.allow-latency":
		_, err := connector.ParseDuration(value)
		return err
	case "table.local-time-zone":
		if value == "" || value == "default" {
			return nil
		}
		_, err := time.LoadLocation(value)
		if _, plain := time.LoadLocation(strings.TrimPrefix(value, "GMT")); err != nil && plain != nil && !offset(value) {
			return fmt.Errorf("%q is not a time zone such as 'Asia/Shanghai' or 'UTC'", value)
		}
	case "table.exec.emit.early-fire.enabled", "table.exec.emit.late-fire.enabled":
		if !strings.EqualFold(value, "false") {
			return errors.New("windows put out their result once, when they end; leave it 'false'. CUMULATE windows show a result on the way")
		}
	case "table.exec.emit.allow-lateness":
		if d, err := connector.ParseDuration(value); err != nil || d != 0 {
			return errors.New("rows that come after the end of their window are not taken in; leave it '0', and make the watermark's delay longer")
		}
	case "pipeline.max-parallelism":
		if n, err := strconv.Atoi(value); err != nil || n != -1 && (n < 1 || n > 1<<15) {
			return fmt.Errorf("%q is not a number from 1 to 32768", value)
		}
	case "sql-client.execution.result-mode":
		return oneOf(value, "table", "tableau", "changelog")
	case "table.exec.sink.not-null-enforcer":
		return oneOf(value, "error", "drop")
	case "table.exec.sink.type-length-enforcer":
		return oneOf(value, "ignore", "trim_pad", "error")
	case "table.exec.sink.upsert-materialize":
		return oneOf(value, "none", "auto", "force")
	}
	return promgateway.Check(key, value)
}

// offset reports whether a zone is a distance from UTC, such as +08:00 or GMT+8.
func offset(zone string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(zone, "GMT"), "UTC")
	return rest != "" && (rest[0] == '+' || rest[0] == '-') && strings.Trim(rest[1:], "0123456789:") == ""
}

func oneOf(value string, known ...string) error {
	if slices.Contains(known, strings.ToLower(value)) {
		return nil
	}
	return fmt.Errorf("%q is not one of %s", value, strings.Join(known, ", "))
}

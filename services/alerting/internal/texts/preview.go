package texts

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
)

// bound is how much a channel takes.
type bound struct {
	limit   int
	size    message.Size
	measure string
}

// bounds are those of the channels, as their providers say.
func bounds() map[string]bound {
	const bytes, runes, quoted = "bytes", "characters", "bytes of JSON"
	return map[string]bound{
		"": {0, message.Bytes, bytes}, "email": {0, message.Bytes, bytes}, "tencent_sms": {0, message.Runes, runes},
		"wecom_bot": {4096, message.Bytes, bytes}, "wecom_bot_text": {2048, message.Bytes, bytes},
		"dingtalk": {20_000, message.JSONBytes, quoted}, "feishu": {20 << 10, message.JSONBytes, quoted},
		"tencent_voice": {350, message.Runes, runes}, "twilio_sms": {1600, message.Runes, runes}, "twilio_call": {3500, message.Runes, runes},
	}
}

// preview renders a template for an alert.
func preview(ctx context.Context, t *template.Template, log *slog.Logger, req *alertv1.PreviewTemplateRequest, a *alert.Alert) (*alertv1.PreviewTemplateResponse, error) {
	b, ok := bounds()[req.GetChannel()]
	if !ok {
		return nil, fmt.Errorf("%w: the channel %q is not known", ErrInput, req.GetChannel())
	}
	ctx = notify.WithReceiverName(notify.WithGroupKey(ctx, "preview"), "preview")
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{"alertname": a.Labels["alertname"]})
	ctx = notify.WithNotificationReason(ctx, notify.ReasonFirstNotification)
	r := message.New(ctx, t, req.GetLanguage(), log, []*alert.Alert{a})
	res := &alertv1.PreviewTemplateResponse{Limit: int32(b.limit), Measure: b.measure}
	var err error
	whole := ""
	if req.GetChannel() == "email" {
		whole, err = t.ExecuteHTMLString(req.GetText(), r.Data)
	} else {
		whole, err = r.Text(req.GetText())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	res.Text = whole
	if b.limit > 0 && b.size(whole) > b.limit {
		if res.Text, err = r.Fit(req.GetText(), b.limit, b.size); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInput, err)
		}
		res.Shortened = true
	}
	res.Size = int32(b.size(res.GetText()))
	return res, nil
}

// sample is an alert that could be.
func sample(now time.Time, language string) *alert.Alert {
	a := &alert.Alert{UpdatedAt: now}
	a.Labels = model.LabelSet{"alertname": "SampleAlert", "severity": "warning", "job": "sample", "host": "web1"}
	a.Annotations = model.LabelSet{"summary": "The sample job is 12,000 records behind", "description": "It reads 100 records a second, 150 come.",
		"runbook_url": "https://example.com/runbooks/lag"}
	if language == message.Chinese {
		a.Annotations["summary"], a.Annotations["description"] = "示例作业落后 12,000 条记录", "每秒读取 100 条，写入 150 条。"
	}
	a.StartsAt, a.EndsAt = now.Add(-5*time.Minute), now.Add(time.Hour)
	return a
}

// over is the alert as if it had ended.
func over(a *alert.Alert, now time.Time) *alert.Alert {
	n := *a
	n.EndsAt, n.UpdatedAt, n.Timeout = now, now, false
	return &n
}

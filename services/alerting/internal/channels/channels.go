// Package channels lists the ways to tell people that are Weirflow's own, beside those
// of the Alertmanager.
package channels

import (
	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/dingtalk"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/feishu"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/httpcall"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/tencent"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/twilio"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wecom"
)

// All returns them. What they remember (how often a robot was used, which numbers were
// reached) outlives a change of the configuration: make one registry per process.
func All() channel.Registry {
	gates, book := pace.NewGates(), receipt.NewBook()
	return channel.Registry{
		"wecom_bot_configs":     wecom.New(gates),
		"dingtalk_configs":      dingtalk.New(gates),
		"feishu_configs":        feishu.New(gates),
		"tencent_sms_configs":   tencent.NewSMS(book),
		"tencent_voice_configs": tencent.NewVoice(book),
		"twilio_sms_configs":    twilio.NewSMS(book),
		"twilio_call_configs":   twilio.NewCall(book),
		"http_configs":          httpcall.New(gates),
	}
}

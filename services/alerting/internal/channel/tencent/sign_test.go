package tencent

import (
	"testing"
	"time"
)

// TestDocumentedSample is the example that Tencent Cloud's documentation works through
// in "Signature v3" (DescribeInstances of CVM).
func TestDocumentedSample(t *testing.T) {
	// The body has the escapes as they stand there.
	body := []byte(`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`)
	k := key{id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", secret: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"}
	const want = "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, " +
		"Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
	// It is the next day already where Tencent is; what counts is UTC.
	at := time.Unix(1551113065, 0).In(time.FixedZone("CST", 8*60*60))
	if got := k.authorization("cvm", "cvm.tencentcloudapi.com", body, at); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

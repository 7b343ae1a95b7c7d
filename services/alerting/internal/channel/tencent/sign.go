package tencent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm   = "TC3-HMAC-SHA256"
	contentType = "application/json; charset=utf-8"
)

// key signs requests of one account.
type key struct{ id, secret string }

// authorization is the header of that name for a POST to a host of a service. The date
// in it is that of UTC: with any other it fails around midnight only.
func (k key) authorization(service, host string, body []byte, at time.Time) string {
	const signed = "content-type;host"
	request := strings.Join([]string{"POST", "/", "", "content-type:" + contentType, "host:" + host, "", signed, hash(body)}, "\n")
	date := at.UTC().Format(time.DateOnly)
	scope := date + "/" + service + "/tc3_request"
	text := strings.Join([]string{algorithm, strconv.FormatInt(at.Unix(), 10), scope, hash([]byte(request))}, "\n")
	derived := mac(mac(mac([]byte("TC3"+k.secret), date), service), "tc3_request")
	return algorithm + " Credential=" + k.id + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(mac(derived, text))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

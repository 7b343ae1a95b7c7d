package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/weirflow/weirflow/services/platform/fault"
)

func TestMarksSurviveWrapping(t *testing.T) {
	base := errors.New("base")
	p := fmt.Errorf("outer: %w", fault.Permanent(fmt.Errorf("inner: %w", base)))
	if !fault.IsPermanent(p) || fault.IsRetryable(p) || !errors.Is(p, base) || p.Error() != "outer: inner: base" {
		t.Errorf("permanent: %v", p)
	}
	r := fault.Retryable(base)
	if !fault.IsRetryable(r) || fault.IsPermanent(r) || !errors.Is(r, base) {
		t.Errorf("retryable: %v", r)
	}
	if fault.Permanent(nil) != nil || fault.Retryable(nil) != nil || fault.IsPermanent(nil) || fault.IsRetryable(base) {
		t.Error("nil or an unmarked error is marked")
	}
}

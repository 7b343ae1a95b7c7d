package receipt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/alert"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
)

func TestOnlyWhoWasNotReachedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := receipt.NewBook()
		ctx := channeltest.Context(t.Context(), "Lag")
		k := receipt.Of(ctx, "sms", nil, []*alert.Alert{channeltest.Firing("Lag", "x")})
		var tried []string
		fails := func(bad ...string) error {
			return b.Each(ctx, k, []string{"+8613800000001", "+8613800000002", "+8613800000003"}, nil, func(_ context.Context, numbers []string) map[string]error {
				tried = numbers
				all := make(map[string]error)
				for _, n := range numbers {
					all[n] = nil
				}
				for _, n := range bad {
					all[n] = wire.Refused("bad")
				}
				return all
			})
		}
		if err := fails("+8613800000002"); err == nil || !strings.Contains(err.Error(), "+86*******0002: bad") {
			t.Errorf("got %v", err)
		}
		if err := fails("+8613800000002"); err == nil || fmt.Sprint(tried) != "[+8613800000002]" {
			t.Errorf("tried %v, %v", tried, err)
		}
		// When it is time to repeat, all are told again.
		time.Sleep(4*time.Hour + time.Second)
		if err := fails("+8613800000002"); err == nil || len(tried) != 3 {
			t.Errorf("tried %v, %v", tried, err)
		}
		if err := fails(); err != nil || len(tried) != 1 {
			t.Errorf("tried %v, %v", tried, err)
		}
		if err := fails(); err != nil || len(tried) != 3 {
			t.Errorf("tried %v, %v", tried, err)
		}
	})
}

func TestKeys(t *testing.T) {
	ctx := channeltest.Context(t.Context(), "Lag")
	a, b := channeltest.Firing("Lag", "x"), channeltest.Firing("Lag", "x", "job", "shop")
	over := *a
	over.EndsAt = time.Now().Add(-time.Second)
	one := receipt.Of(ctx, "sms", nil, []*alert.Alert{a, b})
	if one != receipt.Of(ctx, "sms", nil, []*alert.Alert{b, a}) {
		t.Error("the order counts")
	}
	for name, other := range map[string]receipt.Key{
		"channel": receipt.Of(ctx, "voice", nil, []*alert.Alert{a, b}), "alerts": receipt.Of(ctx, "sms", nil, []*alert.Alert{a}),
		"state": receipt.Of(ctx, "sms", nil, []*alert.Alert{&over, b}), "numbers": receipt.Of(ctx, "sms", []string{"+1"}, []*alert.Alert{a, b}), "group": receipt.Of(channeltest.Context(t.Context(), "Disk"), "sms", nil, []*alert.Alert{a, b}),
	} {
		if one == other {
			t.Errorf("%s does not count", name)
		}
	}
}

func TestNobodyIsAFailure(t *testing.T) {
	if err := receipt.NewBook().Each(t.Context(), receipt.Key{}, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "nobody was told") {
		t.Error(err)
	}
}

func TestAProviderIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := receipt.NewBook()
		start := time.Now()
		try := func(ctx context.Context, err error) error {
			return b.Each(ctx, receipt.Key{}, []string{"+8613800000001"}, nil, func(context.Context, []string) map[string]error { return map[string]error{"+8613800000001": err} })
		}
		_ = try(t.Context(), wire.Later(30*time.Second, "just now"))
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if again, err := wire.Verdict(try(short, nil)); !again || err == nil {
			t.Errorf("again %v, %v", again, err)
		}
		// A number that the provider says nothing of does not wait with the other.
		if err := b.Each(t.Context(), receipt.Key{}, []string{"+8613800000001", "+8613800000002"}, nil, func(_ context.Context, numbers []string) map[string]error {
			if fmt.Sprint(numbers) != "[+8613800000002]" {
				t.Errorf("tried %v", numbers)
			}
			return map[string]error{"+8613800000002": nil}
		}); err == nil || !strings.Contains(err.Error(), "waits for the provider") {
			t.Error(err)
		}
		if err := try(t.Context(), nil); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

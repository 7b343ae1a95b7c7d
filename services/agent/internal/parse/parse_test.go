package parse_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/parse"
)

// feed runs lines through a chain and returns the messages, with their places.
func feed(c func(emit parse.Emit) *parse.Chain, lines ...string) (out []parse.Message, chain *parse.Chain) {
	chain = c(func(m parse.Message) {
		m.Content = append([]byte(nil), m.Content...)
		out = append(out, m)
	})
	at := int64(0)
	for _, l := range lines {
		end := at + int64(len(l)) + 1
		chain.Feed(parse.Message{Content: []byte(l), Offset: at, Start: at, End: end})
		at = end
	}
	return out, chain
}

func javaTrace(o parse.MultilineOptions) func(parse.Emit) *parse.Chain {
	o.Pattern, o.Negate, o.Separator, o.Timeout = regexp.MustCompile(`^\d`), true, "\n", time.Second
	return func(emit parse.Emit) *parse.Chain { return parse.NewChain([]parse.Stage{parse.NewMultiline(o)}, emit) }
}

func TestMultilinePlaces(t *testing.T) {
	t.Parallel()
	out, chain := feed(javaTrace(parse.MultilineOptions{}), "1 a", "  at x", "2 b", "  at y")
	if len(out) != 1 || string(out[0].Content) != "1 a\n  at x" || out[0].Offset != 0 || out[0].End != 11 {
		t.Errorf("got %+v", out)
	}
	if at, pending := chain.Pending(); !pending || at != 11 {
		t.Errorf("pending at %d, %v: what is not complete must be read again after a crash", at, pending)
	}
	chain.Expire(time.Now().Add(time.Hour), false)
	if _, pending := chain.Pending(); pending {
		t.Error("the timeout does not end a block")
	}
}

func TestMultilineBounded(t *testing.T) {
	t.Parallel()
	lines := []string{"1 first"}
	for range 10000 {
		lines = append(lines, strings.Repeat("x", 1000))
	}
	lines = append(lines, "2 next")
	out, _ := feed(javaTrace(parse.MultilineOptions{MaxLines: 500, MaxBytes: 5000}), lines...)
	if len(out) != 1 || len(out[0].Content) > 5000 || strings.Join(out[0].Flags, ",") != "truncated,multiline" {
		t.Errorf("%d messages, %d bytes, flags %v", len(out), len(out[0].Content), out[0].Flags)
	}
	if want := int64(8 + 10000*1001); out[0].End != want {
		t.Errorf("ends at %d, want %d", out[0].End, want)
	}
}

func FuzzMultiline(f *testing.F) {
	f.Add("1 a\n b\n2 c\n", 3, 10)
	f.Fuzz(func(t *testing.T, text string, maxLines, maxBytes int) {
		lines := strings.Split(text, "\n")
		out, chain := feed(javaTrace(parse.MultilineOptions{MaxLines: max(0, maxLines%100), MaxBytes: max(0, maxBytes%1000)}), lines...)
		chain.Expire(time.Now(), true)
		end := int64(-1)
		for _, m := range out {
			if m.Start < end || m.End <= m.Start {
				t.Fatalf("message from %d to %d after one that ends at %d", m.Start, m.End, end)
			}
			end = m.End
		}
		if _, pending := chain.Pending(); pending {
			t.Fatal("something is left")
		}
	})
}

func FuzzDecodeObject(f *testing.F) {
	f.Add([]byte(`{"a":1e999,"b":[1,{"c":null}],"d":"\ud83d"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := parse.DecodeObject(text); err != nil && m != nil {
			t.Fatal("fields beside an error")
		}
	})
}

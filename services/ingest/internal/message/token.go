package message

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// formatToken writes where each partition goes on and ends: `p:next:end` joined
// by commas, in base64 so that nobody builds on its form.
func formatToken(spans map[int32]*span) string {
	parts := make([]string, 0, len(spans))
	for _, s := range slices.SortedFunc(maps.Values(spans), func(a, b *span) int { return cmp.Compare(a.partition, b.partition) }) {
		parts = append(parts, fmt.Sprintf("%d:%d:%d", s.partition, s.next, s.end))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, ",")))
}

func parseToken(token string) ([]span, error) {
	bad := status.Error(codes.InvalidArgument, "page_token is not one that this service gave out")
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, bad
	}
	var out []span
	seen := map[int32]bool{}
	for part := range strings.SplitSeq(string(b), ",") {
		var s span
		if n, err := fmt.Sscanf(part, "%d:%d:%d", &s.partition, &s.next, &s.end); err != nil || n != 3 || s.partition < 0 || s.next < 0 || s.end < s.next || seen[s.partition] {
			return nil, bad
		}
		seen[s.partition] = true
		out = append(out, s)
	}
	return out, nil
}

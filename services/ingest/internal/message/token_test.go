package message

import "testing"

func TestTokensComeBack(t *testing.T) {
	spans := map[int32]*span{0: {0, 5, 10}, 7: {7, 0, 0}, 3: {3, 1 << 40, 1 << 41}}
	got, err := parseToken(formatToken(spans))
	if err != nil || len(got) != len(spans) {
		t.Fatalf("%v, %v", got, err)
	}
	for _, s := range got {
		if s != *spans[s.partition] {
			t.Errorf("%+v became %+v", *spans[s.partition], s)
		}
	}
}

func FuzzToken(f *testing.F) {
	f.Add(formatToken(map[int32]*span{0: {0, 5, 10}, 1: {1, 2, 3}}))
	f.Add("")
	f.Add("MDoxOjIsMDoxOjI") // the same partition twice
	f.Add("LTE6MToy")
	f.Fuzz(func(t *testing.T, token string) {
		spans, err := parseToken(token)
		if err != nil {
			return
		}
		byPartition := map[int32]*span{}
		for _, s := range spans {
			if s.partition < 0 || s.next < 0 || s.end < s.next {
				t.Errorf("%q has %+v", token, s)
			}
			byPartition[s.partition] = &s
		}
		if len(byPartition) != len(spans) {
			t.Errorf("%q has a partition twice", token)
		}
		again, err := parseToken(formatToken(byPartition))
		if err != nil || len(again) != len(spans) {
			t.Errorf("%q does not come back: %v, %v", token, again, err)
		}
	})
}

func TestWholeRunes(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"ascii", "abc", "abc"}, {"nothing", "", ""}, {"whole", "aé", "aé"},
		{"cut of two", "aé"[:2], "a"}, {"cut of four", "a😀"[:4], "a"}, {"not UTF-8 at all", "a\x80\x80\x80\x80", "a\x80\x80\x80\x80"},
	} {
		if got := string(wholeRunes([]byte(c.in))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

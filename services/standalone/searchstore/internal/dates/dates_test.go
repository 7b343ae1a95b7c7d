package dates_test

import (
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
)

func format(tb testing.TB, s string) *dates.Format {
	tb.Helper()
	f, err := dates.ParseFormat(s)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func TestFormats(t *testing.T) {
	for _, c := range [...]struct{ format, text, want string }{
		{"", "2021-08-30T10:22:52.888Z", "2021-08-30T10:22:52.888Z"}, {"", "2021-08-30", "2021-08-30T00:00:00Z"}, {"", "2021-08-30T10:22+08:00", "2021-08-30T02:22:00Z"}, {"", "1630318972888", "2021-08-30T10:22:52.888Z"},
		{"", "-1", "1969-12-31T23:59:59.999Z"}, {"", "2024-02-29", "2024-02-29T00:00:00Z"}, {"", "2023-02-29", ""}, {"", "2021-13-01", ""}, {"", "yesterday", ""}, {"", "2021-08-30T25:00", ""}, {"", "", ""},
		{"yyyy/MM/dd HH:mm:ss", "2021/08/30 01:02:03", "2021-08-30T01:02:03Z"}, {"epoch_second", "1630318972", "2021-08-30T10:22:52Z"}, {"dd MMM yyyy", "30 Aug 2021", "2021-08-30T00:00:00Z"},
		{"basic_date_time", "20210830T102252.888+0800", "2021-08-30T02:22:52.888Z"}, {"yyyy-MM-dd'T'HH:mm:ss z", "2021-08-30T10:00:00 Asia/Shanghai", "2021-08-30T02:00:00Z"}, {"hh:mm a", "01:30 PM", "1970-01-01T13:30:00Z"},
	} {
		if c.format == "" {
			c.format = dates.DefaultFormat
		}
		got := ""
		if x, err := format(t, c.format).Parse(c.text, time.UTC, false); err == nil {
			got = x.UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s as %s: want %q, got %q", c.text, c.format, c.want, got)
		}
	}
}

func TestMath(t *testing.T) {
	now := time.Date(2024, 3, 31, 10, 20, 30, 0, time.UTC)
	f := format(t, dates.DefaultFormat)
	for _, c := range [...]struct {
		expr string
		up   bool
		want string
	}{
		{"now", false, "2024-03-31T10:20:30Z"}, {"now-1M", false, "2024-02-29T10:20:30Z"}, {"now/d", false, "2024-03-31T00:00:00Z"}, {"now/d", true, "2024-03-31T23:59:59.999Z"}, {"now-1h/h", false, "2024-03-31T09:00:00Z"},
		{"2024-01-01||+1M/w", false, "2024-01-29T00:00:00Z"}, {"2024-01", true, "2024-01-31T23:59:59.999999999Z"}, {"now+1x", false, ""}, {"now-", false, ""}, {"now*1d", false, ""},
	} {
		got := ""
		if x, err := f.Math(c.expr, now, nil, c.up); err == nil {
			got = x.UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s: want %q, got %q", c.expr, c.want, got)
		}
	}
}

func TestRounding(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day, err := dates.Calendar("1d", berlin, 0)
	if err != nil {
		t.Fatal(err)
	}
	start := day.Floor(time.Date(2024, 3, 31, 12, 0, 0, 0, berlin).UnixMilli())
	if next := day.Next(start); next-start != 23*3600*1000 {
		t.Errorf("the day of the change to summer time has %d ms", next-start)
	}
	fixed, err := dates.Fixed("90m", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, ms := range [...]int64{-1, 0, 1, 5_400_000, 1_630_000_000_123} {
		lo := fixed.Floor(ms)
		if lo > ms || fixed.Next(lo) <= ms || lo%5_400_000 != 0 {
			t.Errorf("%d lies in %d..%d", ms, lo, fixed.Next(lo))
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range [...]string{"2021-08-30T10:22:52.888Z", "now-1d/d", "2021||+1M", "1630318972888.5", "-0001-01-01", "+12345-01-01T00:00:00,5-18:00"} {
		f.Add(s)
	}
	forms := []*dates.Format{format(f, dates.DefaultFormat), format(f, "date_optional_time"), format(f, "yyyy/MM/dd HH:mm:ss a z||EEE dd MMM yy||basic_date_time")}
	f.Fuzz(func(t *testing.T, s string) {
		for _, x := range forms {
			if tm, err := x.Math(s, time.Unix(0, 0), nil, true); err == nil {
				_ = x.Print(tm, nil)
			}
		}
		if ms, ok := dates.FastMillis([]byte(s)); ok {
			slow, err := forms[0].Parse(s, time.UTC, false)
			if err != nil || slow.UnixMilli() != ms {
				t.Fatalf("%s: fast %d, slow %v %v", s, ms, slow, err)
			}
		}
	})
}

package charset_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/agent/internal/charset"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"gbk": "水壶", "GB18030": "水壶", "utf-16le-bom": "水壶", "utf-16be": "水壶", "big5": "水", "windows-1252": "é", "iso8859-15": "€", "koi8r": "Ч", "shift-jis": "水", "euc-kr": "주"} {
		c, err := charset.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Decoder().Bytes(raw)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "plain"} {
		if c, err := charset.Find(name); err != nil || !c.Plain() || c.Decoder() != nil {
			t.Errorf("%q is not plain: %v", name, err)
		}
	}
	if _, err := charset.Find("klingon"); err == nil {
		t.Error("an unknown encoding was taken")
	}
	if _, err := charset.Terminator("tab"); err == nil {
		t.Error("an unknown line end was taken")
	}
}

func TestWithMark(t *testing.T) {
	t.Parallel()
	c, err := charset.Find("utf-16le-bom")
	if err != nil {
		t.Fatal(err)
	}
	c = c.WithMark([]byte{0xfe, 0xff}) // the file says otherwise
	if got, err := c.Decoder().String("\x00a"); err != nil || got != "a" {
		t.Errorf("got %q, %v", got, err)
	}
}

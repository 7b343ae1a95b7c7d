// Package charset knows the encodings of log files by the names that Filebeat
// gives them, and what a line end looks like in each.
package charset

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Charset is an encoding of text files.
type Charset struct {
	Name string
	// Unit is the size of the smallest piece: line ends begin at multiples of it.
	Unit int
	// BOM says that a file begins with a byte order mark, which is no text.
	BOM bool

	text encoding.Encoding // nil: bytes are passed through
}

// Find looks an encoding up. The empty name is "plain".
func Find(name string) (Charset, error) {
	lower := strings.ToLower(name)
	switch lower {
	case "", "plain", "nop":
		return Charset{Name: "plain", Unit: 1}, nil
	case "utf-16be", "utf-16be-bom":
		return Charset{name, 2, lower != "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)}, nil
	case "utf-16le", "utf-16le-bom", "utf-16-bom":
		return Charset{name, 2, lower != "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)}, nil
	case "utf-32be":
		return Charset{name, 4, false, utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)}, nil
	case "utf-32le":
		return Charset{name, 4, false, utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)}, nil
	}
	if e, ok := table()[lower]; ok {
		return Charset{name, 1, false, e}, nil
	}
	if e, err := htmlindex.Get(lower); err == nil {
		return Charset{name, 1, false, e}, nil
	}
	return Charset{}, fmt.Errorf("unknown encoding %q: there are plain, utf-8, utf-16le-bom and their kin, %s", name, strings.Join(names(), ", "))
}

func names() []string {
	var out []string
	for n := range table() {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func table() map[string]encoding.Encoding {
	t := map[string]encoding.Encoding{
		"utf-8": unicode.UTF8, "utf8": unicode.UTF8,
		"gbk": simplifiedchinese.GBK, "gb18030": simplifiedchinese.GB18030, "hz-gb-2312": simplifiedchinese.HZGB2312,
		"big5": traditionalchinese.Big5, "euc-kr": korean.EUCKR, "euc-jp": japanese.EUCJP,
		"iso-2022-jp": japanese.ISO2022JP, "shift-jis": japanese.ShiftJIS,
		"koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U, "macintosh": charmap.Macintosh, "macintosh-cyrillic": charmap.MacintoshCyrillic,
		"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855,
		"cp858": charmap.CodePage858, "cp860": charmap.CodePage860, "cp862": charmap.CodePage862, "cp863": charmap.CodePage863,
		"cp865": charmap.CodePage865, "cp866": charmap.CodePage866,
		"ebcdic-037": charmap.CodePage037, "ebcdic-1040": charmap.CodePage1140, "ebcdic-1047": charmap.CodePage1047,
		"iso8859-1": charmap.ISO8859_1, "iso8859-2": charmap.ISO8859_2, "iso8859-3": charmap.ISO8859_3, "iso8859-4": charmap.ISO8859_4,
		"iso8859-5": charmap.ISO8859_5, "iso8859-6": charmap.ISO8859_6, "iso8859-6e": charmap.ISO8859_6E, "iso8859-6i": charmap.ISO8859_6I,
		"iso8859-7": charmap.ISO8859_7, "iso8859-8": charmap.ISO8859_8, "iso8859-8e": charmap.ISO8859_8E, "iso8859-8i": charmap.ISO8859_8I,
		"iso8859-9": charmap.ISO8859_9, "iso8859-10": charmap.ISO8859_10, "iso8859-13": charmap.ISO8859_13, "iso8859-14": charmap.ISO8859_14,
		"iso8859-15": charmap.ISO8859_15, "iso8859-16": charmap.ISO8859_16, "windows874": charmap.Windows874,
	}
	for n, e := range map[string]encoding.Encoding{
		"1250": charmap.Windows1250, "1251": charmap.Windows1251, "1252": charmap.Windows1252, "1253": charmap.Windows1253, "1254": charmap.Windows1254,
		"1255": charmap.Windows1255, "1256": charmap.Windows1256, "1257": charmap.Windows1257, "1258": charmap.Windows1258,
	} {
		t["windows"+n], t["windows-"+n], t["cp"+n] = e, e, e
	}
	return t
}

// Plain says whether the bytes are passed through.
func (c Charset) Plain() bool { return c.text == nil }

// WithMark takes the byte order from the file's first bytes, where they tell.
func (c Charset) WithMark(first []byte) Charset {
	if !c.BOM || len(first) < 2 {
		return c
	}
	switch {
	case first[0] == 0xfe && first[1] == 0xff:
		c.text = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case first[0] == 0xff && first[1] == 0xfe:
		c.text = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	}
	return c
}

// Encode turns text, such as a line end, into the encoding's bytes.
func (c Charset) Encode(s string) ([]byte, error) {
	if c.text == nil {
		return []byte(s), nil
	}
	b, err := c.text.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("encoding %s has no %q: %w", c.Name, s, err)
	}
	return b, nil
}

// Decoder turns bytes into UTF-8; nil where they are passed through. What can't
// be decoded becomes U+FFFD.
func (c Charset) Decoder() *encoding.Decoder {
	if c.text == nil {
		return nil
	}
	return c.text.NewDecoder()
}

// Terminator is the text that ends a line, by Filebeat's name for it. For auto
// it is a line feed, before which a carriage return counts too.
func Terminator(name string) (string, error) {
	switch name {
	case "", "auto", "line_feed":
		return "\n", nil
	case "vertical_tab":
		return "\u000b", nil
	case "form_feed":
		return "\u000c", nil
	case "carriage_return":
		return "\r", nil
	case "carriage_return_line_feed":
		return "\r\n", nil
	case "next_line":
		return "\u0085", nil
	case "line_separator":
		return "\u2028", nil
	case "paragraph_separator":
		return "\u2029", nil
	case "null_terminator":
		return "\x00", nil
	}
	return "", fmt.Errorf("unknown line_terminator %q", name)
}

package eval

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var stringFunctions = map[string]builder{
	"UPPER": cased(strings.ToUpper, cases.Upper(language.Und)), "LOWER": cased(strings.ToLower, cases.Lower(language.Und)), "INITCAP": text1(initcap), "REVERSE": text1(reverse),
	"CHAR_LENGTH": length, "CHARACTER_LENGTH": length, "LENGTH": length,
	"OCTET_LENGTH": simple(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Ints[i] = int64(len(a[0].Strs[i]))
		return nil
	}),
	plan.FnSubstring: simple(substring), "SUBSTR": simple(substring),
	"LEFT": simple(left), "RIGHT": simple(right),
	plan.FnTrim: trim, "LTRIM": side(strings.TrimLeft), "RTRIM": side(strings.TrimRight), "BTRIM": side(strings.Trim),
	"REPLACE": failing(replace), "TRANSLATE": text3(translate), plan.FnOverlay: simple(overlay),
	plan.FnPosition: position, "LOCATE": position, "INSTR": position,
	"CONCAT": concat, plan.FnConcatOp: concat, "CONCAT_WS": lenient(concatWS),
	"LPAD": pad(true), "RPAD": pad(false), "REPEAT": failing(repeat), "SPACE": failing(space),
	"SPLIT_INDEX": simple(splitIndex), "SPLIT": lenient(split), "STR_TO_MAP": simple(strToMap),
	"ASCII": simple(ascii), "CHR": simple(chr), "TO_BASE64": text1(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"FROM_BASE64": failing(fromBase64), "ENCODE": failing(encode), "DECODE": failing(decode), "PARSE_URL": parseURL,
	"STARTSWITH": test2(strings.HasPrefix), "ENDSWITH": test2(strings.HasSuffix),
	"IS_ALPHA": allOf(unicode.IsLetter, false), "IS_DIGIT": allOf(unicode.IsDigit, true), "IS_DECIMAL": lenient(isDecimal),
	"URL_ENCODE": text1(url.QueryEscape), "URL_DECODE": simple(urlDecode), "ELT": lenient(elt), "PRINTF": lenient(printf),
}

func text1(f func(string) string) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error { out.Strs[i] = f(a[0].Strs[i]); return nil })
}

func text3(f func(x, y, z string) string) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Strs[i] = f(a[0].Strs[i], a[1].Strs[i], a[2].Strs[i])
		return nil
	})
}

func test2(f func(x, y string) bool) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Bools[i] = f(a[0].Strs[i], a[1].Strs[i])
		return nil
	})
}

func replace(a []*column.Vector, i int, out *column.Vector) error {
	s, from, to := a[0].Strs[i], a[1].Strs[i], a[2].Strs[i]
	if len(to) > len(from) && len(s)+strings.Count(s, from)*(len(to)-len(from)) > maxText {
		return errTooLong
	}
	out.Strs[i] = strings.ReplaceAll(s, from, to)
	return nil
}

// cased is UPPER and LOWER with the characters that become two, such as ß.
func cased(ascii func(string) string, full cases.Caser) builder {
	return func(*compiler, *plan.Call) (*spec, error) {
		full := full // it holds state
		return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
			s := a[0].Strs[i]
			if plainASCII(s) {
				out.Strs[i] = ascii(s)
				return nil
			}
			full.Reset()
			out.Strs[i] = full.String(s)
			return nil
		}}, nil
	}
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// initcap knows only the letters and digits of ASCII, as Flink's does.
func initcap(s string) string {
	b := []byte(s)
	start := true
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z':
			if start {
				b[i] -= 'a' - 'A'
			}
			start = false
		case c >= 'A' && c <= 'Z':
			if !start {
				b[i] += 'a' - 'A'
			}
			start = false
		case c >= '0' && c <= '9':
			start = false
		default:
			start = true
		}
	}
	return string(b)
}

func reverse(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

func length(_ *compiler, e *plan.Call) (*spec, error) {
	binary := e.Args[0].Type().Kind.IsBinary()
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if binary {
			out.Ints[i] = int64(len(a[0].Strs[i]))
			return nil
		}
		out.Ints[i] = int64(utf8.RuneCountInString(a[0].Strs[i]))
		return nil
	}}, nil
}

// substring counts characters from 1, from the end when start is negative.
func substring(a []*column.Vector, i int, out *column.Vector) error {
	s, start := a[0].Strs[i], a[1].Ints[i]
	size := int64(math.MaxInt32)
	if len(a) > 2 {
		size = a[2].Ints[i]
	}
	if size < 0 {
		out.SetNull(i)
		return nil
	}
	out.Strs[i] = slice(s, start, size)
	return nil
}

func slice(s string, start, size int64) string {
	ascii := int64(len(s)) == int64(utf8.RuneCountInString(s))
	n := int64(utf8.RuneCountInString(s))
	switch {
	case start > 0:
		start--
	case start < 0:
		start += n
		if start < 0 {
			return ""
		}
	}
	if start >= n {
		return ""
	}
	end := min(n, start+size)
	if ascii {
		return s[start:end]
	}
	s = s[byteOffset(s, int(start)):]
	return s[:byteOffset(s, int(end-start))]
}

func left(a []*column.Vector, i int, out *column.Vector) error {
	out.Strs[i] = a[0].Strs[i][:byteOffset(a[0].Strs[i], int(max(0, a[1].Ints[i])))]
	return nil
}

func right(a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Strs[i]
	n := int64(utf8.RuneCountInString(s))
	out.Strs[i] = s[byteOffset(s, int(max(0, n-max(0, a[1].Ints[i])))):]
	return nil
}

func trim(_ *compiler, e *plan.Call) (*spec, error) {
	f := strings.Trim
	switch symbol(e.Args[0]) {
	case "LEADING":
		f = strings.TrimLeft
	case "TRAILING":
		f = strings.TrimRight
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		out.Strs[i] = f(a[2].Strs[i], a[1].Strs[i])
		return nil
	}}, nil
}

func side(f func(s, cutset string) string) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		cut := " "
		if len(a) > 1 {
			cut = a[1].Strs[i]
		}
		out.Strs[i] = f(a[0].Strs[i], cut)
		return nil
	})
}

func translate(s, from, to string) string {
	target := []rune(to)
	table := make(map[rune]int)
	for k, r := range []rune(from) {
		if _, ok := table[r]; !ok {
			table[r] = k
		}
	}
	return strings.Map(func(r rune) rune {
		k, ok := table[r]
		switch {
		case !ok:
			return r
		case k < len(target):
			return target[k]
		default:
			return -1
		}
	}, s)
}

func overlay(a []*column.Vector, i int, out *column.Vector) error {
	s, with, start := a[0].Strs[i], a[1].Strs[i], a[2].Ints[i]
	size := int64(utf8.RuneCountInString(with))
	if len(a) > 3 {
		size = a[3].Ints[i]
	}
	if astral(s) || astral(with) {
		if len(a) <= 3 {
			size = int64(len(units(with)))
		}
		out.Strs[i] = overlayUnits(s, with, start, size)
		return nil
	}
	n := int64(utf8.RuneCountInString(s))
	if start <= 0 || start > n {
		out.Strs[i] = s
		return nil
	}
	head := s[:byteOffset(s, int(start-1))]
	tail := ""
	if size != 0 && start-1+size < n && size > 0 {
		tail = s[byteOffset(s, int(start-1+size)):]
	}
	out.Strs[i] = head + with + tail
	return nil
}

// position is POSITION, LOCATE (sought, text[, from]) and INSTR (text, sought).
func position(_ *compiler, e *plan.Call) (*spec, error) {
	sought, in := 0, 1
	if e.Function == "INSTR" {
		if len(e.Args) > 2 {
			return &spec{fn: instr, fails: true}, nil
		}
		sought, in = 1, 0
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		s, from := a[in].Strs[i], int64(1)
		if len(a) > 2 {
			from = a[2].Ints[i]
		}
		if len(a[sought].Strs[i]) == 0 {
			out.Ints[i] = 1
			return nil
		}
		from = max(from, 1)
		skipped := byteOffset(s, int(from-1))
		at := strings.Index(s[skipped:], a[sought].Strs[i])
		if at < 0 || from-1 > int64(utf8.RuneCountInString(s)) {
			out.Ints[i] = 0
			return nil
		}
		out.Ints[i] = int64(utf8.RuneCountInString(s[:skipped+at])) + 1
		return nil
	}}, nil
}

var errNth = errors.New("the number of the appearance must be 1 or more")

// instr finds the n-th appearance from a place on; from the end when it is negative.
func instr(a []*column.Vector, i int, out *column.Vector) error {
	s, sought, from, nth := []rune(a[0].Strs[i]), []rune(a[1].Strs[i]), int(a[2].Ints[i]), int64(1)
	if len(a) > 3 {
		nth = a[3].Ints[i]
	}
	if nth <= 0 {
		return errNth
	}
	at, step := from-1, 1
	if from < 0 {
		at, step = len(s)+from, -1
	}
	out.Ints[i] = 0
	if from == 0 {
		return nil
	}
	for ; at >= 0 && at <= len(s); at += step {
		if at+len(sought) <= len(s) && slices.Equal(s[at:at+len(sought)], sought) {
			if nth--; nth == 0 {
				out.Ints[i] = int64(at) + 1
				return nil
			}
		}
	}
	return nil
}

func concat(*compiler, *plan.Call) (*spec, error) {
	return &spec{fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		size := 0
		for _, v := range a {
			size += len(v.Strs[i])
		}
		if size > maxText {
			return errTooLong
		}
		scratch := out.Scratch()
		at := len(scratch)
		for _, v := range a {
			scratch = append(scratch, v.Strs[i]...)
		}
		out.Keep(i, scratch, at)
		return nil
	}}, nil
}

func concatWS(a []*column.Vector, i int, out *column.Vector) error {
	if a[0].IsNull(i) {
		out.SetNull(i)
		return nil
	}
	var parts []string
	size := 0
	for _, v := range a[1:] {
		if !v.IsNull(i) {
			parts = append(parts, v.Strs[i])
			size += len(v.Strs[i]) + len(a[0].Strs[i])
		}
	}
	if size > maxText {
		return errTooLong
	}
	out.Strs[i] = strings.Join(parts, a[0].Strs[i])
	return nil
}

const maxText = 16 << 20 // bytes that REPEAT and the like may make of one value

var errTooLong = fmt.Errorf("the result would be longer than %d MiB", maxText>>20)

func pad(atLeft bool) builder {
	return failing(func(a []*column.Vector, i int, out *column.Vector) error {
		s, size, with := a[0].Strs[i], a[1].Ints[i], a[2].Strs[i]
		n := int64(utf8.RuneCountInString(s))
		switch {
		case size < 0 || with == "":
			out.SetNull(i)
			return nil
		case size > maxText:
			return errTooLong
		case astral(s) || astral(with):
			out.Strs[i] = padUnits(s, with, int(size), atLeft)
			return nil
		case size <= n:
			out.Strs[i] = s[:byteOffset(s, int(size))]
			return nil
		}
		fill := strings.Repeat(with, int(size-n)/utf8.RuneCountInString(with)+1)
		fill = fill[:byteOffset(fill, int(size-n))]
		if atLeft {
			out.Strs[i] = fill + s
		} else {
			out.Strs[i] = s + fill
		}
		return nil
	})
}

func repeat(a []*column.Vector, i int, out *column.Vector) error {
	s, n := a[0].Strs[i], max(0, a[1].Ints[i])
	if s != "" && n > int64(maxText/len(s)) {
		return errTooLong
	}
	out.Strs[i] = strings.Repeat(s, int(n))
	return nil
}

func space(a []*column.Vector, i int, out *column.Vector) error {
	if a[0].Ints[i] > maxText {
		return errTooLong
	}
	out.Strs[i] = strings.Repeat(" ", int(max(0, a[0].Ints[i])))
	return nil
}

func splitIndex(a []*column.Vector, i int, out *column.Vector) error {
	s, index := a[0].Strs[i], a[2].Ints[i]
	var sep string
	if column.LayoutOf(a[1].Type) == column.Ints {
		sep = string(rune(a[1].Ints[i]))
	} else {
		sep = a[1].Strs[i]
	}
	if index < 0 || s == "" {
		out.SetNull(i)
		return nil
	}
	if sep == "" { // Flink's splitter takes it for any blank
		fields := splitBlank(s)
		if index >= int64(len(fields)) {
			out.SetNull(i)
			return nil
		}
		out.Strs[i] = fields[index]
		return nil
	}
	for ; index > 0; index-- {
		_, rest, ok := strings.Cut(s, sep)
		if !ok {
			out.SetNull(i)
			return nil
		}
		s = rest
	}
	out.Strs[i], _, _ = strings.Cut(s, sep)
	return nil
}

// splitBlank splits at every single blank.
func splitBlank(s string) []string {
	var out []string
	for {
		at := strings.IndexFunc(s, unicode.IsSpace)
		if at < 0 {
			return append(out, s)
		}
		out = append(out, s[:at])
		_, n := utf8.DecodeRuneInString(s[at:])
		s = s[at+n:]
	}
}

func split(a []*column.Vector, i int, out *column.Vector) error {
	if a[0].IsNull(i) || a[1].IsNull(i) {
		out.SetNull(i)
		return nil
	}
	if a[0].Strs[i] == "" {
		return setListAt(out, i, nil)
	}
	var parts []any
	for p := range strings.SplitSeq(a[0].Strs[i], a[1].Strs[i]) {
		parts = append(parts, p)
	}
	out.Set(i, parts)
	if parts == nil {
		out.Set(i, []any{})
	}
	return nil
}

func strToMap(a []*column.Vector, i int, out *column.Vector) error {
	list, pair := ",", "="
	if len(a) > 2 {
		list, pair = a[1].Strs[i], a[2].Strs[i]
	}
	var m column.MapValue
	if a[0].Strs[i] == "" {
		out.Set(i, m)
		return nil
	}
	for entry := range strings.SplitSeq(a[0].Strs[i], list) {
		k, v, ok := strings.Cut(entry, pair)
		if ok {
			m.Keys, m.Values = append(m.Keys, k), append(m.Values, v)
		} else {
			m.Keys, m.Values = append(m.Keys, k), append(m.Values, nil)
		}
	}
	out.Set(i, m)
	return nil
}

func ascii(a []*column.Vector, i int, out *column.Vector) error {
	out.Ints[i] = 0
	if s := a[0].Strs[i]; s != "" {
		out.Ints[i] = int64(int8(s[0]))
	}
	return nil
}

func chr(a []*column.Vector, i int, out *column.Vector) error {
	n := a[0].Ints[i]
	switch {
	case n < 0:
		out.Strs[i] = ""
	default:
		out.Strs[i] = string(rune(n & 0xff))
	}
	return nil
}

// fromBase64 takes texts with and without their padding.
func fromBase64(a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Strs[i]
	encoding := base64.RawStdEncoding
	if strings.HasSuffix(s, "=") {
		encoding = base64.StdEncoding
	}
	if strings.ContainsAny(s, "\r\n") {
		return fmt.Errorf("%q is not base64", brief(s))
	}
	b, err := encoding.DecodeString(s)
	if err != nil {
		return fmt.Errorf("%q is not base64", brief(s))
	}
	out.SetBytes(i, b)
	return nil
}

// allOf tests every character; NULL and empty texts give FALSE. What a number
// gives, of any value, is ofNumber.
func allOf(f func(rune) bool, ofNumber bool) builder {
	return lenient(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Bools[i] = ofNumber && (a[0].Type.Kind.IsInteger() || a[0].Type.Kind.IsApprox())
		if a[0].IsNull(i) || column.LayoutOf(a[0].Type) != column.Strs || a[0].Strs[i] == "" {
			return nil
		}
		for _, r := range a[0].Strs[i] {
			if !f(r) {
				return nil
			}
		}
		out.Bools[i] = true
		return nil
	})
}

func urlDecode(a []*column.Vector, i int, out *column.Vector) error {
	s, err := url.QueryUnescape(a[0].Strs[i])
	if err != nil {
		out.SetNull(i)
		return nil //nolint:nilerr // NULL is the answer
	}
	out.Strs[i] = s
	return nil
}

func elt(a []*column.Vector, i int, out *column.Vector) error {
	if a[0].IsNull(i) || a[0].Ints[i] < 1 || a[0].Ints[i] >= int64(len(a)) || a[a[0].Ints[i]].IsNull(i) {
		out.SetNull(i)
		return nil
	}
	out.Strs[i] = a[a[0].Ints[i]].Strs[i]
	return nil
}

func printf(a []*column.Vector, i int, out *column.Vector) error {
	if a[0].IsNull(i) {
		out.SetNull(i)
		return nil
	}
	args := make([]any, 0, len(a)-1)
	for _, v := range a[1:] {
		x := v.Value(i)
		if x == nil {
			x = "null"
		}
		args = append(args, x)
	}
	out.Strs[i] = fmt.Sprintf(a[0].Strs[i], args...)
	if strings.Contains(out.Strs[i], "%!") {
		out.SetNull(i)
	}
	return nil
}

func isText(t types.Type) bool { return column.LayoutOf(t) == column.Strs }

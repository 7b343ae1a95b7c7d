package eval

import (
	"crypto/md5"  //nolint:gosec // MD5() is a function of the language
	"crypto/sha1" //nolint:gosec // SHA1() is a function of the language
	"crypto/sha256"
	"crypto/sha512"
	encodinghex "encoding/hex"
	"fmt"
	"hash"

	"github.com/google/uuid"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

var otherFunctions = map[string]builder{
	plan.FnNot:    simple(func(a []*column.Vector, i int, out *column.Vector) error { out.Bools[i] = !a[0].Bools[i]; return nil }),
	plan.FnIsTrue: truth(func(null, v bool) bool { return !null && v }), plan.FnIsNotTrue: truth(func(null, v bool) bool { return null || !v }),
	plan.FnIsFalse: truth(func(null, v bool) bool { return !null && !v }), plan.FnIsNotFalse: truth(func(null, v bool) bool { return null || v }),
	plan.FnIsUnknown: truth(func(null, _ bool) bool { return null }),
	plan.FnDistinct:  distinct, plan.FnNotDistinct: distinct, "NULLIF": nullIf,
	plan.FnBetween: between, plan.FnNotBetween: between, plan.FnBetweenSymmetric: between, plan.FnNotBetweenSymmetric: between,
	plan.FnLike: like, plan.FnNotLike: like, plan.FnSimilar: like, plan.FnNotSimilar: like,
	"REGEXP": regexFunction(regexpTest), "REGEXP_EXTRACT": regexFunction(regexpExtract), "REGEXP_EXTRACT_ALL": regexFunction(regexpExtractAll),
	"REGEXP_REPLACE": regexFunction(regexpReplace), "REGEXP_COUNT": regexFunction(regexpCount), "REGEXP_SUBSTR": regexFunction(regexpSubstr),
	"REGEXP_INSTR": regexFunction(regexpInstr),
	"MD5":          digest(md5.New), "SHA1": digest(sha1.New), "SHA224": digest(sha256.New224), "SHA256": digest(sha256.New),
	"SHA384": digest(sha512.New384), "SHA512": digest(sha512.New), "SHA2": failing(sha2),
	"UUID": value(func() any { return uuid.NewString() }),
}

func digest(fresh func() hash.Hash) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		h := fresh()
		h.Write([]byte(a[0].Strs[i]))
		out.Strs[i] = encodinghex.EncodeToString(h.Sum(nil))
		return nil
	})
}

func sha2(a []*column.Vector, i int, out *column.Vector) error {
	var h hash.Hash
	switch a[1].Ints[i] {
	case 224:
		h = sha256.New224()
	case 256:
		h = sha256.New()
	case 384:
		h = sha512.New384()
	case 512:
		h = sha512.New()
	default:
		return fmt.Errorf("SHA2 knows 224, 256, 384 and 512 bits, not %d", a[1].Ints[i])
	}
	h.Write([]byte(a[0].Strs[i]))
	out.Strs[i] = encodinghex.EncodeToString(h.Sum(nil))
	return nil
}

func distinct(_ *compiler, e *plan.Call) (*spec, error) {
	cmp := CompareOf(e.Args[0].Type(), e.Args[1].Type())
	if cmp == nil && column.LayoutOf(e.Args[0].Type()) != column.Nothing && column.LayoutOf(e.Args[1].Type()) != column.Nothing {
		return nil, nil
	}
	want := e.Function == plan.FnDistinct
	return &spec{lenient: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		x, y := a[0].IsNull(i), a[1].IsNull(i)
		same := x == y && (x || cmp(a[0], i, a[1], i) == 0)
		out.Bools[i] = same != want
		return nil
	}}, nil
}

func nullIf(_ *compiler, e *plan.Call) (*spec, error) {
	cmp := CompareOf(e.Args[0].Type(), e.Args[1].Type())
	if cmp == nil {
		return nil, nil
	}
	return &spec{lenient: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if !a[0].IsNull(i) && !a[1].IsNull(i) && cmp(a[0], i, a[1], i) == 0 {
			out.SetNull(i)
			return nil
		}
		column.CopyRow(out, i, a[0], i)
		return nil
	}}, nil
}

func between(_ *compiler, e *plan.Call) (*spec, error) {
	low, high := CompareOf(e.Args[0].Type(), e.Args[1].Type()), CompareOf(e.Args[0].Type(), e.Args[2].Type())
	if low == nil || high == nil {
		return nil, nil
	}
	not := e.Function == plan.FnNotBetween || e.Function == plan.FnNotBetweenSymmetric
	symmetric := e.Function == plan.FnBetweenSymmetric || e.Function == plan.FnNotBetweenSymmetric
	return &spec{lenient: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		within := rangeTest(a, i, low, high, 1, 2)
		if symmetric {
			within = max(within, rangeTest(a, i, low, high, 2, 1))
		}
		switch within {
		case 0:
			out.SetNull(i)
		default:
			out.Bools[i] = (within > 0) != not
		}
		return nil
	}}, nil
}

// rangeTest returns 1 for within, -1 for outside, 0 for unknown.
func rangeTest(a []*column.Vector, i int, cmpLow, cmpHigh Comparer, low, high int) int {
	if a[0].IsNull(i) {
		return 0
	}
	result := 1
	for _, side := range [...]struct {
		v    *column.Vector
		cmp  Comparer
		want int
	}{{a[low], cmpLow, 1}, {a[high], cmpHigh, -1}} {
		switch {
		case side.v.IsNull(i):
			result = min(result, 0)
		case side.cmp(a[0], i, side.v, i)*side.want < 0:
			return -1
		}
	}
	return result
}

// Package token defines the words of SQL text.
package token

import "github.com/weirflow/weirflow/services/transform/internal/plan"

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens.
const (
	EOF     Kind = iota
	Word         // an identifier or keyword without quotes
	Quoted       // an identifier between backquotes
	String       // a character literal, its escapes resolved
	Binary       // X'..': Text holds the hexadecimal digits
	Integer      // digits only
	Decimal      // with a point
	Approx       // with an exponent
	Op           // an operator or punctuation
	Hint         // the start of a hint, /*+; its content follows as tokens up to HintEnd
	HintEnd      // */
)

// Token is a word of the text with its place.
type Token struct {
	Kind  Kind
	Text  string // identifiers and literals: their value; else as written
	Upper string // Word: in upper case, for keywords
	At    plan.Pos
	Start int // byte offset in the text
	End   int
}

// Is reports whether the token is the keyword or operator given, in upper case.
func (t Token) Is(s string) bool {
	return t.Kind == Word && t.Upper == s || t.Kind == Op && t.Text == s
}

// Describe returns the token as an error message names it.
func (t Token) Describe() string {
	switch t.Kind {
	case EOF:
		return "the end of the text"
	case String:
		return "the literal '" + short(t.Text) + "'"
	case Quoted:
		return "`" + short(t.Text) + "`"
	case Hint:
		return "a hint"
	case HintEnd:
		return "the end of a hint"
	default:
		return "\"" + short(t.Text) + "\""
	}
}

// Shown is how many characters of a token error messages show.
const Shown = 40

func short(s string) string {
	r := []rune(s)
	if len(r) > Shown {
		return string(r[:Shown]) + "…"
	}
	return s
}

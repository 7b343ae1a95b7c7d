package token_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

func TestReserved(t *testing.T) {
	t.Parallel()
	words := token.NewWords()
	for word, want := range map[string]bool{
		"OFFSET": true, "VALUE": true, "TIMESTAMP": true, "USER": true, "DATE": true, "STRING": true, "COMMENT": true,
		"HOST": false, "MESSAGE": false, "LOG": false, "PATH": false, "LEVEL": false, "NAME": false, "DATA": false, "KEY": false, "TYPE": false, "TUMBLE": false,
	} {
		if got := words.Reserved(word); got != want {
			t.Errorf("%s: %t, want %t", word, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for want, tok := range map[string]token.Token{
		"the end of the text": {Kind: token.EOF}, `"FROM"`: {Kind: token.Word, Text: "FROM"}, "the literal 'x'": {Kind: token.String, Text: "x"}, "`a`": {Kind: token.Quoted, Text: "a"},
	} {
		if got := tok.Describe(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

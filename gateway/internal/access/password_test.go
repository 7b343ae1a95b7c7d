package access

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPasswords(t *testing.T) {
	h := newHasher(Hash{MemoryKiB: 8 << 10, Passes: 1, AtOnce: 2})
	hash, err := h.hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=8192,t=1,p=1$") {
		t.Fatalf("%q, %v", hash, err)
	}
	again, err := h.hash(t.Context(), "correct horse")
	if err != nil || again == hash {
		t.Errorf("two hashes of a password are the same: %v", err)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false, strings.Repeat("x", 5000): false} {
		if ok, err := h.matches(t.Context(), hash, password); err != nil || ok != want {
			t.Errorf("%.20q: %t, %v", password, ok, err)
		}
	}
	if ok, err := h.matches(t.Context(), "", ""); ok || err != nil {
		t.Errorf("the password of nobody: %t, %v", ok, err)
	}
}

// A row that somebody wrote into the topic can't take the gateway's memory or time.
func TestSillyHashesAreRefused(t *testing.T) {
	h := newHasher(Hash{MemoryKiB: 8 << 10, Passes: 1, AtOnce: 2})
	for _, bad := range []string{
		"x", "$argon2i$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=18$m=8192,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=8192,t=999999,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=8192,t=0,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=8192,t=1,p=0$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$", "$argon2id$v=19$m=8192,t=1,p=1$!$AAAAAAAAAAAAAAAAAAAAAA",
	} {
		if ok, err := h.matches(t.Context(), bad, "x"); ok || err == nil {
			t.Errorf("%s: %t, %v", bad, ok, err)
		}
	}
}

func TestOnlySoManyHashesRunAtOnce(t *testing.T) {
	h := newHasher(Hash{MemoryKiB: 8 << 10, Passes: 1, AtOnce: 1})
	h.turn <- struct{}{} // one runs, and does not end
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := h.hash(ctx, "x"); err == nil {
				t.Error("a second hash ran")
			}
		})
	}
	wg.Wait()
}

func TestNamesAndPasswordsAreChecked(t *testing.T) {
	for name, want := range map[string]bool{"anna": true, "Anna.B_c-d@e.f": true, "": false, "a b": false, "a/b": false, "ä": false, strings.Repeat("a", 65): false, "a\x00": false} {
		if got := checkName(name) == nil; got != want {
			t.Errorf("name %q: %t", name, got)
		}
	}
	for password, want := range map[string]bool{"twelve chars": true, "elf zeichen": false, "üüäüüäüüäüüä": true, "administrator": false, strings.Repeat("ab", 600): false, "aaaaaaaaaaaaa": false} {
		if got := checkPassword("administrator", password) == nil; got != want {
			t.Errorf("password %.20q: %t", password, got)
		}
	}
}

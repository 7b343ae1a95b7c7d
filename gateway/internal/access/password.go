package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Bounds of argon2id, for the configuration and for what is read from Kafka.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 8
	saltLength   = 16
	keyLength    = 32
)

// Bounds of passwords and names.
const (
	minPassword = 12
	maxPassword = 1024
	maxName     = 64
)

// hashWait is for how long a check waits for its turn.
const hashWait = 5 * time.Second

// hasher hashes passwords, a few at a time: each takes memory.
type hasher struct {
	cost Hash
	turn chan struct{}
	// nobody is a hash against which passwords of unknown users are held, so that
	// they take as long as known ones.
	nobody string
	pepper []byte
}

func newHasher(cost Hash) *hasher {
	h := &hasher{cost: cost, turn: make(chan struct{}, cost.AtOnce), pepper: []byte(rand.Text())}
	h.nobody = encode(cost, make([]byte, saltLength), make([]byte, keyLength))
	return h
}

func encode(cost Hash, salt, key []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, cost.MemoryKiB, cost.Passes, b.EncodeToString(salt), b.EncodeToString(key))
}

func (h *hasher) enter(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return status.Error(codes.ResourceExhausted, "too many passwords are being checked; try again in some seconds")
	}
}

// hash makes what is kept of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.turn }()
	salt := make([]byte, saltLength)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	return encode(h.cost, salt, argon2.IDKey([]byte(password), salt, h.cost.Passes, h.cost.MemoryKiB, 1, keyLength)), nil
}

// matches reports whether a password is that of a hash. An empty hash matches none,
// but takes as long.
func (h *hasher) matches(ctx context.Context, hash, password string) (bool, error) {
	if len(password) > maxPassword {
		password = ""
	}
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	p, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer func() { <-h.turn }()
	got := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(got, p.key) == 1 && known, nil
}

// remembered is by what a password that was right is known for a while, so that not
// every call of a program that brings it costs a hash.
func (h *hasher) remembered(hash, password string) string {
	m := hmac.New(sha256.New, h.pepper)
	_, _ = fmt.Fprintf(m, "%d:%s:%s", len(hash), hash, password) // an HMAC takes all
	return string(m.Sum(nil))
}

type parsedHash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func parseHash(s string) (parsedHash, error) {
	var p parsedHash
	broken := errors.New("the kept hash of the password is not one of argon2id with sensible parameters")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, broken
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil || n != 3 {
		return p, broken
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, broken
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, broken
	}
	if p.memory > maxMemoryKiB || p.passes < 1 || p.passes > maxPasses || p.lanes < 1 || p.lanes > maxLanes || len(p.key) < 16 || len(p.key) > 64 {
		return p, broken
	}
	return p, nil
}

func checkPassword(name, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return fmt.Errorf("a password has %d characters at least", minPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("a password has %d bytes at most", maxPassword)
	case strings.EqualFold(password, name):
		return errors.New("the password is the name")
	case strings.Count(password, password[:1]) == len(password):
		return errors.New("the password is one character again and again")
	}
	return nil
}

func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("a name has 1 to %d characters", maxName)
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._@-", r) {
			return fmt.Errorf("a name has letters, digits and . _ @ - only, not %q", r)
		}
	}
	return nil
}

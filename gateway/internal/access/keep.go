package access

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

const (
	sweepEvery = 10 * time.Minute
	// keepExpired is for how long tokens that ended are still listed.
	keepExpired = 30 * 24 * time.Hour
)

// keep makes the first administrator, and forgets now and then what has ended.
func (a *Access) keep(ctx context.Context) {
	if a.store.wait(ctx) != nil {
		return
	}
	for ctx.Err() == nil {
		err := a.bootstrap(ctx)
		if err == nil {
			break
		}
		a.log.Warn("the first administrator can't be made yet; trying on", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.sweep(ctx)
		}
	}
}

// bootstrap makes the configured administrator if there is none who can log in.
func (a *Access) bootstrap(ctx context.Context) error {
	if a.cfg.Admin.Name == "" {
		return nil
	}
	a.change.Lock()
	defer a.change.Unlock()
	if !a.lastAdmin("") {
		return nil
	}
	hash, err := a.hashes.hash(ctx, a.cfg.Admin.Password.Reveal())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	u := &accessv1.User{Name: a.cfg.Admin.Name, Role: admin, CreatedAt: a.stamp()}
	if err := a.store.users.Put(ctx, u.GetName(), &accessv1.UserRecord{User: u, PasswordHash: hash, Id: rand.Text(), Generation: rand.Text()}); err != nil {
		return err
	}
	a.log.Info("the first administrator is made", "name", u.GetName())
	a.d.Audit.Write(&accessv1.AuditEntry{At: a.stamp(), Method: "bootstrap", Target: u.GetName(), Code: "OK"})
	return nil
}

// sweep deletes what has ended.
func (a *Access) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	now := a.d.Now()
	for key, s := range a.store.sessions.All() {
		if a.sessionOwner(key, s) == nil {
			_ = a.store.sessions.Delete(ctx, key) // the next sweep tries again
		}
	}
	for id, t := range a.store.tokens.All() {
		owner, _ := a.store.users.Get(t.GetToken().GetOwner())
		if owner.GetId() != t.GetOwnerId() || now.Sub(t.GetToken().GetExpiresAt().AsTime()) > keepExpired {
			_ = a.store.tokens.Delete(ctx, id) // the next sweep tries again
		}
	}
	for key := range a.store.uses.All() {
		if !a.there(key) {
			a.store.forget(ctx, key)
		}
	}
	a.known.sweep()
	a.store.prune(now.Add(-2 * useEvery))
}

// there reports whether that of which a use was noted is still there.
func (a *Access) there(use string) bool {
	kind, key, _ := strings.Cut(use, "/")
	ok := false
	switch kind {
	case "user":
		_, ok = a.store.users.Get(key)
	case "token":
		_, ok = a.store.tokens.Get(key)
	case "session":
		_, ok = a.store.sessions.Get(key)
	}
	return ok
}

package notify

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/cluster"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/common/config"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/weirflow/weirflow/services/platform/rpc"
)

const (
	// leaveTimeout bounds how long the others are told that this one goes.
	leaveTimeout = 5 * time.Second
	// settleRounds is how many rounds of gossip a new member waits before it sends.
	settleRounds = 10
)

// Cluster is how instances tell each other what they sent, so that people hear of an
// alert once though each instance knows of it.
type Cluster struct {
	// Listen is the address for the others (TCP and UDP); empty: there are none.
	Listen string
	// Advertise is the address that the others are told, where it is another.
	Advertise string
	// Peers are addresses of others, some of them at least.
	Peers []string
	// Wait is for how long an instance lets each of those before it go first.
	Wait time.Duration
	// TLS, if set, has a certificate, its key and the authority of all of them; all is
	// said over TCP then.
	TLS rpc.TLS
}

// transport is how instances prove each other who they are, nil where they do not.
func (c Cluster) transport() *cluster.TLSTransportConfig {
	if c.TLS == (rpc.TLS{}) {
		return nil
	}
	return &cluster.TLSTransportConfig{
		TLSServerConfig: &web.TLSConfig{TLSCertPath: c.TLS.CertFile, TLSKeyPath: c.TLS.KeyFile, ClientCAs: c.TLS.CAFile, ClientAuth: "RequireAndVerifyClientCert", MinVersion: tls.VersionTLS12},
		TLSClientConfig: &config.TLSConfig{CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, CAFile: c.TLS.CAFile, MinVersion: tls.VersionTLS12},
	}
}

// member is this instance among others; none if its peer is nil.
type member struct {
	peer *cluster.Peer
	wait time.Duration
}

// join makes the engine a member: the log of what was sent and the silences are shared.
func (e *Engine) join(history *nflog.Log) error {
	c := e.cfg.Cluster
	if c.Listen == "" {
		return nil
	}
	p, err := cluster.Create(e.d.Logger, e.d.Registry, c.Listen, c.Advertise, c.Peers, true, cluster.DefaultPushPullInterval, cluster.DefaultGossipInterval,
		cluster.DefaultTCPTimeout, cluster.DefaultResolvePeersTimeout, cluster.DefaultProbeTimeout, cluster.DefaultProbeInterval, c.transport(), false, "", "")
	if err != nil {
		return fmt.Errorf("listen for other instances on alerting.notify.cluster.listen %s: %w", c.Listen, err)
	}
	history.SetBroadcast(p.AddState("nfl", history, e.d.Registry).Broadcast)
	e.silences.SetBroadcast(p.AddState("sil", e.silences, e.d.Registry).Broadcast)
	e.member = member{peer: p, wait: c.Wait}
	return nil
}

// run meets the others and stays among them until the context ends.
func (m member) run(ctx context.Context, complain func(error)) {
	if m.peer == nil {
		return
	}
	if err := m.peer.Join(cluster.DefaultReconnectInterval, cluster.DefaultReconnectTimeout); err != nil {
		complain(fmt.Errorf("meet the other instances; it is tried again: %w", err))
	}
	go m.peer.Settle(ctx, settleRounds*cluster.DefaultGossipInterval)
	<-ctx.Done()
	if err := m.peer.Leave(leaveTimeout); err != nil {
		complain(fmt.Errorf("leave the other instances: %w", err))
	}
}

// turn is for how long the instances before this one are let go first.
func (m member) turn() time.Duration {
	if m.peer == nil {
		return 0
	}
	return time.Duration(m.peer.Position()) * m.wait
}

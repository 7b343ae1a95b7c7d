// Command searchstore runs the embedded search store by itself.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/standalone/searchstore"
)

func main() {
	cfg, log := searchstore.DefaultConfig(), slog.New(slog.NewTextHandler(os.Stderr, nil))
	flag.StringVar(&cfg.Listen, "listen", cfg.Listen, "address of the HTTP API")
	flag.StringVar(&cfg.DataDir, "data-dir", cfg.DataDir, "directory of the indices")
	flag.Parse()
	cfg.Password = secret.String(os.Getenv("WEIRFLOW_SEARCH_PASSWORD"))
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	s, err := searchstore.New(cfg, searchstore.Deps{Logger: log})
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		log.Error("search store stopped", slog.Any("error", err))
		os.Exit(1)
	}
}

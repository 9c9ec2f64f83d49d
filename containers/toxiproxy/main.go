// Toxiproxy's server with one toxic more: see slow_share.go. What it does beside is what its own command does for the arguments that our image gives it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
)

func main() {
	host := flag.String("host", "localhost", "where its API listens")
	flag.Parse()

	// Without LOG_LEVEL it tells everything.
	level, err := zerolog.ParseLevel(os.Getenv("LOG_LEVEL"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "LOG_LEVEL: %v\n", err)
		os.Exit(2)
	}
	logger := zerolog.New(os.Stdout).With().Timestamp().Logger().Level(level)
	log.Logger = logger

	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), logger)
	failed := make(chan error, 1)
	go func() { failed <- server.Listen(*host + ":8474") }()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-signals:
		err = server.Shutdown()
	case err = <-failed:
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

// A small HTTP server that speaks Sidestep's take-over protocol by itself: start the next one beside it, and it takes over.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"sidestep.dev/examples/takeover-go/takeover"
)

func main() {
	directory := flag.String("directory", "/run/sidestep", "private directory that both containers mount")
	address := flag.String("listen", "127.0.0.1:8080", "where to serve")
	version := flag.String("version", "v1", "what to answer")
	warmUp := flag.Duration("warm-up", 0, "how long the start of this program takes")
	guard := flag.Duration("guard", 10*time.Second, "how long after a hand-over this process can still go back")
	grace := flag.Duration("grace", 28*time.Second, "how long connections may take to end after SIGTERM")
	flag.Parse()

	server := newServer(*version)
	agent, err := takeover.Start(takeover.Options{
		Directory: *directory, Version: *version, Name: "web", Address: *address, Guard: *guard, Program: server, Say: say,
	})
	if err != nil {
		log.Fatal(err)
	}
	say("imported", nil)
	time.Sleep(*warmUp)
	if err := agent.Ready(); err != nil {
		log.Fatal(err)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		agent.Stop(*grace)
	}()
	reason := <-agent.Done()
	say("done", map[string]any{"reason": reason, "counters": server.Counters()})
}

// say prints what happens as one JSON object per line.
func say(event string, fields map[string]any) {
	line := map[string]any{"event": event}
	for name, value := range fields {
		line[name] = value
	}
	json.NewEncoder(os.Stdout).Encode(line)
}

// server is the program behind the listener: net/http, with what a hand-over asks of it.
type server struct {
	http.Server
	open, requests atomic.Int64
	draining       atomic.Bool
}

func newServer(version string) *server {
	s := &server{}
	s.Handler = http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		io.Copy(io.Discard, request.Body)
		s.requests.Add(1)
		if s.draining.Load() {
			// Closing an idle connection could cut a request on its way; this answer cannot.
			response.Header().Set("Connection", "close")
		}
		fmt.Fprint(response, version)
	})
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Add(-1)
		}
	}
	return s
}

func (s *server) Serve(listener net.Listener) { s.Server.Serve(listener) }

func (s *server) Adopt(connection net.Conn) { s.Server.Serve(&single{Conn: connection}) }

func (s *server) Open() int { return int(s.open.Load()) }

func (s *server) Counters() map[string]float64 {
	return map[string]float64{"requests": float64(s.requests.Load())}
}

func (s *server) AddCounters(more map[string]float64) { s.requests.Add(int64(more["requests"])) }

// Drain tells kept connections to close with their next answer. Those that never ask again are cut at the end.
func (s *server) Drain(ctx context.Context) (killed int) {
	s.draining.Store(true)
	for s.Open() > 0 {
		select {
		case <-ctx.Done():
			if ctx.Err() == context.Canceled {
				s.draining.Store(false)
				return 0
			}
			killed = s.Open()
			s.Close()
			return killed
		case <-time.After(10 * time.Millisecond):
		}
	}
	return 0
}

// single is a listener that has one connection.
type single struct{ net.Conn }

func (s *single) Accept() (net.Conn, error) {
	if s.Conn == nil {
		return nil, net.ErrClosed
	}
	connection := s.Conn
	s.Conn = nil
	return connection, nil
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return &net.TCPAddr{} }

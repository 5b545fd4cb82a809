// A sidecar that takes its listening sockets by LISTEN_FDS, says READY=1 and leaves without losing a connection. Standard library only.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// How long kept-alive connections may go on until their next answer tells them to close.
const closeWindow = 2 * time.Second

func main() {
	listeners, err := inherited()
	if err != nil {
		log.Fatal(err)
	}
	var draining atomic.Bool
	var connections atomic.Int64
	server := &http.Server{
		Handler: closing(&draining, handler()),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				connections.Add(1)
			case http.StateClosed, http.StateHijacked:
				connections.Add(-1)
			}
		},
	}
	stopped := make(chan struct{}, len(listeners))
	for _, listener := range listeners {
		go func(listener net.Listener) {
			if err := server.Serve(listener); !errors.Is(err, net.ErrClosed) {
				log.Print(err)
			}
			stopped <- struct{}{}
		}(listener)
	}
	if err := notify("READY=1"); err != nil {
		log.Fatal(err)
	}

	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
	draining.Store(true)
	for _, listener := range listeners {
		listener.Close()
	}
	// Shutdown at once would miss a connection that Serve has accepted and not yet counted.
	for range listeners {
		<-stopped
	}
	for end := time.Now().Add(closeWindow); connections.Load() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	server.Shutdown(context.Background())
}

// inherited returns the sockets from descriptor 3 on, as sd_listen_fds(3) describes them.
func inherited() ([]net.Listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("LISTEN_PID names another process: start this program with sidestep-agent run")
	}
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || count == 0 {
		return nil, fmt.Errorf("LISTEN_FDS is %q: give --listen NAME=ADDRESS", os.Getenv("LISTEN_FDS"))
	}
	listeners := make([]net.Listener, count)
	for i := range listeners {
		file := os.NewFile(uintptr(3+i), "")
		if listeners[i], err = net.FileListener(file); err != nil {
			return nil, err
		}
		file.Close()
	}
	return listeners, nil
}

func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	connection, err := net.Dial("unixgram", path)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = connection.Write([]byte(state))
	return err
}

// closing tells kept-alive clients with their next answer to reconnect; closing idle connections would cut requests on their way.
func closing(draining *atomic.Bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if draining.Load() {
			response.Header().Set("Connection", "close")
		}
		next.ServeHTTP(response, request)
	})
}

// handler forwards to UPSTREAM if there is one, and says VERSION otherwise.
func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(response http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(response, os.Getenv("VERSION"))
	})
	if upstream, err := url.Parse(os.Getenv("UPSTREAM")); err == nil && upstream.Host != "" {
		mux.Handle(os.Getenv("UPSTREAM_PATH"), httputil.NewSingleHostReverseProxy(upstream))
	}
	return mux
}

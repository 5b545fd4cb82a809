package takeover

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Program is what serves behind the listener.
type Program interface {
	// Serve accepts until the listener is closed, and returns when the last connection it accepted counts as open.
	Serve(listener net.Listener)
	// Adopt takes a connection that the old process had; its next byte begins a request.
	Adopt(connection net.Conn)
	// Drain returns when no connection is open. At the context's deadline it cuts what is left; cancelled, it goes on serving.
	Drain(ctx context.Context) (killed int)
	Open() int
	Counters() map[string]float64
	AddCounters(more map[string]float64)
}

// Options say what to serve, and where the other container can be met.
type Options struct {
	Directory string
	Version   string
	Name      string        // of the listener
	Address   string        // host:port
	Guard     time.Duration // how long after a commit this process can still go back
	Program   Program
	Say       func(event string, fields map[string]any)
}

// Agent is one process from its start to its end: get the listener, serve, hand over, drain, end.
type Agent struct {
	Options
	directory  *directory
	instance   string
	generation int
	done       chan string
	started    chan struct{} // closed when the program has started
	silent     chan struct{} // closed when no PROGRESS comes any more

	mu          sync.Mutex
	socket      *socket
	accepting   net.Listener
	serving     sync.WaitGroup
	endpoint    *endpoint
	predecessor *conversation // in which the socket came, while the old process still drains
	orphaned    bool          // the old process died after its socket had come
	unwanted    []string
	faults      []string
	successor   *giver
	custodians  map[*giver]bool
	stopping    time.Time // when SIGTERM wants this process gone; zero without one
}

// How long a starting process looks for a holder, and how long connections may take to end.
const (
	searchFor = 10 * time.Second
	pause     = 20 * time.Millisecond
	drainFor  = 28 * time.Second
)

// Start gets the listener: from whoever holds it, or by binding when nobody does.
func Start(options Options) (*Agent, error) {
	home, err := openDirectory(options.Directory)
	if err != nil {
		return nil, err
	}
	a := &Agent{Options: options, directory: home, instance: randomHex(16), done: make(chan string, 1),
		started: make(chan struct{}), silent: make(chan struct{}), custodians: map[*giver]bool{}}
	for end := time.Now().Add(searchFor); ; time.Sleep(pause) {
		again, err := a.ask()
		if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
			// Nobody is there. An address in use means a holder that does not answer yet.
			a.socket, err = bindSocket(a.Name, a.Address)
			again = errors.Is(err, syscall.EADDRINUSE)
		}
		if err == nil {
			return a, nil
		}
		if !again || time.Now().After(end) {
			return nil, err
		}
	}
}

// Ready says that the program has started; when it returns without an error this process owns the listener.
func (a *Agent) Ready() error {
	how := "cold"
	close(a.started)
	if a.predecessor == nil {
		a.accept()
	} else if err := a.agree(); err != nil {
		return err
	} else if how = "takeover"; a.orphaned {
		how = "promoted"
	}
	if err := a.answer(); err != nil {
		return err
	}
	if a.predecessor != nil {
		go a.follow(a.predecessor)
	}
	a.Say("owner", map[string]any{"how": how, "generation": a.generation})
	return nil
}

// Done tells why, when all duties of this process are over.
func (a *Agent) Done() <-chan string { return a.done }

// accept accepts for the first time or again.
func (a *Agent) accept() {
	listener, err := a.socket.accepting()
	if err != nil {
		a.Say("cannot-accept", map[string]any{"error": err.Error()})
		return
	}
	a.accepting = listener
	a.serving.Add(1)
	go func() {
		defer a.serving.Done()
		a.Program.Serve(listener)
	}()
}

// stopAccepting closes the duplicate, and returns when the program knows of the last connection that was accepted.
func (a *Agent) stopAccepting() {
	if a.accepting != nil {
		a.accepting.Close()
	}
	a.serving.Wait()
}

// answer takes the well-known name: from here on peers ask this process.
func (a *Agent) answer() error {
	claimed, err := claimEndpoint(a.directory.takeoverPath())
	if err != nil {
		return err
	}
	a.mu.Lock()
	before := a.endpoint
	a.endpoint = claimed
	a.mu.Unlock()
	if before != nil {
		before.close()
	}
	go func() {
		for {
			conn, err := claimed.listener.AcceptUnix()
			if err != nil {
				return
			}
			go (&giver{Agent: a, talk: converse(conn), sigterm: make(chan struct{})}).run()
		}
	}()
	return nil
}

// drain ends the connections of this process, within what SIGTERM leaves.
func (a *Agent) drain(ctx context.Context) (killed int) {
	ends := time.Now().Add(drainFor)
	a.mu.Lock()
	if !a.stopping.IsZero() && a.stopping.Before(ends) {
		ends = a.stopping
	}
	a.mu.Unlock()
	limited, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	return a.Program.Drain(limited)
}

// Stop is SIGTERM: a hand-over that has begun may finish, else this process stops accepting and drains.
func (a *Agent) Stop(within time.Duration) {
	a.mu.Lock()
	successor, first := a.successor, a.stopping.IsZero()
	a.stopping = time.Now().Add(within)
	a.mu.Unlock()
	if first && successor != nil {
		successor.terminate()
	} else if first {
		a.stopAlone()
	}
}

func (a *Agent) stopAlone() {
	a.mu.Lock()
	if a.endpoint != nil {
		a.endpoint.close() // before a custodian looks who answers
		a.endpoint = nil
	}
	a.mu.Unlock()
	a.stopAccepting()
	a.dismiss("terminated")
	a.drain(context.Background())
	a.finish("terminated")
}

// dismiss sends every custodian away: to the new owner, or to answer in our place.
func (a *Agent) dismiss(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for custodian := range a.custodians {
		custodian.talk.send(Bye, ByeBody{Reason: reason})
		custodian.talk.close()
	}
}

// finish gives everything up.
func (a *Agent) finish(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.endpoint != nil {
		a.endpoint.close()
	}
	if a.predecessor != nil {
		a.predecessor.close()
	}
	closeAll([]int{a.socket.fd})
	a.done <- reason
}

// adopt makes a connection of a descriptor; false when it is none.
func (a *Agent) adopt(fd int) bool {
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err == nil {
		a.Program.Adopt(conn)
	}
	return err == nil
}

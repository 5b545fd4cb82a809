package takeover

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Deadlines of the new side.
const (
	stepWithin   = time.Second
	offerWithin  = 2 * time.Second
	stateWithin  = 5 * time.Second
	goWithin     = time.Second
	commitWithin = time.Second
	sayEvery     = time.Second
)

// ask gets the socket from whoever answers. `again`: the fault came early, so that asking again can help.
func (a *Agent) ask() (again bool, err error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: a.directory.takeoverPath(), Net: "unixpacket"})
	if err != nil {
		return true, err
	}
	c := converse(conn)
	a.unwanted, a.faults = []string{}, []string{}
	again, err = a.authenticate(c)
	if err == nil {
		again, err = a.importSockets(c)
	}
	if err != nil {
		c.close()
		if a.socket != nil {
			closeAll([]int{a.socket.fd})
		}
		a.socket = nil
		return again, err
	}
	a.predecessor = c
	go a.sayProgress(c)
	return false, nil
}

func (a *Agent) authenticate(c *conversation) (again bool, err error) {
	said := proven{takerInstance: a.instance, takerNonce: randomHex(32)}
	c.send(Hello, HelloBody{Min: version, Max: version, Instance: said.takerInstance, AppVersion: a.Version, Role: "successor",
		Features: []string{"conns", "stats"}, Nonce: said.takerNonce, Wants: []string{a.Name}})
	message, err := c.next(stepWithin)
	challenge, ok := message.body.(*ChallengeBody)
	if !ok {
		return insteadOf(c, message, err)
	}
	said.giverInstance, said.giverNonce = challenge.Instance, challenge.Nonce
	if !said.by(a.directory.secret, "giver", challenge.Proof) {
		return giveUp(c, "auth-failed", "whoever listens here does not know the secret of this directory")
	}
	if challenge.Version != version {
		return giveUp(c, "version-mismatch", fmt.Sprintf("version %d was chosen", challenge.Version))
	}
	a.generation = challenge.Generation + 1
	c.send(Auth, AuthBody{Mac: said.proof(a.directory.secret, "taker")})
	return false, nil
}

func (a *Agent) importSockets(c *conversation) (again bool, err error) {
	for frames := 0; ; frames++ {
		message, err := c.next(offerWithin)
		offer, ok := message.body.(*OfferBody)
		if !ok {
			return insteadOf(c, message, err)
		}
		if offer.Index != frames || len(offer.Listeners) != len(message.fds) {
			closeAll(message.fds)
			return giveUp(c, "out-of-order", fmt.Sprintf("OFFER %d with %d descriptors", offer.Index, len(message.fds)))
		}
		for i, record := range offer.Listeners {
			a.take(&socket{fd: message.fds[i], record: record})
		}
		c.send(Ack, AckBody{Of: message.seq, Refused: []int{}})
		if frames+1 < offer.Total {
			continue
		}
		if offer.State {
			a.importState(c)
		}
		if a.socket == nil { // a listener that the old version did not have
			if a.socket, err = bindSocket(a.Name, a.Address); err != nil {
				return giveUp(c, "program-failed", err.Error())
			}
		}
		return false, nil
	}
}

// take keeps what this version serves, once it is checked.
func (a *Agent) take(s *socket) {
	if s.record.Name != a.Name || s.record.Kind != "tcp" || s.address() != a.Address {
		a.unwanted = append(a.unwanted, s.record.Name)
	} else if fault := s.fault(); fault != "" {
		a.faults = append(a.faults, fault)
	} else {
		a.socket = s
		return
	}
	closeAll([]int{s.fd})
}

// importState waits for what is a courtesy only: neither silence nor the death of the old process matters any more.
func (a *Agent) importState(c *conversation) {
	message, err := c.next(stateWithin)
	if state, ok := message.body.(*StateBody); ok {
		a.Program.AddCounters(state.Counters)
	}
	closeAll(message.fds) // this program has neither app state nor TLS
	a.orphaned = errors.Is(err, io.EOF)
}

func (a *Agent) sayProgress(c *conversation) {
	defer close(a.silent)
	for {
		select {
		case <-time.After(sayEvery):
			c.send(Progress, ProgressBody{Stage: "init"})
		case <-a.started:
			return
		}
	}
}

// agree goes from PREPARED to COMMITTED. When the old process dies on the way, this one serves with what it has.
func (a *Agent) agree() error {
	c := a.predecessor
	<-a.silent // PROGRESS after PREPARED would be out of order
	if !a.orphaned {
		adopted := 1 - len(a.faults)
		c.send(Prepared, PreparedBody{Adopted: adopted, Unwanted: a.unwanted, Errors: a.faults})
		message, err := c.next(goWithin)
		if a.orphaned = errors.Is(err, io.EOF); !a.orphaned && message.kind != Go {
			_, err = insteadOf(c, message, err)
			return err
		}
	}
	a.accept()
	for !a.orphaned {
		c.send(Serving, EmptyBody{})
		message, err := c.next(commitWithin)
		switch {
		case errors.Is(err, io.EOF):
			a.orphaned = true
		case errors.Is(err, os.ErrDeadlineExceeded): // say it again; two that accept harm nobody, none does
		case message.kind == Committed:
			c.won.Store(true)
			return nil
		case err != nil:
			a.stopAccepting()
			return err
		case message.kind == Abort:
			a.stopAccepting()
			_, err = insteadOf(c, message, err)
			return err
		}
	}
	return nil
}

// follow listens to the old process until it has drained.
func (a *Agent) follow(c *conversation) {
	defer c.close()
	for message := range c.in {
		switch body := message.body.(type) {
		case *ConnsBody:
			refused := []int{}
			for i, record := range body.Connections {
				if i >= len(message.fds) || record.Protocol != "http1" || !a.adopt(message.fds[i]) {
					refused = append(refused, i)
				}
			}
			c.send(Ack, AckBody{Of: message.seq, Refused: refused})
		case *StatsBody:
			a.Program.AddCounters(body.Counters)
		case *ByeBody, *AbortBody:
			return
		}
	}
}

// insteadOf turns what came instead of the right message into an error.
func insteadOf(c *conversation, message received, err error) (again bool, _ error) {
	closeAll(message.fds)
	if err != nil {
		return true, err
	}
	if abort, ok := message.body.(*AbortBody); ok {
		return abort.RetryAfterMs > 0, fmt.Errorf("%s: %s", abort.Reason, abort.Message)
	}
	return giveUp(c, "out-of-order", fmt.Sprintf("type %d is not expected now", message.kind))
}

func giveUp(c *conversation, reason, message string) (again bool, _ error) {
	c.abort(reason, message, 0)
	return false, fmt.Errorf("%s: %s", reason, message)
}

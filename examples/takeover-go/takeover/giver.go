package takeover

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Deadlines of the old side before the commit.
const (
	initWithin     = 60 * time.Second
	progressWithin = 10 * time.Second
	servingWithin  = 2 * time.Second
	afterSigterm   = 5 * time.Second
)

// giver is one peer that asks for the listener. Until the commit every fault ends in this process serving on.
type giver struct {
	*Agent
	talk      *conversation
	role      string
	wants     []string
	committed bool
	sigterm   chan struct{}
}

func (g *giver) run() {
	defer g.talk.close()
	if g.talk.peerUid() != os.Getuid() {
		g.talk.abort("auth-failed", "another user asks", 0)
		return
	}
	if !g.authenticate() {
		return
	}
	if refusal := g.claim(); refusal != "" {
		g.talk.abort(refusal, "ask again", 100)
		return
	}
	defer g.unclaim()
	switch {
	case !g.offer():
	case g.role == "custodian":
		for range g.talk.in { // its end, or ours, is all there is to wait for
		}
	case g.prepare():
		g.guard()
	}
}

// step is the next message of this type; false when the conversation is over.
func (g *giver) step(kind Type, within time.Duration) (received, bool) {
	message, err := g.talk.next(within)
	if err == nil && message.kind == kind {
		return message, true
	}
	closeAll(message.fds)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		retry := 50 // so early a peer has only been slow; later its program has failed
		if kind == Prepared || kind == Serving {
			retry = 0
		}
		g.talk.abort(fmt.Sprintf("timeout-%d", kind), "the peer did not go on in time", retry)
	} else if err == nil && message.kind != Abort {
		g.talk.abort("out-of-order", fmt.Sprintf("type %d is not expected now", message.kind), 0)
	}
	return message, false
}

func (g *giver) authenticate() bool {
	message, ok := g.step(Hello, stepWithin)
	if !ok {
		return false
	}
	hello := message.body.(*HelloBody)
	if hello.Min > version || hello.Max < version {
		g.talk.abort("version-mismatch", fmt.Sprintf("this side speaks version %d", version), 0)
		return false
	}
	g.role, g.wants = hello.Role, hello.Wants
	said := proven{hello.Instance, hello.Nonce, g.instance, randomHex(32)}
	g.talk.send(Challenge, ChallengeBody{Version: version, Instance: g.instance, AppVersion: g.Version, Generation: g.generation,
		Features: []string{"stats"}, Nonce: said.giverNonce, Proof: said.proof(g.directory.secret, "giver")})
	message, ok = g.step(Auth, stepWithin)
	if ok && !said.by(g.directory.secret, "taker", message.body.(*AuthBody).Mac) {
		g.talk.abort("auth-failed", "the proof does not fit the secret of this directory", 0)
		return false
	}
	return ok
}

// claim lets one successor at a time in, and custodians as long as this process is the owner. Returns why not.
func (g *giver) claim() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.stopping.IsZero():
		return "terminating"
	case g.role == "custodian" && (g.successor == nil || !g.successor.committed):
		g.custodians[g] = true
	case g.successor != nil:
		return "busy"
	default:
		g.successor = g
	}
	return ""
}

func (g *giver) unclaim() {
	g.mu.Lock()
	delete(g.custodians, g)
	failed := g.successor == g
	if failed {
		g.successor = nil
	}
	stopping := !g.stopping.IsZero()
	g.mu.Unlock()
	if failed && !g.committed {
		g.Say("keeps-serving", nil)
	}
	if failed && stopping {
		g.stopAlone()
	}
}

// offer sends the socket, and the state with it: waiting for the ACK in between would only cost time.
func (g *giver) offer() bool {
	successor := g.role == "successor"
	offer := OfferBody{Total: 1, State: successor, Listeners: []ListenerRecord{}}
	fds := []int{}
	if wanted(g.wants, g.Name) {
		offer.Listeners, fds = append(offer.Listeners, g.socket.record), append(fds, g.socket.fd)
	}
	g.talk.send(Offer, offer, fds...)
	if successor {
		g.talk.send(State, StateBody{TicketKeys: map[string]string{}, Counters: g.Program.Counters()})
	}
	_, ok := g.step(Ack, offerWithin)
	return ok
}

func wanted(wants []string, name string) bool {
	for _, one := range wants {
		if one == name {
			return true
		}
	}
	return len(wants) == 0
}

// prepare waits for the successor's own start, and agrees.
func (g *giver) prepare() bool {
	for end := time.Now().Add(initWithin); ; {
		message, err := g.talk.next(min(progressWithin, time.Until(end)))
		if err == nil && (message.kind == Progress || message.kind == Ack) {
			continue
		}
		prepared, ok := message.body.(*PreparedBody)
		if err == nil && !ok && message.kind != Abort {
			g.talk.abort("out-of-order", fmt.Sprintf("type %d is not expected now", message.kind), 0)
		}
		if err != nil || !ok {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				g.talk.abort("timeout-preparing", "the peer did not go on in time", 0)
			}
			return false
		}
		if len(prepared.Errors) > 0 {
			g.talk.abort("listener-fault", prepared.Errors[0], 0)
			return false
		}
		g.talk.send(Go, EmptyBody{})
		_, ok = g.step(Serving, servingWithin)
		return ok
	}
}

// terminate is SIGTERM with a hand-over under way, which may finish first.
func (g *giver) terminate() {
	close(g.sigterm)
	time.AfterFunc(afterSigterm, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.committed {
			g.talk.close()
		}
	})
}

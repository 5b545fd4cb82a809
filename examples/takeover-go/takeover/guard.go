package takeover

import (
	"context"
	"time"
)

// The successor's sign of life, and the least of the guard that is left when SIGTERM comes.
const (
	heartbeat   = 50 * time.Millisecond
	silentAfter = 250 * time.Millisecond
	leastGuard  = time.Second
)

// guarding is what follows the commit: the successor owns the listener, this process keeps its copy until it has drained.
type guarding struct {
	*giver
	committedAt, askedAt, heard, ticked time.Time // askedAt: when SIGTERM came; zero without one
	covering, released                  bool
	drained                             chan int
	isDrained                           bool
	cancelDrain                         context.CancelFunc
	connections, killed                 int
	counters                            map[string]float64 // as last told
	told                                time.Time
}

func (g *giver) guard() {
	g.stopAccepting()
	now := time.Now()
	w := &guarding{giver: g, committedAt: now, heard: now, ticked: now, told: now,
		connections: g.Program.Open(), counters: g.Program.Counters()}
	g.mu.Lock()
	g.committed = true
	predecessor := g.predecessor
	g.mu.Unlock()
	g.talk.given.Store(true)
	g.talk.send(Committed, CommittedBody{Connections: w.connections, Generation: g.generation})
	if predecessor != nil {
		predecessor.send(Release, EmptyBody{})
	}
	g.dismiss("succeeded")
	g.Say("succeeded", nil)
	w.startDrain()
	w.run()
}

func (w *guarding) startDrain() {
	ctx, cancel := context.WithCancel(context.Background())
	drained := make(chan int, 1)
	w.cancelDrain, w.drained, w.isDrained = cancel, drained, false
	go func() { drained <- w.drain(ctx) }()
}

func (w *guarding) run() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	sigterm := w.sigterm
	for {
		select {
		case message, ok := <-w.talk.in:
			if !ok || message.kind == Abort {
				if !w.released {
					w.resume("successor-died")
					return
				}
				w.finishDrain()
				return
			}
			w.onMessage(message)
		case <-tick.C:
			w.onTick()
		case <-sigterm:
			sigterm = nil
			w.askedAt = time.Now()
			w.cancelDrain()
			w.startDrain() // with less time
		case killed := <-w.drained:
			w.isDrained, w.killed = true, killed
		}
		over := w.released || time.Now().After(w.ends())
		if over && w.covering {
			w.resume("successor-hung")
			return
		}
		if over && w.isDrained {
			w.bye()
			return
		}
	}
}

// ends is when this process no longer goes back. SIGTERM makes that sooner, but not beside a successor that is silent: gone alone, this
// process could only close connections that a successor which is merely slow would have answered.
func (w *guarding) ends() time.Time {
	full := w.committedAt.Add(w.Guard)
	if w.covering || w.askedAt.IsZero() {
		return full
	}
	return earlier(full, later(w.askedAt, w.committedAt.Add(leastGuard)))
}

func (w *guarding) onMessage(message received) {
	w.heard = time.Now()
	if w.covering {
		w.covering = false
		w.Say("steps-back", nil)
		w.stopAccepting()
		w.cancelDrain()
		w.startDrain() // also of what was accepted meanwhile
	}
	switch message.kind {
	case Release:
		w.released = true
	case Serving: // it was stopped, and asks again
		w.talk.send(Committed, CommittedBody{Generation: w.generation})
	}
}

func (w *guarding) onTick() {
	now := time.Now()
	// A tick that comes late means that this process did not run; that is not the successor's silence.
	if late := now.Sub(w.ticked) - heartbeat; late > 0 {
		w.heard = earlier(now, w.heard.Add(late))
	}
	w.ticked = now
	if now.Before(w.ends()) {
		if !w.covering && now.Sub(w.heard) >= silentAfter {
			w.covering = true
			w.accept()
			w.Say("covers", nil)
			w.talk.send(Resumed, ResumedBody{Cause: "no sign of life"})
		}
		w.talk.send(Ping, EmptyBody{})
	}
	if now.Sub(w.told) >= time.Second {
		w.sendStats(now)
	}
}

func (w *guarding) sendStats(now time.Time) {
	w.told = now
	counters := w.Program.Counters()
	more := map[string]float64{}
	for name, value := range counters {
		if value != w.counters[name] {
			more[name] = value - w.counters[name]
		}
	}
	w.counters = counters
	w.talk.send(Stats, StatsBody{Counters: more, Open: w.Program.Open()})
}

// resume makes this process the owner again: it accepts, and takes the name back.
func (w *guarding) resume(cause string) {
	w.cancelDrain()
	if !w.covering {
		w.accept()
	}
	if err := w.answer(); err != nil {
		w.Say("cannot-answer", map[string]any{"error": err.Error()})
	}
	w.Say("resumed", map[string]any{"cause": cause})
}

// bye ends this process: guard and drain are over.
func (w *guarding) bye() {
	w.sendStats(time.Now())
	w.mu.Lock()
	reason := "drained"
	if !w.stopping.IsZero() {
		reason = "terminated"
	}
	w.successor = nil
	w.mu.Unlock()
	w.talk.send(Bye, ByeBody{Reason: reason, Drained: max(0, w.connections-w.killed), Killed: w.killed})
	w.finish(reason)
}

// finishDrain is for a successor that was succeeded in its turn, and has gone.
func (w *guarding) finishDrain() {
	if !w.isDrained {
		w.killed = <-w.drained
	}
	w.bye()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

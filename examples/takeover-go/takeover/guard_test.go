package takeover

import (
	"testing"
	"time"
)

func TestGuardEnds(t *testing.T) {
	committed := time.Unix(1_000, 0)
	never := time.Time{}
	after := func(d time.Duration) time.Time { return committed.Add(d) }
	for _, one := range []struct {
		what     string
		askedAt  time.Time
		covering bool
		want     time.Duration
	}{
		{"with nobody asking it to end", never, false, 10 * time.Second},
		{"asked to end right after the commit", after(0), false, leastGuard},
		{"asked to end later", after(3 * time.Second), false, 3 * time.Second},
		{"asked to end after it would end anyway", after(time.Minute), false, 10 * time.Second},
		{"asked to end beside a successor that is silent", after(3 * time.Second), true, 10 * time.Second},
	} {
		w := &guarding{giver: &giver{Agent: &Agent{Options: Options{Guard: 10 * time.Second}}}, committedAt: committed,
			askedAt: one.askedAt, covering: one.covering}
		if got := w.ends().Sub(committed); got != one.want {
			t.Errorf("%s: the guard lasts %v, not %v", one.what, got, one.want)
		}
	}
}

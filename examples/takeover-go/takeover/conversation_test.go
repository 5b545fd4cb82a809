package takeover

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func pair(t *testing.T) (ours *conversation, theirs *conversation) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*conversation
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "end")
		conn, err := net.FileConn(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = converse(conn.(*net.UnixConn))
		t.Cleanup(ends[i].close)
	}
	return ends[0], ends[1]
}

// The peer goes on serving when it is told; a process that took this for its death would serve beside it for ever.
func TestWhatCannotBeReadIsNotTheDeathOfThePeer(t *testing.T) {
	for _, test := range []struct {
		won  bool
		told Type
	}{{false, Abort}, {true, Release}} {
		ours, theirs := pair(t)
		ours.won.Store(test.won)
		theirs.conn.Write([]byte("nonsense"))
		_, err := ours.next(10 * time.Second)
		var refusal *BadFrame
		if !errors.As(err, &refusal) {
			t.Errorf("won %v: got %v instead of a refusal", test.won, err)
		}
		if told, err := theirs.next(10 * time.Second); err != nil || told.kind != test.told {
			t.Errorf("won %v: the peer heard type %d, %v; expected %d", test.won, told.kind, err, test.told)
		}
	}
}

// A peer that has the listener would serve on if it were refused, and this process would do so beside it.
func TestNonsenseFromTheOwnerIsASignOfLife(t *testing.T) {
	ours, theirs := pair(t)
	ours.given.Store(true)
	theirs.conn.Write([]byte("nonsense"))
	if message, err := ours.next(10 * time.Second); err != nil || message.kind != 0 {
		t.Errorf("got type %d, %v instead of a word without meaning", message.kind, err)
	}
	theirs.send(Release, EmptyBody{})
	if message, err := ours.next(10 * time.Second); err != nil || message.kind != Release {
		t.Errorf("got type %d, %v instead of the next word", message.kind, err)
	}
}

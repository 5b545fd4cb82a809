package takeover

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// received is one message with the descriptors that came along; whoever takes it owns them.
type received struct {
	kind Type
	seq  uint32
	body any
	fds  []int
}

// conversation is one connection, from HELLO to BYE. `in` ends when the peer is gone, or sent what cannot be read; then `unreadable` says what.
type conversation struct {
	conn       *net.UnixConn
	in         chan received
	closed     chan struct{}
	once       sync.Once
	mu         sync.Mutex
	seq        uint32
	unreadable error
	won        atomic.Bool // the listener is ours: a peer that sends nonsense now is left to its drain
	given      atomic.Bool // the listener is the peer's: nonsense from it is a sign of life, and only its end is its end
}

// A peer that is stopped must not stop us: what it does not take in this time it never gets.
const sendWithin = time.Second

func converse(conn *net.UnixConn) *conversation {
	c := &conversation{conn: conn, in: make(chan received), closed: make(chan struct{})}
	go c.receive()
	return c
}

// peerUid is what the kernel knows of the other side.
func (c *conversation) peerUid() int {
	uid := -1
	if raw, err := c.conn.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			if peer, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
				uid = int(peer.Uid)
			}
		})
	}
	return uid
}

// send returns the number of the frame, which an ACK names.
func (c *conversation) send(t Type, body any, fds ...int) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	frame := Frame{Version: version, Type: t, Seq: c.seq, Descriptors: len(fds), Body: WriteBody(body)}
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	c.conn.SetWriteDeadline(time.Now().Add(sendWithin))
	c.conn.WriteMsgUnix(frame.Encode(), rights, nil) // that the peer is gone shows in receive
	return c.seq
}

func (c *conversation) abort(reason, message string, retryAfterMs int) {
	c.send(Abort, AbortBody{Reason: reason, Message: message, RetryAfterMs: retryAfterMs})
	c.close()
}

// refuse ends the conversation for what cannot be read. A peer that hears ABORT goes on serving, so that must not be taken for its death.
func (c *conversation) refuse(why error) {
	c.unreadable = why
	if c.won.Load() {
		c.send(Release, EmptyBody{})
		c.close()
		return
	}
	c.abort("bad-frame", why.Error(), 0)
}

func (c *conversation) close() {
	c.once.Do(func() {
		close(c.closed)
		c.conn.Close()
	})
}

// next is the next message. Fails with io.EOF when the peer is gone, os.ErrDeadlineExceeded when it is late, *BadFrame when it goes on
// after we have refused what it sent.
func (c *conversation) next(within time.Duration) (received, error) {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case message, ok := <-c.in:
		if !ok && c.unreadable != nil {
			return message, c.unreadable
		}
		if !ok {
			return message, io.EOF
		}
		return message, nil
	case <-late.C:
		return received{}, os.ErrDeadlineExceeded
	}
}

func (c *conversation) receive() {
	defer close(c.in)
	buffer := make([]byte, headerBytes+maxStateBody)
	rights := make([]byte, syscall.CmsgSpace(maxDescriptors*4))
	for {
		n, rightsLen, flags, _, err := c.conn.ReadMsgUnix(buffer, rights)
		if err != nil {
			return
		}
		message, err := read(buffer[:n], rights[:rightsLen], flags)
		var unknown unknownType
		if errors.As(err, &unknown) {
			closeAll(message.fds)
			c.send(Err, ErrBody{Unknown: int(unknown), Of: message.seq})
			continue
		}
		if err != nil {
			closeAll(message.fds)
			if !c.given.Load() {
				c.refuse(err)
				return
			}
			message = received{}
		}
		if message.kind == Ping {
			c.send(Pong, EmptyBody{})
			continue
		}
		select {
		case c.in <- message:
		case <-c.closed:
			closeAll(message.fds)
			return
		}
	}
}

type unknownType int

func (unknownType) Error() string { return "a type of a later version" }

func read(data, rights []byte, flags int) (received, error) {
	var message received
	messages, err := syscall.ParseSocketControlMessage(rights)
	for _, one := range messages {
		if fds, err := syscall.ParseUnixRights(&one); err == nil {
			message.fds = append(message.fds, fds...)
		}
	}
	if err != nil || flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
		return message, bad("TRUNCATED", "the kernel cut off data or descriptors")
	}
	frame, err := Decode(data, len(message.fds))
	if err != nil {
		return message, err
	}
	message.kind, message.seq = frame.Type, frame.Seq
	message.body, err = ReadBody(frame)
	if err == nil && message.body == nil {
		err = unknownType(frame.Type)
	}
	return message, err
}

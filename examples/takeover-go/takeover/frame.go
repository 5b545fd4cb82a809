// Package takeover implements docs/reference/takeover-protocol.md with the standard library only.
package takeover

import (
	"encoding/binary"
	"fmt"
)

const (
	magic          = 0x48544f31 // HTO1
	version        = 1
	headerBytes    = 20
	maxBody        = 16 << 10
	maxStateBody   = 64 << 10
	maxDescriptors = 253
)

// Type is the number of a message type.
type Type byte

const (
	Hello Type = iota + 1
	Challenge
	Auth
	Offer
	State
	Prepared
	Go
	Serving
	Committed
	Ping
	Pong
	Conns
	Stats
	Bye
	Abort
	Ack
	Progress
	Resumed
	Release
	Err
)

// Frame is one message of the socket, without its descriptors.
type Frame struct {
	Version     byte
	Type        Type
	Seq         uint32
	Descriptors int
	Body        []byte
}

// BadFrame says why a frame must be refused; Code is the word the test vectors use.
type BadFrame struct{ Code, What string }

func (e *BadFrame) Error() string { return e.What }

func bad(code, format string, args ...any) error {
	return &BadFrame{Code: code, What: fmt.Sprintf(format, args...)}
}

// Encode writes header and body.
func (f Frame) Encode() []byte {
	out := make([]byte, headerBytes, headerBytes+len(f.Body))
	binary.BigEndian.PutUint32(out[0:], magic)
	out[4] = f.Version
	out[5] = byte(f.Type)
	binary.BigEndian.PutUint32(out[8:], f.Seq)
	binary.BigEndian.PutUint32(out[12:], uint32(len(f.Body)))
	binary.BigEndian.PutUint16(out[16:], uint16(f.Descriptors))
	return append(out, f.Body...)
}

// Decode reads one message that came with this many descriptors. Flags and the reserved field are ignored.
func Decode(message []byte, descriptors int) (Frame, error) {
	if len(message) < headerBytes {
		return Frame{}, bad("BAD_LENGTH", "%d bytes are less than a header", len(message))
	}
	if binary.BigEndian.Uint32(message) != magic {
		return Frame{}, bad("BAD_MAGIC", "the message does not begin with HTO1")
	}
	f := Frame{
		Version:     message[4],
		Type:        Type(message[5]),
		Seq:         binary.BigEndian.Uint32(message[8:]),
		Descriptors: int(binary.BigEndian.Uint16(message[16:])),
		Body:        message[headerBytes:],
	}
	if f.Version == 0 {
		return Frame{}, bad("BAD_VERSION", "protocol version 0 does not exist")
	}
	limit := maxBody
	if f.Type == State {
		limit = maxStateBody
	}
	if length := binary.BigEndian.Uint32(message[12:]); int64(length) != int64(len(f.Body)) || len(f.Body) > limit {
		return Frame{}, bad("BAD_LENGTH", "the header says %d bytes, %d came", length, len(f.Body))
	}
	carries := f.Type == Offer || f.Type == State || f.Type == Conns
	if f.Descriptors != descriptors || descriptors > maxDescriptors || (descriptors > 0 && !carries) {
		return Frame{}, bad("BAD_FDS", "type %d with %d descriptors, the header says %d", f.Type, descriptors, f.Descriptors)
	}
	return f, nil
}

package takeover

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"
)

// The published vectors: whoever passes these and follows the document can talk to any other implementation.
type vectors struct {
	Authentication struct {
		Secret, TakerInstance, TakerNonce, GiverInstance, GiverNonce, TakerProof, GiverProof string
	}
	Frames, Tolerated []struct {
		Name, Hex string
		Fds       int
		Frame     struct {
			Version byte
			Type    string
			Seq     uint32
			Body    map[string]any
		}
	}
	Refused []struct {
		Name, Hex, Code string
		Fds             int
	}
}

var names = map[Type]string{Hello: "HELLO", Challenge: "CHALLENGE", Auth: "AUTH", Offer: "OFFER", State: "STATE", Prepared: "PREPARED",
	Go: "GO", Serving: "SERVING", Committed: "COMMITTED", Ping: "PING", Pong: "PONG", Conns: "CONNS", Stats: "STATS", Bye: "BYE",
	Abort: "ABORT", Ack: "ACK", Progress: "PROGRESS", Resumed: "RESUMED", Release: "RELEASE", Err: "ERR"}

func load(t *testing.T) vectors {
	text, err := os.ReadFile("../../../docs/reference/takeover-protocol-vectors.json")
	var v vectors
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Frames) == 0 || len(v.Refused) == 0 || len(v.Tolerated) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	return v
}

func unhex(t *testing.T, text string) []byte {
	out, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestProofs(t *testing.T) {
	a := load(t).Authentication
	said := proven{a.TakerInstance, a.TakerNonce, a.GiverInstance, a.GiverNonce}
	secret := unhex(t, a.Secret)
	if !said.by(secret, "taker", a.TakerProof) || !said.by(secret, "giver", a.GiverProof) || said.by(secret, "giver", a.TakerProof) {
		t.Errorf("taker %s, giver %s", said.proof(secret, "taker"), said.proof(secret, "giver"))
	}
}

func TestFramesAreReadAsTheySay(t *testing.T) {
	v := load(t)
	seen := map[Type]bool{}
	for _, one := range append(v.Frames, v.Tolerated...) {
		frame, err := Decode(unhex(t, one.Hex), one.Fds)
		if err != nil {
			t.Errorf("%s: %v", one.Name, err)
			continue
		}
		seen[frame.Type] = true
		name := names[frame.Type]
		if name == "" {
			name = "unknown"
		}
		if name != one.Frame.Type || frame.Seq != one.Frame.Seq || frame.Version != one.Frame.Version {
			t.Errorf("%s: read %s number %d version %d", one.Name, name, frame.Seq, frame.Version)
		}
		body, err := ReadBody(frame)
		if err != nil {
			t.Errorf("%s: %v", one.Name, err)
		} else if got := asObject(t, body); !reflect.DeepEqual(got, one.Frame.Body) {
			t.Errorf("%s: body %v instead of %v", one.Name, got, one.Frame.Body)
		}
	}
	for kind, name := range names {
		if !seen[kind] {
			t.Errorf("no vector has %s", name)
		}
	}
}

func TestFramesAreWrittenToTheSameBytes(t *testing.T) {
	for _, one := range load(t).Frames {
		frame, err := Decode(unhex(t, one.Hex), one.Fds)
		if err != nil || hex.EncodeToString(frame.Encode()) != one.Hex {
			t.Errorf("%s: %v", one.Name, err)
		}
	}
}

func TestBadFramesAreRefusedForTheirReason(t *testing.T) {
	for _, one := range load(t).Refused {
		frame, err := Decode(unhex(t, one.Hex), one.Fds)
		if err == nil {
			_, err = ReadBody(frame)
		}
		var refusal *BadFrame
		if !errors.As(err, &refusal) || refusal.Code != one.Code {
			t.Errorf("%s: %v instead of %s", one.Name, err, one.Code)
		}
	}
}

// asObject is what our own types say of the body: a field they lack would be missing.
func asObject(t *testing.T, body any) map[string]any {
	out := map[string]any{}
	if body == nil {
		return out
	}
	text, err := json.Marshal(body)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

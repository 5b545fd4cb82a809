package takeover

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// The bodies. A list is never null on the wire, so whoever sends one makes it.
type (
	HelloBody struct {
		Min        int      `json:"min"`
		Max        int      `json:"max"`
		Instance   string   `json:"instance"`
		AppVersion string   `json:"appVersion"`
		Role       string   `json:"role"`
		Features   []string `json:"features"`
		Nonce      string   `json:"nonce"`
		Wants      []string `json:"wants"`
	}
	ChallengeBody struct {
		Version    int      `json:"version"`
		Instance   string   `json:"instance"`
		AppVersion string   `json:"appVersion"`
		Generation int      `json:"generation"`
		Features   []string `json:"features"`
		Nonce      string   `json:"nonce"`
		Proof      string   `json:"proof"`
	}
	AuthBody struct {
		Mac string `json:"mac"`
	}
	ListenerRecord struct {
		Name    string `json:"name"`
		Kind    string `json:"kind"`
		Backlog int    `json:"backlog"`
		Cookie  string `json:"cookie"`
		Host    string `json:"host,omitempty"`
		Port    int    `json:"port,omitempty"`
		Path    string `json:"path,omitempty"`
	}
	OfferBody struct {
		Index     int              `json:"index"`
		Total     int              `json:"total"`
		State     bool             `json:"state"`
		Listeners []ListenerRecord `json:"listeners"`
	}
	StateBody struct {
		TicketKeys map[string]string  `json:"ticketKeys"`
		Counters   map[string]float64 `json:"counters"`
		AppBytes   int64              `json:"appBytes"`
	}
	PreparedBody struct {
		Adopted  int      `json:"adopted"`
		Unwanted []string `json:"unwanted"`
		Errors   []string `json:"errors"`
	}
	EmptyBody     struct{}
	CommittedBody struct {
		Connections int `json:"connections"`
		Generation  int `json:"generation"`
	}
	ConnectionRecord struct {
		Listener string `json:"listener"`
		Protocol string `json:"protocol"`
		Meta     string `json:"meta,omitempty"`
	}
	ConnsBody struct {
		Connections []ConnectionRecord `json:"connections"`
	}
	StatsBody struct {
		Counters map[string]float64 `json:"counters"`
		Open     int                `json:"open"`
	}
	ByeBody struct {
		Reason   string `json:"reason"`
		Migrated int    `json:"migrated"`
		Drained  int    `json:"drained"`
		Killed   int    `json:"killed"`
	}
	AbortBody struct {
		Reason       string `json:"reason"`
		Message      string `json:"message"`
		RetryAfterMs int    `json:"retryAfterMs"`
	}
	AckBody struct {
		Of      uint32 `json:"of"`
		Refused []int  `json:"refused"`
	}
	ProgressBody struct {
		Stage string `json:"stage"`
	}
	ResumedBody struct {
		Cause string `json:"cause"`
	}
	ErrBody struct {
		Unknown int    `json:"unknown"`
		Of      uint32 `json:"of"`
	}
)

func emptyBody(t Type) any {
	switch t {
	case Hello:
		return &HelloBody{Role: "successor", Features: []string{}, Wants: []string{}}
	case Challenge:
		return &ChallengeBody{}
	case Auth:
		return &AuthBody{}
	case Offer:
		return &OfferBody{}
	case State:
		return &StateBody{}
	case Prepared:
		return &PreparedBody{}
	case Go, Serving, Ping, Pong, Release:
		return &EmptyBody{}
	case Committed:
		return &CommittedBody{}
	case Conns:
		return &ConnsBody{}
	case Stats:
		return &StatsBody{}
	case Bye:
		return &ByeBody{}
	case Abort:
		return &AbortBody{}
	case Ack:
		return &AckBody{}
	case Progress:
		return &ProgressBody{}
	case Resumed:
		return &ResumedBody{}
	case Err:
		return &ErrBody{}
	}
	return nil
}

// ReadBody returns the typed body of a frame; nil for a type this version does not know, which is no error.
func ReadBody(f Frame) (any, error) {
	body := emptyBody(f.Type)
	if body == nil || len(f.Body) == 0 {
		return body, check(body)
	}
	if !utf8.Valid(f.Body) || !bytes.HasPrefix(bytes.TrimLeft(f.Body, " \t\r\n"), []byte("{")) {
		return nil, bad("BAD_BODY", "the body is no JSON object in UTF-8")
	}
	if err := json.Unmarshal(f.Body, body); err != nil {
		return nil, bad("BAD_BODY", "%v", err)
	}
	return body, check(body)
}

// WriteBody is the reverse; what has no fields has no bytes.
func WriteBody(body any) []byte {
	if _, empty := body.(EmptyBody); empty || body == nil {
		return nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // only types of this file come here
	}
	return text
}

// check looks at the fields that a later step relies on.
func check(body any) error {
	ok := true
	switch b := body.(type) {
	case *HelloBody:
		ok = isHex(b.Instance, 32) && isHex(b.Nonce, 64) && (b.Role == "successor" || b.Role == "custodian")
	case *ChallengeBody:
		ok = isHex(b.Instance, 32) && isHex(b.Nonce, 64) && isHex(b.Proof, 64)
	case *AuthBody:
		ok = isHex(b.Mac, 64)
	case *AbortBody:
		ok = b.Reason != ""
	}
	if !ok {
		return bad("BAD_BODY", "a field is missing or of the wrong form")
	}
	return nil
}

func isHex(text string, digits int) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == digits
}

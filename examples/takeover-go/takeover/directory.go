package takeover

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// directory is the private directory, with its secret.
type directory struct {
	path   string
	secret []byte
}

func openDirectory(path string) (*directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	facts, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !facts.IsDir() || ownerOf(facts) != os.Getuid() || facts.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s must be a directory of this user, mode 0700", path)
	}
	secret, err := readOrCreateSecret(path)
	return &directory{path: path, secret: secret}, err
}

// readOrCreateSecret: of two processes that start at once, link() fails for one, and both end with the same secret.
func readOrCreateSecret(folder string) ([]byte, error) {
	name, own := filepath.Join(folder, "secret"), filepath.Join(folder, "secret."+randomHex(6))
	if err := os.WriteFile(own, randomBytes(32), 0o600); err != nil {
		return nil, err
	}
	err := os.Link(own, name)
	os.Remove(own)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	facts, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	secret, err := os.ReadFile(name)
	safe := facts.Mode().IsRegular() && facts.Mode().Perm()&0o077 == 0 && ownerOf(facts) == os.Getuid()
	if err == nil && (!safe || len(secret) != 32) {
		err = fmt.Errorf("%s is not a secret of this user alone", name)
	}
	return secret, err
}

func ownerOf(facts fs.FileInfo) int { return int(facts.Sys().(*syscall.Stat_t).Uid) }

func (d *directory) takeoverPath() string { return filepath.Join(d.path, "takeover.sock") }

// endpoint is where the owner can be asked. Its name is taken over by rename and given up only while it is still ours.
type endpoint struct {
	listener *net.UnixListener
	path     string
	claimed  fs.FileInfo
}

func claimEndpoint(path string) (*endpoint, error) {
	own := strings.TrimSuffix(path, ".sock") + "." + randomHex(6) + ".sock"
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: own, Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	facts, err := os.Lstat(own)
	if err == nil {
		err = os.Chmod(own, 0o600)
	}
	if err == nil {
		err = os.Rename(own, path)
	}
	if err != nil {
		listener.Close()
		os.Remove(own)
		return nil, err
	}
	return &endpoint{listener: listener, path: path, claimed: facts}, nil
}

func (e *endpoint) close() {
	e.listener.Close()
	if now, err := os.Lstat(e.path); err == nil && os.SameFile(now, e.claimed) {
		os.Remove(e.path)
	}
}

// proven is what both sides have said, and prove that they know the secret with.
type proven struct{ takerInstance, takerNonce, giverInstance, giverNonce string }

func (t proven) proof(secret []byte, side string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strings.Join([]string{side, t.takerInstance, t.takerNonce, t.giverInstance, t.giverNonce}, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}

// by compares in constant time.
func (t proven) by(secret []byte, side, said string) bool {
	return hmac.Equal([]byte(said), []byte(t.proof(secret, side)))
}

func randomBytes(n int) []byte {
	out := make([]byte, n)
	if _, err := rand.Read(out); err != nil {
		panic(err)
	}
	return out
}

func randomHex(bytes int) string { return hex.EncodeToString(randomBytes(bytes)) }

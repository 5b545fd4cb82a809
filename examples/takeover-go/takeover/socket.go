package takeover

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

const soCookie = 57

// socket is a listening socket this process keeps. Whoever accepts gets a duplicate, so that closing that one stops
// accepting without giving the socket up. The descriptor stays a number: os.File could make the shared description blocking.
type socket struct {
	fd     int
	record ListenerRecord
}

func bindSocket(name, address string) (*socket, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if failed := raw.Control(func(own uintptr) { fd, err = duplicate(int(own)) }); failed != nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	record, err := describe(fd)
	record.Name, record.Backlog = name, backlog()
	return &socket{fd: fd, record: record}, err
}

// accepting returns a listener on a duplicate of the socket.
func (s *socket) accepting() (net.Listener, error) {
	fd, err := duplicate(s.fd)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), s.record.Name)
	defer file.Close()
	return net.FileListener(file)
}

func (s *socket) address() string {
	return net.JoinHostPort(s.record.Host, strconv.Itoa(s.record.Port))
}

// fault says how a received socket differs from its record; nothing when all is well.
func (s *socket) fault() string {
	found, err := describe(s.fd)
	if err != nil {
		return s.record.Name + ": " + err.Error()
	}
	found.Name, found.Backlog = s.record.Name, s.record.Backlog
	if found != s.record {
		return s.record.Name + ": the socket is another one than announced"
	}
	return ""
}

// describe tells what the kernel says of a listening TCP socket; anything else is an error here.
func describe(fd int) (ListenerRecord, error) {
	record := ListenerRecord{Kind: "tcp"}
	domain, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_DOMAIN)
	if err != nil {
		return record, fmt.Errorf("the descriptor is no socket")
	}
	kind, _ := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	accepts, _ := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	inet := domain == syscall.AF_INET || domain == syscall.AF_INET6
	if !inet || kind != syscall.SOCK_STREAM || accepts != 1 {
		return record, fmt.Errorf("the descriptor is no listening TCP socket")
	}
	name, err := syscall.Getsockname(fd)
	switch at := name.(type) {
	case *syscall.SockaddrInet4:
		record.Host, record.Port = net.IP(at.Addr[:]).String(), at.Port
	case *syscall.SockaddrInet6:
		record.Host, record.Port = net.IP(at.Addr[:]).String(), at.Port
	}
	var cookie uint64
	length := uint32(unsafe.Sizeof(cookie))
	syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), syscall.SOL_SOCKET, soCookie,
		uintptr(unsafe.Pointer(&cookie)), uintptr(unsafe.Pointer(&length)), 0)
	record.Cookie = strconv.FormatUint(cookie, 16)
	return record, err
}

func duplicate(fd int) (int, error) {
	copied, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 3)
	if errno != 0 {
		return -1, errno
	}
	return int(copied), nil
}

// backlog is what net.Listen passes to listen(2): the most that the kernel allows.
func backlog() int {
	text, _ := os.ReadFile("/proc/sys/net/core/somaxconn")
	most, err := strconv.Atoi(string(text[:max(0, len(text)-1)]))
	if err != nil {
		return syscall.SOMAXCONN
	}
	return most
}

func closeAll(fds []int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}

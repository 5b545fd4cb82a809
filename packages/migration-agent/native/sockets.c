// Listening sockets: create, bind, listen, accept, duplicate, describe.
#include "sidestep.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif
#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

// socket(domain, type): non-blocking and closed on exec, because a descriptor that leaks into a child keeps the port open for ever.
static napi_value Socket(napi_env env, napi_callback_info info) {
  ARGS(2);
  return num(env, orErrno(socket(intArg(env, arg[0]), intArg(env, arg[1]) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
}

static int inetAddress(napi_env env, napi_value host, int port, struct sockaddr_storage *out, socklen_t *length) {
  char text[INET6_ADDRSTRLEN] = {0};
  size_t got;
  if (napi_get_value_string_utf8(env, host, text, sizeof text, &got) != napi_ok) return -EINVAL;
  if (port < 0 || port > 65535) return -EINVAL;
  memset(out, 0, sizeof *out);
  struct sockaddr_in *v4 = (struct sockaddr_in *)out;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    *length = sizeof *v4;
    return 0;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    *length = sizeof *v6;
    return 0;
  }
  return -EINVAL;
}

// bindInet(fd, host, port, reuseAddress, ipv6Only, reusePort)
static napi_value BindInet(napi_env env, napi_callback_info info) {
  ARGS(6);
  int fd = intArg(env, arg[0]), on = 1;
  bool reuse = false, only = false, reusePort = false;
  napi_get_value_bool(env, arg[3], &reuse);
  napi_get_value_bool(env, arg[4], &only);
  if (!isAbsent(env, arg[5])) napi_get_value_bool(env, arg[5], &reusePort);
  struct sockaddr_storage address;
  socklen_t length;
  int bad = inetAddress(env, arg[1], intArg(env, arg[2]), &address, &length);
  if (bad) return num(env, bad);
  if (reusePort && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on)) return num(env, -errno);
  if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) return num(env, -errno);
  int v6only = only ? 1 : 0;
  if (address.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
  return num(env, orErrno(bind(fd, (struct sockaddr *)&address, length)));
}

// Fills a Unix address; a leading NUL byte names an abstract socket, whose length counts.
static int unixAddress(napi_env env, napi_value path, struct sockaddr_un *out, socklen_t *length) {
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  size_t need = 0, got;
  if (napi_get_value_string_utf8(env, path, NULL, 0, &need) != napi_ok) return -EINVAL;
  if (need == 0) return -EINVAL;
  if (need >= sizeof out->sun_path) return -ENAMETOOLONG;
  napi_get_value_string_utf8(env, path, out->sun_path, sizeof out->sun_path, &got);
  bool abstractName = out->sun_path[0] == '\0';
  *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + got + (abstractName ? 0 : 1));
  return 0;
}

static napi_value BindUnix(napi_env env, napi_callback_info info) {
  ARGS(2);
  struct sockaddr_un address;
  socklen_t length;
  int bad = unixAddress(env, arg[1], &address, &length);
  if (bad) return num(env, bad);
  return num(env, orErrno(bind(intArg(env, arg[0]), (struct sockaddr *)&address, length)));
}

static napi_value ConnectUnix(napi_env env, napi_callback_info info) {
  ARGS(2);
  struct sockaddr_un address;
  socklen_t length;
  int bad = unixAddress(env, arg[1], &address, &length);
  if (bad) return num(env, bad);
  return num(env, orErrno(connect(intArg(env, arg[0]), (struct sockaddr *)&address, length)));
}

static napi_value Listen(napi_env env, napi_callback_info info) {
  ARGS(2);
  return num(env, orErrno(listen(intArg(env, arg[0]), intArg(env, arg[1]))));
}

static napi_value Accept(napi_env env, napi_callback_info info) {
  ARGS(1);
  return num(env, orErrno(accept4(intArg(env, arg[0]), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)));
}

static napi_value Dup(napi_env env, napi_callback_info info) {
  ARGS(1);
  return num(env, orErrno(fcntl(intArg(env, arg[0]), F_DUPFD_CLOEXEC, 3)));
}

static napi_value Close(napi_env env, napi_callback_info info) {
  ARGS(1);
  return num(env, orErrno(close(intArg(env, arg[0]))));
}

static int intOption(int fd, int level, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, option, &value, &length) ? -errno : value;
}

static void describeAddress(napi_env env, int fd, napi_value out) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  char text[INET6_ADDRSTRLEN];
  if (getsockname(fd, (struct sockaddr *)&address, &length)) return;
  if (address.ss_family == AF_INET) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    set(env, out, "host", str(env, inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text), NAPI_AUTO_LENGTH));
    set(env, out, "port", num(env, ntohs(v4->sin_port)));
  } else if (address.ss_family == AF_INET6) {
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    set(env, out, "host", str(env, inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text), NAPI_AUTO_LENGTH));
    set(env, out, "port", num(env, ntohs(v6->sin6_port)));
  } else if (address.ss_family == AF_UNIX) {
    struct sockaddr_un *un = (struct sockaddr_un *)&address;
    size_t used = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
    if (used > 0 && un->sun_path[0] != '\0') used = strnlen(un->sun_path, used);
    set(env, out, "path", str(env, un->sun_path, used));
  }
}

// describe(fd) -> {domain, type, protocol, accepting, cookie, ipv6Only?, host, port | path}, or -errno for what is no socket.
static napi_value Describe(napi_env env, napi_callback_info info) {
  ARGS(1);
  int fd = intArg(env, arg[0]);
  int domain = intOption(fd, SOL_SOCKET, SO_DOMAIN);
  if (domain < 0) return num(env, domain);
  napi_value out;
  napi_create_object(env, &out);
  set(env, out, "domain", num(env, domain));
  set(env, out, "type", num(env, intOption(fd, SOL_SOCKET, SO_TYPE)));
  set(env, out, "protocol", num(env, intOption(fd, SOL_SOCKET, SO_PROTOCOL)));
  set(env, out, "accepting", num(env, intOption(fd, SOL_SOCKET, SO_ACCEPTCONN)));
  if (domain == AF_INET6) set(env, out, "ipv6Only", num(env, intOption(fd, IPPROTO_IPV6, IPV6_V6ONLY)));
  uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  char text[24];
  getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
  int used = snprintf(text, sizeof text, "%llx", (unsigned long long)cookie);
  set(env, out, "cookie", str(env, text, (size_t)used));
  describeAddress(env, fd, out);
  return out;
}

// acceptQueue(fd) -> [pending, limit]: for a listening socket the kernel reports these in two fields of tcp_info.
static napi_value AcceptQueue(napi_env env, napi_callback_info info) {
  ARGS(1);
  struct tcp_info tcp;
  socklen_t length = sizeof tcp;
  if (getsockopt(intArg(env, arg[0]), IPPROTO_TCP, TCP_INFO, &tcp, &length)) return num(env, -errno);
  napi_value out;
  napi_create_array_with_length(env, 2, &out);
  napi_set_element(env, out, 0, num(env, tcp.tcpi_unacked));
  napi_set_element(env, out, 1, num(env, tcp.tcpi_sacked));
  return out;
}

// spreadOver(fd, count): new connections go to the first `count` sockets of the SO_REUSEPORT group of fd, in the order in which they
// began to listen; 0 gives the choice back to the kernel. It is about the group: whichever process asks, it holds for all.
static napi_value SpreadOver(napi_env env, napi_callback_info info) {
  ARGS(2);
  int fd = intArg(env, arg[0]), count = intArg(env, arg[1]), unused = 0;
  if (count == 0) return num(env, orErrno(setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused)));
  if (count < 0) return num(env, -EINVAL);
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)count),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  return num(env, orErrno(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program)));
}

static napi_value PeerCredentials(napi_env env, napi_callback_info info) {
  ARGS(1);
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(intArg(env, arg[0]), SOL_SOCKET, SO_PEERCRED, &peer, &length)) return num(env, -errno);
  napi_value out;
  napi_create_object(env, &out);
  set(env, out, "pid", num(env, peer.pid));
  set(env, out, "uid", num(env, peer.uid));
  set(env, out, "gid", num(env, peer.gid));
  return out;
}

void exportSockets(napi_env env, napi_value exports) {
  EXPORT(env, exports, "socket", Socket);
  EXPORT(env, exports, "bindInet", BindInet);
  EXPORT(env, exports, "bindUnix", BindUnix);
  EXPORT(env, exports, "connectUnix", ConnectUnix);
  EXPORT(env, exports, "listen", Listen);
  EXPORT(env, exports, "accept", Accept);
  EXPORT(env, exports, "dup", Dup);
  EXPORT(env, exports, "close", Close);
  EXPORT(env, exports, "describe", Describe);
  EXPORT(env, exports, "acceptQueue", AcceptQueue);
  EXPORT(env, exports, "spreadOver", SpreadOver);
  EXPORT(env, exports, "peerCredentials", PeerCredentials);
}

// One message with descriptors over a Unix socket, in and out, and sealed memory to pass larger state in.
#include "sidestep.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union control {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
};

// Reads an array of descriptors; the count, or -EINVAL when it is too long for one message.
static int fdArray(napi_env env, napi_value value, int *out) {
  uint32_t count = 0;
  if (isAbsent(env, value)) return 0;
  if (napi_get_array_length(env, value, &count) != napi_ok || count > MAX_FDS) return -EINVAL;
  for (uint32_t i = 0; i < count; i++) {
    napi_value item;
    napi_get_element(env, value, i, &item);
    out[i] = intArg(env, item);
  }
  return (int)count;
}

static void attachFds(struct msghdr *message, union control *control, const int *fds, int count) {
  memset(control, 0, sizeof *control);
  message->msg_control = control->bytes;
  message->msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
  memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
}

// sendmsg(fd, buffer, fds?, destinationPath?) -> bytes sent or -errno. The message goes whole or not at all on SEQPACKET and DGRAM.
static napi_value SendMessage(napi_env env, napi_callback_info info) {
  ARGS(4);
  struct iovec data;
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  int fds[MAX_FDS];
  union control control;
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (napi_get_buffer_info(env, arg[1], &data.iov_base, &data.iov_len) != napi_ok) return num(env, -EINVAL);
  int count = fdArray(env, arg[2], fds);
  if (count < 0) return num(env, count);
  if (count > 0) attachFds(&message, &control, fds, count);
  if (!isAbsent(env, arg[3])) {
    size_t used;
    if (napi_get_value_string_utf8(env, arg[3], to.sun_path, sizeof to.sun_path, &used) != napi_ok) return num(env, -EINVAL);
    message.msg_name = &to;
    message.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + used + (to.sun_path[0] ? 1 : 0));
  }
  ssize_t sent;
  do sent = sendmsg(intArg(env, arg[0]), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return num(env, orErrno(sent));
}

// musl's CMSG_NXTHDR compares lengths of different signs, and every compiler but the system's own says so.
static struct cmsghdr *headerAfter(struct msghdr *message, struct cmsghdr *header) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
  return CMSG_NXTHDR(message, header);
#pragma GCC diagnostic pop
}

static napi_value receivedFds(napi_env env, struct msghdr *message) {
  napi_value out;
  napi_create_array(env, &out);
  uint32_t index = 0;
  for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = headerAfter(message, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof fd);
      napi_set_element(env, out, index++, num(env, fd));
    }
  }
  return out;
}

// recvmsg(fd, buffer) -> {bytes, fds, truncated, from} or -errno. `truncated` tells lost data (1) or lost descriptors (2); both must
// be looked at: near RLIMIT_NOFILE the kernel drops descriptors and only sets the flag.
static napi_value ReceiveMessage(napi_env env, napi_callback_info info) {
  ARGS(2);
  struct iovec data;
  union control control;
  struct sockaddr_un from = {0};
  if (napi_get_buffer_info(env, arg[1], &data.iov_base, &data.iov_len) != napi_ok) return num(env, -EINVAL);
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  ssize_t got;
  do got = recvmsg(intArg(env, arg[0]), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0) return num(env, -errno);
  napi_value out;
  napi_create_object(env, &out);
  set(env, out, "bytes", num(env, got));
  set(env, out, "fds", receivedFds(env, &message));
  set(env, out, "truncated", num(env, ((message.msg_flags & MSG_TRUNC) ? 1 : 0) | ((message.msg_flags & MSG_CTRUNC) ? 2 : 0)));
  size_t head = offsetof(struct sockaddr_un, sun_path);
  if (message.msg_namelen > head) {
    size_t length = message.msg_namelen - head;
    if (from.sun_path[0] != '\0') length = strnlen(from.sun_path, length);
    set(env, out, "from", str(env, from.sun_path, length));
  }
  return out;
}

// memfd(name, buffer) -> descriptor of sealed memory: what the reader has mapped or read can no longer change or shrink.
static napi_value Memfd(napi_env env, napi_callback_info info) {
  ARGS(2);
  char name[64] = {0};
  size_t used, length, written = 0;
  char *bytes;
  napi_get_value_string_utf8(env, arg[0], name, sizeof name, &used);
  if (napi_get_buffer_info(env, arg[1], (void **)&bytes, &length) != napi_ok) return num(env, -EINVAL);
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return num(env, -errno);
  while (written < length) {
    ssize_t n = write(fd, bytes + written, length - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int reason = errno;
      close(fd);
      return num(env, -reason);
    }
    written += (size_t)n;
  }
  fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return num(env, fd);
}

void exportMessages(napi_env env, napi_value exports) {
  EXPORT(env, exports, "sendmsg", SendMessage);
  EXPORT(env, exports, "recvmsg", ReceiveMessage);
  EXPORT(env, exports, "memfd", Memfd);
}

// Thousands of descriptors that wait for their first byte behind one that the event loop watches: an epoll set of the agent's own. To be
// in it costs a descriptor one system call, where an object of Node's for each would cost both memory and time.
#include "sidestep.h"

#include <sys/epoll.h>

#define READY_AT_ONCE 64

static napi_value WaitSet(napi_env env, napi_callback_info info) {
  (void)info;
  return num(env, orErrno(epoll_create1(EPOLL_CLOEXEC)));
}

// waitSetAdd(set, fd): readable, or ended by the other side.
static napi_value WaitSetAdd(napi_env env, napi_callback_info info) {
  ARGS(2);
  int fd = intArg(env, arg[1]);
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  return num(env, orErrno(epoll_ctl(intArg(env, arg[0]), EPOLL_CTL_ADD, fd, &event)));
}

// Must run before the descriptor is closed: the set would go on reporting a description that another process still holds.
static napi_value WaitSetRemove(napi_env env, napi_callback_info info) {
  ARGS(2);
  struct epoll_event unused = {0};
  return num(env, orErrno(epoll_ctl(intArg(env, arg[0]), EPOLL_CTL_DEL, intArg(env, arg[1]), &unused)));
}

// waitSetReady(set) -> some of the descriptors that are ready, or -errno. They stay in the set.
static napi_value WaitSetReady(napi_env env, napi_callback_info info) {
  ARGS(1);
  struct epoll_event events[READY_AT_ONCE];
  int count = epoll_wait(intArg(env, arg[0]), events, READY_AT_ONCE, 0);
  if (count < 0) return num(env, -errno);
  napi_value out;
  napi_create_array_with_length(env, (size_t)count, &out);
  for (int i = 0; i < count; i++) napi_set_element(env, out, (uint32_t)i, num(env, events[i].data.fd));
  return out;
}

void exportWaitSet(napi_env env, napi_value exports) {
  EXPORT(env, exports, "waitSet", WaitSet);
  EXPORT(env, exports, "waitSetAdd", WaitSetAdd);
  EXPORT(env, exports, "waitSetRemove", WaitSetRemove);
  EXPORT(env, exports, "waitSetReady", WaitSetReady);
}

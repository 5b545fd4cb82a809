// Tells JavaScript when a descriptor that only sendmsg/recvmsg may touch is ready, on Node's own event loop: no thread, no wake-up
// when nothing happens. libuv's functions are exported by every Node binary; only opaque pointers cross, so no libuv header is needed.
#include "sidestep.h"

#include <stdlib.h>

#define UV_POLL 8
#define EVENTS 3

extern size_t uv_handle_size(int type) __attribute__((weak));
extern int uv_poll_init(void *loop, void *handle, int fd) __attribute__((weak));
extern int uv_poll_start(void *handle, int events, void (*callback)(void *, int, int)) __attribute__((weak));
extern int uv_poll_stop(void *handle) __attribute__((weak));
extern void uv_close(void *handle, void (*callback)(void *)) __attribute__((weak));
extern void uv_ref(void *handle) __attribute__((weak));
extern void uv_unref(void *handle) __attribute__((weak));
extern void uv_handle_set_data(void *handle, void *data) __attribute__((weak));
extern void *uv_handle_get_data(const void *handle) __attribute__((weak));

struct watch {
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  void *handle;
};

static void onReady(void *handle, int status, int events) {
  struct watch *watch = uv_handle_get_data(handle);
  napi_env env = watch->env;
  napi_handle_scope scope;
  napi_value callback, global, args[1], error;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, watch->callback, &callback);
  napi_get_global(env, &global);
  args[0] = num(env, status < 0 ? status : events);
  if (napi_make_callback(env, watch->context, global, callback, 1, args, NULL) == napi_pending_exception) {
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

static void freeWatch(void *handle) {
  struct watch *watch = uv_handle_get_data(handle);
  free(watch->handle);
  free(watch);
}

static struct watch *watchArg(napi_env env, napi_value value) {
  struct watch *watch = NULL;
  if (value == NULL || napi_get_value_external(env, value, (void **)&watch) != napi_ok) return NULL;
  return watch;
}

static int setUp(napi_env env, struct watch *watch, int fd, int events, napi_value callback) {
  napi_value name;
  struct uv_loop_s *loop;
  napi_get_uv_event_loop(env, &loop);
  watch->env = env;
  int bad = uv_poll_init(loop, watch->handle, fd);
  if (bad) return bad;
  uv_handle_set_data(watch->handle, watch);
  napi_create_reference(env, callback, 1, &watch->callback);
  name = str(env, "sidestep.watch", NAPI_AUTO_LENGTH);
  napi_async_init(env, NULL, name, &watch->context);
  return uv_poll_start(watch->handle, events, onReady);
}

static bool isFunction(napi_env env, napi_value value) {
  napi_valuetype type;
  return value && napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

// watch(fd, events, callback(events)) -> handle or -errno. events: 1 readable, 2 writable. libuv ends the process for any other.
static napi_value Watch(napi_env env, napi_callback_info info) {
  ARGS(3);
  if (!uv_poll_init || !uv_handle_size || !uv_handle_set_data) return num(env, -ENOSYS);
  if ((intArg(env, arg[1]) & ~EVENTS) || !isFunction(env, arg[2])) return num(env, -EINVAL);
  struct watch *watch = calloc(1, sizeof *watch);
  if (!watch) return num(env, -ENOMEM);
  watch->handle = calloc(1, uv_handle_size(UV_POLL));
  int bad = watch->handle ? setUp(env, watch, intArg(env, arg[0]), intArg(env, arg[1]), arg[2]) : -ENOMEM;
  if (bad) {
    free(watch->handle);
    free(watch);
    return num(env, bad);
  }
  napi_value out;
  napi_create_external(env, watch, NULL, NULL, &out);
  return out;
}

static napi_value Rewatch(napi_env env, napi_callback_info info) {
  ARGS(2);
  struct watch *watch = watchArg(env, arg[0]);
  if (!watch) return num(env, -EINVAL);
  int events = intArg(env, arg[1]);
  if (events & ~EVENTS) return num(env, -EINVAL);
  return num(env, events > 0 ? uv_poll_start(watch->handle, events, onReady) : uv_poll_stop(watch->handle));
}

static napi_value Hold(napi_env env, napi_callback_info info) {
  ARGS(2);
  struct watch *watch = watchArg(env, arg[0]);
  bool hold = true;
  if (!watch) return num(env, -EINVAL);
  napi_get_value_bool(env, arg[1], &hold);
  (hold ? uv_ref : uv_unref)(watch->handle);
  return num(env, 0);
}

// Must run before the descriptor is closed: epoll keeps reporting a description that another process still holds. The caller never
// uses the handle again (the wrapper drops it).
static napi_value Unwatch(napi_env env, napi_callback_info info) {
  ARGS(1);
  struct watch *watch = watchArg(env, arg[0]);
  if (!watch) return num(env, -EINVAL);
  uv_poll_stop(watch->handle);
  napi_delete_reference(env, watch->callback);
  napi_async_destroy(env, watch->context);
  uv_close(watch->handle, freeWatch);
  return num(env, 0);
}

void exportPoll(napi_env env, napi_value exports) {
  EXPORT(env, exports, "watch", Watch);
  EXPORT(env, exports, "rewatch", Rewatch);
  EXPORT(env, exports, "hold", Hold);
  EXPORT(env, exports, "unwatch", Unwatch);
}

// What the parts of the addon share. Every function that can fail in the kernel returns a negative errno to JavaScript instead of
// throwing, so that EAGAIN costs nothing; the wrapper in src/native decides what is an error.
#ifndef SIDESTEP_H
#define SIDESTEP_H

#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// The kernel takes at most 253 descriptors in one message (SCM_MAX_FD).
#define MAX_FDS 253

#define ARGS(n)                                            \
  napi_value arg[n];                                       \
  size_t argc = n;                                         \
  memset(arg, 0, sizeof arg);                              \
  napi_get_cb_info(env, info, &argc, arg, NULL, NULL)

#define EXPORT(env, exports, name, fn)                                       \
  do {                                                                       \
    napi_value f_;                                                           \
    napi_create_function(env, name, NAPI_AUTO_LENGTH, fn, NULL, &f_);        \
    napi_set_named_property(env, exports, name, f_);                         \
  } while (0)

static inline napi_value num(napi_env env, int64_t value) {
  napi_value out;
  napi_create_int64(env, value, &out);
  return out;
}

static inline napi_value str(napi_env env, const char *text, size_t length) {
  napi_value out;
  napi_create_string_utf8(env, text, length, &out);
  return out;
}

static inline void set(napi_env env, napi_value object, const char *key, napi_value value) {
  napi_set_named_property(env, object, key, value);
}

// -1 for anything that is not a number: every caller passes it to a system call that then says EBADF or EINVAL.
static inline int intArg(napi_env env, napi_value value) {
  int32_t out = -1;
  if (value == NULL || napi_get_value_int32(env, value, &out) != napi_ok) return -1;
  return out;
}

static inline bool isAbsent(napi_env env, napi_value value) {
  napi_valuetype type;
  if (value == NULL || napi_typeof(env, value, &type) != napi_ok) return true;
  return type == napi_undefined || type == napi_null;
}

// Returns result, or -errno when the call failed.
static inline int64_t orErrno(int64_t result) { return result < 0 ? -errno : result; }

void exportSockets(napi_env env, napi_value exports);
void exportMessages(napi_env env, napi_value exports);
void exportPoll(napi_env env, napi_value exports);
void exportProcess(napi_env env, napi_value exports);
void exportWaitSet(napi_env env, napi_value exports);

#endif

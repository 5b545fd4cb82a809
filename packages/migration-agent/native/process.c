// The duties of pid 1 that libuv leaves out.
#include "sidestep.h"

#include <sys/wait.h>

// reapOrphans(known): collects ended processes that were re-parented to us. Those that libuv started (`known`) are left to libuv,
// hence the look (WNOWAIT) before each wait. Returns how many were collected.
static napi_value ReapOrphans(napi_env env, napi_callback_info info) {
  ARGS(1);
  uint32_t count = 0, reaped = 0;
  napi_get_array_length(env, arg[0], &count);
  for (;;) {
    siginfo_t ended = {0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) || ended.si_pid == 0) break;
    for (uint32_t i = 0; i < count; i++) {
      napi_value item;
      napi_get_element(env, arg[0], i, &item);
      if (intArg(env, item) == ended.si_pid) return num(env, reaped);
    }
    waitpid(ended.si_pid, NULL, WNOHANG);
    reaped++;
  }
  return num(env, reaped);
}

void exportProcess(napi_env env, napi_value exports) { EXPORT(env, exports, "reapOrphans", ReapOrphans); }

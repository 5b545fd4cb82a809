#include "sidestep.h"

NAPI_MODULE_INIT() {
  exportSockets(env, exports);
  exportMessages(env, exports);
  exportPoll(env, exports);
  exportProcess(env, exports);
  exportWaitSet(env, exports);
  return exports;
}

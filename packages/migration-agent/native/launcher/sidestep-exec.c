// sidestep-exec PARENT CMD [ARG]...: becomes CMD, with what only the process between fork and exec can do: LISTEN_PID is its own pid
// (sd_listen_fds(3) checks it), and it ends when its agent ends, as everything in a container does when pid 1 ends.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  char pid[24];
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  setenv("LISTEN_PID", pid, 1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The agent may have ended before the line above.
  if (getppid() != (pid_t)atoi(argv[1])) return 1;
  execvp(argv[2], argv + 2);
  fprintf(stderr, "sidestep-agent: cannot start %s: %s\n", argv[2], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

// sidestep-exec PARENT CMD [ARG]...: becomes CMD, with what only the process between fork and exec can do: LISTEN_PID is its own pid
// (sd_listen_fds(3) checks it), and it ends when its agent ends, as everything in a container does when pid 1 ends.
//
// sidestep-exec --stay PARENT CMD [ARG]...: stays between the agent and CMD, for a CMD that asks the kernel for a SIGTERM when its parent
// ends and must not have one. SIGUSR2 kills CMD, and so does the end of the agent; every other signal that ends a process is passed on.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t program;

static void pass_on(int signal) { kill(program, signal == SIGUSR2 ? SIGKILL : signal); }

static int become(char **command) {
  char pid[24];
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  setenv("LISTEN_PID", pid, 1);
  execvp(command[0], command);
  fprintf(stderr, "sidestep-agent: cannot start %s: %s\n", command[0], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

static int stay(pid_t agent, char **command) {
  static const int signals[] = {SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};
  sigset_t all, before;
  // Nothing may arrive before it is known whom it is for.
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  program = fork();
  if (program < 0) return 1;
  if (program == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return become(command);
  }
  struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  prctl(PR_SET_PDEATHSIG, SIGUSR2);
  if (getppid() != agent) kill(program, SIGKILL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  int status;
  while (waitpid(program, &status, 0) < 0)
    if (errno != EINTR) return 1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  int stays = argc > 1 && strcmp(argv[1], "--stay") == 0;
  if (argc < 3 + stays) return 2;
  pid_t agent = (pid_t)atoi(argv[1 + stays]);
  char **command = argv + 2 + stays;
  if (stays) return stay(agent, command);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The agent may have ended before the line above.
  if (getppid() != agent) return 1;
  return become(command);
}

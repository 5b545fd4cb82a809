// sidestep-exec AGENT CMD [ARG]...: the parent of CMD, so that nothing of it outlives the agent.
//
// What the kernel offers for that alone, PR_SET_PDEATHSIG, is not enough: it reaches no grandchildren (nginx's workers), it is forgotten when
// a program changes its user (HAProxy), and a program may ask for another signal than SIGKILL (Envoy). So this process stays between the two,
// small, and everything that came of CMD becomes its child in the end. When the agent ends, or at SIGUSR2, all of it is killed; when CMD ends,
// what it left behind is. Every other signal that ends a process is passed on to CMD, and the end of CMD becomes the end of this process.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t program;

static void pass_on(int signal, siginfo_t *info, void *context) {
  (void)context;
  // A terminal's signal goes to its whole group: CMD has got it already.
  if (info->si_code != SI_KERNEL) kill(program, signal == SIGUSR2 ? SIGKILL : signal);
}

static int become(char **command) {
  // Of the process that opens the sockets: sd_listen_fds(3) compares.
  char pid[24];
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  setenv("LISTEN_PID", pid, 1);
  execvp(command[0], command);
  fprintf(stderr, "sidestep-agent: cannot start %s: %s\n", command[0], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

// A socket that CMD has closed must not stay open here: clients would wait in it.
static void close_sockets(void) {
  if (syscall(SYS_close_range, 3, ~0U, 0) == 0) return;
  for (long fd = sysconf(_SC_OPEN_MAX); fd-- > 3;) close((int)fd);
}

// Returns how many could be told; those of another user cannot.
static int kill_children(void) {
  char pids[4096], *at = pids, *end;
  int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, pids, sizeof pids - 1);
  if (file >= 0) close(file);
  pids[length < 0 ? 0 : length] = 0;
  int told = 0;
  // A number that the end of the buffer has cut is not followed by a space, and comes again with the next look.
  for (long pid; (pid = strtol(at, &end, 10)) > 0 && *end == ' '; at = end) told += kill((pid_t)pid, SIGKILL) == 0;
  return told;
}

// The children of one that ends become ours, so there may be others after each.
static void end_what_is_left(void) {
  while (kill_children() > 0)
    if (waitpid(-1, NULL, 0) < 0 && errno != EINTR) return;
}

static int end_as(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  // CMD has written its core already, if it was to write one.
  prctl(PR_SET_DUMPABLE, 0);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

static int stay(pid_t agent, char **command) {
  static const int signals[] = {SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};
  pid_t self = getpid(), ended;
  sigset_t all, before;
  int status;
  // Nothing may arrive before it is known whom it is for.
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  program = fork();
  if (program < 0) return 1;
  if (program == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) return 1;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return become(command);
  }
  close_sockets();
  struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_RESTART | SA_SIGINFO};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  prctl(PR_SET_PDEATHSIG, SIGUSR2);
  // The agent may have ended before the line above.
  if (getppid() != agent) kill(program, SIGKILL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  while ((ended = waitpid(-1, &status, 0)) != program)
    if (ended < 0 && errno != EINTR) return 1;
  end_what_is_left();
  return end_as(status);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  return stay((pid_t)atoi(argv[1]), argv + 2);
}

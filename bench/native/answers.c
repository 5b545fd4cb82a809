// answers VERSION: an HTTP server that does next to nothing for each connection, so that what is counted is connections and not a
// server's work. Takes its listening socket as systemd hands it over (descriptor 3), says READY=1, answers one request for each connection
// with VERSION, and ends at SIGTERM once everything it has accepted is answered.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENER 3
#define ACCEPTS_AT_ONCE 64

static int epoll, open_;
static char answer[128];
static size_t answerLength;

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void sayReady(void) {
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path) return;
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&to, sizeof to);
  close(fd);
}

static void end(int fd) {
  close(fd);
  open_--;
}

// A request of these clients is one packet; whatever it asks, this is the answer.
static int serve(int fd) {
  char request[4096];
  ssize_t got = recv(fd, request, sizeof request, 0);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got > 0) send(fd, answer, answerLength, MSG_NOSIGNAL);
  end(fd);
  return 1;
}

static void take(void) {
  for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
    int fd = accept4(LISTENER, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    open_++;
    if (!serve(fd)) watch(fd);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  answerLength = (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                                  strlen(argv[1]), argv[1]);
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigprocmask(SIG_BLOCK, &ending, NULL);
  int signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(LISTENER);
  watch(signals);
  sayReady();
  for (int accepting = 1; accepting || open_ > 0;) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == LISTENER) {
        if (accepting) take();
      } else if (fd == signals) {
        accepting = 0;
        epoll_ctl(epoll, EPOLL_CTL_DEL, LISTENER, NULL);
        epoll_ctl(epoll, EPOLL_CTL_DEL, signals, NULL);
      } else serve(fd);
    }
  }
  return 0;
}

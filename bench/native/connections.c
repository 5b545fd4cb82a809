// connections HOST PORT SLOTS MODE PAUSE_US PATIENCE_MS: clients that count every failure by kind. MODE "short" connects for each request, "keep"
// sends POSTs one after another on kept connections, once all are open, with a pause between two that is PAUSE_US in the mean. Reports
// one JSON line per line read on stdin, and ends with it; "begin" also starts latencies and the longest gap anew, "pause US" sets the
// pause. Source addresses rotate over 127.1.0.x, so that ports do not run out at 10,000 connections a second.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_SLOTS 4096
#define BUCKETS 200000
#define SOURCES 60

enum phase { WAITING, CONNECTING, READING };

struct slot {
  int fd;
  enum phase phase;
  int reused, known;
  long long begun, wake;
  size_t got;
  char buffer[1024];
};

static struct slot slots[MAX_SLOTS];
static int count, epoll, keep;
// Slots that had an answer. A server on libuv accepts one connection in each turn of its loop, so those that are served already would
// starve the others in the accept queue: on kept connections nobody asks a second time before everybody was answered once.
static int known;
static long long pauseNs, patienceNs;
static struct sockaddr_in target;
static long long ok, refused, reset, timeouts, other, connections, lastOk, longestGap, versions[4096];
static unsigned histogram[BUCKETS], buckets;
static unsigned source;
static long long lastLook;
static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
static const char POST[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n0123456789abcdef";

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// Half of the pause to one and a half: those that were answered together do not ask together for ever.
static void rest(struct slot *s, long long at) {
  s->phase = WAITING;
  s->wake = at + pauseNs / 2 + (long long)((double)pauseNs * rand() / RAND_MAX);
}

static void drop(struct slot *s) {
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
}

static void fail(struct slot *s, int reason) {
  if (reason == ECONNREFUSED) refused++;
  else if (reason == ECONNRESET || reason == EPIPE) reset++;
  else if (reason == ETIMEDOUT) timeouts++;
  else other++;
  drop(s);
  s->phase = WAITING;
  // A refused client tries again after 2 ms, so that an outage does not become a storm of its own.
  s->wake = now() + 2000000;
}

// Time in which this process did not run (another one was measured, the machine slept) is no silence of the server.
static void forgiveOwnAbsence(long long at) {
  long long absent = lastLook ? at - lastLook - 200000000 : 0;
  lastLook = at;
  if (absent <= 0) return;
  for (int i = 0; i < count; i++) slots[i].begun += absent;
}

// Still connecting when there is no room for it yet.
static void sendRequest(struct slot *s) {
  const char *text = keep ? POST : GET;
  size_t length = keep ? sizeof POST - 1 : sizeof GET - 1;
  s->got = 0;
  errno = 0;
  ssize_t sent = send(s->fd, text, length, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN && s->phase == CONNECTING) return;
  if (sent != (ssize_t)length) { fail(s, errno ? errno : EPIPE); return; }
  s->phase = READING;
}

static void begin(struct slot *s) {
  s->begun = now();
  if (s->fd >= 0) {
    s->reused = 1;
    sendRequest(s);
    return;
  }
  s->reused = 0;
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s->fd < 0) { fail(s, errno); return; }
  int on = 1;
  setsockopt(s->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
  if (keep) setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + source++ % SOURCES)};
  bind(s->fd, (struct sockaddr *)&from, sizeof from);
  connections++;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = s};
  epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event);
  s->phase = CONNECTING;
  if (connect(s->fd, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS) { fail(s, errno); return; }
  // On this machine's own addresses the connection is there by now, or refused.
  sendRequest(s);
}

static void done(struct slot *s) {
  long long at = now();
  unsigned bucket = (unsigned)((at - s->begun) / 10000);
  if (bucket >= BUCKETS) bucket = BUCKETS - 1;
  if (bucket >= buckets) buckets = bucket + 1;
  histogram[bucket]++;
  if (lastOk && at - lastOk > longestGap) longestGap = at - lastOk;
  lastOk = at;
  ok++;
  if (!s->known) known++;
  s->known = 1;
  char *version = strstr(s->buffer, "\r\n\r\n");
  if (version) versions[(unsigned)atoi(version + 4) % 4096]++;
  if (!keep || strcasestr(s->buffer, "connection: close")) drop(s);
  rest(s, at);
}

static void receive(struct slot *s) {
  for (;;) {
    ssize_t n = recv(s->fd, s->buffer + s->got, sizeof s->buffer - 1 - s->got, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) { fail(s, errno); return; }
    if (n == 0) {
      if (!keep && s->got > 0) done(s);
      else fail(s, ECONNRESET);
      return;
    }
    s->got += (size_t)n;
    s->buffer[s->got] = 0;
    char *head = strstr(s->buffer, "\r\n\r\n");
    char *length = head ? strcasestr(s->buffer, "content-length:") : NULL;
    if (head && length && s->got >= (size_t)(head + 4 - s->buffer) + (size_t)atoi(length + 15)) { done(s); return; }
  }
}

static void onEvent(struct slot *s, unsigned events) {
  if (s->phase == CONNECTING) {
    int reason = 0;
    socklen_t length = sizeof reason;
    if (events & (EPOLLERR | EPOLLHUP)) getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &reason, &length);
    if (reason) { fail(s, reason); return; }
    if (!(events & EPOLLOUT)) return;
    sendRequest(s);
    return;
  }
  // A kept connection that the server closes between two requests costs nothing: it is opened again.
  if (s->phase == WAITING && s->fd >= 0 && (events & (EPOLLIN | EPOLLHUP))) drop(s);
  if (s->phase == READING && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) receive(s);
}

static double percentile(double share) {
  unsigned long long total = 0, seen = 0;
  for (unsigned i = 0; i < buckets; i++) total += histogram[i];
  for (unsigned i = 0; i < buckets; i++) {
    seen += histogram[i];
    if (total && seen >= share * total) return (i + 1) / 100.0;
  }
  return 0;
}

static void report(int begin) {
  int seen = 0;
  for (int i = 0; i < 4096; i++) seen += versions[i] > 0;
  printf("{\"ok\":%lld,\"refused\":%lld,\"reset\":%lld,\"timeouts\":%lld,\"other\":%lld,\"connections\":%lld,\"versions\":%d,"
         "\"longestGapMs\":%.2f,\"p50Ms\":%.2f,\"p99Ms\":%.2f}\n",
         ok, refused, reset, timeouts, other, connections, seen, longestGap / 1e6, percentile(0.5), percentile(0.99));
  fflush(stdout);
  if (!begin) return;
  longestGap = 0;
  buckets = 0;
  memset(histogram, 0, sizeof histogram);
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  target.sin_family = AF_INET;
  target.sin_port = htons((unsigned short)atoi(argv[2]));
  inet_pton(AF_INET, argv[1], &target.sin_addr);
  count = atoi(argv[3]) < MAX_SLOTS ? atoi(argv[3]) : MAX_SLOTS;
  keep = !strcmp(argv[4], "keep");
  pauseNs = atoll(argv[5]) * 1000;
  patienceNs = atoll(argv[6]) * 1000000;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event control = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &control);
  for (int i = 0; i < count; i++) slots[i].fd = -1;
  for (;;) {
    struct epoll_event events[256];
    int waiting = 0;
    for (int i = 0; i < count && !waiting; i++) waiting = slots[i].phase == WAITING;
    int n = epoll_wait(epoll, events, 256, waiting ? 1 : 50);
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr) { onEvent(events[i].data.ptr, events[i].events); continue; }
      char line[256] = {0};
      if (read(0, line, sizeof line - 1) <= 0) return 0;
      if (!strncmp(line, "pause ", 6)) pauseNs = atoll(line + 6) * 1000;
      report(!strncmp(line, "begin", 5));
    }
    long long at = now();
    forgiveOwnAbsence(at);
    int gathering = keep && known < count;
    for (int i = 0; i < count; i++) {
      if (slots[i].phase == WAITING && gathering && slots[i].known) continue;
      if (slots[i].phase == WAITING && slots[i].wake <= at) begin(&slots[i]);
      else if (slots[i].phase != WAITING && at - slots[i].begun > patienceNs) fail(&slots[i], ETIMEDOUT);
    }
  }
}

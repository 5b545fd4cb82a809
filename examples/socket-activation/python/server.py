"""A sidecar that takes its listening sockets by LISTEN_FDS and prints a line when it serves. Standard library only."""

import os
import signal
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        upstream = os.environ.get("UPSTREAM")
        if upstream and self.path == os.environ.get("UPSTREAM_PATH"):
            with urllib.request.urlopen(upstream + self.path) as answer:
                body = answer.read()
        else:
            body = os.environ.get("VERSION", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class InheritedServer(ThreadingHTTPServer):
    # Threads that still answer are waited for when the server closes.
    daemon_threads = False

    def __init__(self, descriptor):
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=descriptor)


def main():
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        raise SystemExit("LISTEN_PID names another process: start this program with sidestep-agent run")
    # Blocked in every thread and waited for in this one: a handler would run whenever the main thread gets to it, if ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    servers = [InheritedServer(3 + index) for index in range(int(os.environ["LISTEN_FDS"]))]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
    print("serving", os.environ.get("LISTEN_FDNAMES", ""), flush=True)
    signal.sigwait({signal.SIGTERM})
    for server in servers:
        server.shutdown()
        server.server_close()


main()

"""A sidecar that migrates as OpenKruise's hot-upgrade sample does; written anew from its behaviour, standard library only.

Its two containers know from SIDECARSET_VERSION and SIDECARSET_VERSION_ALT whose turn it is. The newer one listens on migrate.sock,
asks the older one over its own business port to migrate, and gets the listening socket; the older one closes its copy at once and
never ends by itself. After five seconds without an error the newer one writes ./result, which the postStart hook waits for.
"""

import os
import signal
import socket
import sys
import threading
import time
import urllib.request

ADDRESS = (os.environ["POD_IP"], int(os.environ["SAMPLE_PORT"]))
MIGRATE_SOCKET = os.environ["MIGRATE_SOCKET"]
RESULT_AFTER_SECONDS = 5


def number(name):
    try:
        return int(os.environ.get(name, ""))
    except ValueError:
        return None


def listen():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(ADDRESS)
    listener.listen(128)
    return listener


def take_over():
    try:
        os.unlink(MIGRATE_SOCKET)
    except FileNotFoundError:
        pass
    door = socket.socket(socket.AF_UNIX)
    door.bind(MIGRATE_SOCKET)
    door.listen(1)
    asking = threading.Thread(target=lambda: urllib.request.urlopen("http://%s:%d/migrate" % ADDRESS).read())
    asking.start()
    giver, _ = door.accept()
    _, descriptors, _, _ = socket.recv_fds(giver, 1, 1)
    asking.join()
    return socket.socket(fileno=descriptors[0])


class Server:
    def __init__(self, listener):
        self.listener = listener
        self.serving = True

    def run(self):
        while self.serving:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                break
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                part = connection.recv(4096)
                if not part:
                    return
                request += part
            if request.startswith(b"GET /migrate "):
                self.give()
                body = b"success"
            else:
                body = os.environ["SAMPLE_VERSION"].encode()
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(head + body)

    def give(self):
        taker = socket.socket(socket.AF_UNIX)
        taker.connect(MIGRATE_SOCKET)
        socket.send_fds(taker, [b"x"], [self.listener.fileno()])
        self.serving = False
        self.listener.close()
        taker.close()


def main():
    if os.environ["SAMPLE_VERSION"] == "empty":
        signal.pause()
    if os.environ["SAMPLE_VERSION"].endswith("-crashes"):
        sys.exit(2)
    mine, other = number("SIDECARSET_VERSION"), number("SIDECARSET_VERSION_ALT")
    hot = mine is not None and other is not None and other != 0
    if hot and mine < other:
        time.sleep(60)
        return
    server = Server(take_over() if hot else listen())
    threading.Thread(target=server.run, daemon=True).start()
    time.sleep(RESULT_AFTER_SECONDS)
    with open("result", "w") as result:
        result.write("ok")
    while True:
        signal.pause()


main()

"""A TCP relay that stands for the network between device and broker, and can be cut."""

import contextlib
import socket
import threading


class Proxy:
    """Relays 127.0.0.1:`port` to `target_port` until it is cut; mended again it relays anew."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._is_whole = True
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._is_whole = False
            pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        with self._lock:
            self._is_whole = True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for callers
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target_port))
                except OSError:  # whom it relays to is away: the next caller may find it back
                    near.close()
                    continue
                with self._lock:
                    if self._is_whole:
                        self._pairs.append((near, far))
                        for source, sink in ((near, far), (far, near)):
                            relay = threading.Thread(target=_relay, args=(source, sink))
                            relay.daemon = True
                            relay.start()
                        continue
                near.close()
                far.close()


def _relay(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

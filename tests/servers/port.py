"""Ports of 127.0.0.1 for servers that cannot choose one themselves."""

import socket
import sys


def free_port() -> int:
    """A TCP port that nobody else is given for as long as this process lives.

    A port that is only looked up may be another's by the time its server listens, or comes back
    after a restart. This one stays bound without listening: who sets SO_REUSEADDR, as servers do,
    may listen on it, while the kernel hands it to nobody who asks for any port or connects.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port: int = probe.getsockname()[1]
    if sys.platform == "linux":
        probe.detach()
    else:  # elsewhere nobody may listen on a bound port
        probe.close()
    return port

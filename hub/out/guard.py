"""Where the hub may connect to on somebody's word: public addresses, and what the city allows.

The name is resolved once, every address is judged, and the connection goes to the address that was
judged: a name that answers otherwise a moment later (DNS rebinding) gains nothing. No redirect is
followed.
"""

import http.client
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from hub.errors import HubError
from wire.coded import coded

MOST_ANSWER = 4096


class NotAllowed(HubError):
    """An address the hub must not connect to."""


@dataclass(frozen=True)
class Answer:
    """What the other side said: HTTP status and the beginning of its body."""

    status: int
    body: str


def check_url(url: str, allowed: Collection[str]) -> None:
    """Raises NotAllowed for what is no http(s) URL of an allowed place, by its form alone.

    `allowed`: host names or networks inside that may be called (and by http).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise NotAllowed(
            coded(
                "bad_address",
                "{url!r} must be https://HOST/… without a name or password in it",
                url=url,
            )
        )
    try:
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        raise NotAllowed(coded("bad_port", "{url!r} has no valid port", url=url)) from None
    if parts.scheme == "http" and not _is_named(host, allowed):
        message = "{url!r} must be https; http only for hosts in out.allow"
        raise NotAllowed(coded("not_https", message, url=url))
    address = _address(host)
    if address is not None and not _may_connect(host, address, allowed):
        message = "{host} is not a public address; name it in out.allow to call it"
        raise NotAllowed(coded("not_public", message, host=host))


def resolve(host: str, port: int, allowed: Collection[str]) -> str:
    """The address to connect to. Raises NotAllowed when any of a host's addresses is inside."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise ConnectionError(f"{host}: {fault}") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not _may_connect(host, address, allowed):
            message = "{host} is {address}, not a public address; see out.allow"
            raise NotAllowed(coded("resolves_inside", message, host=host, address=address))
    return str(addresses[0])


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Collection[str],
    timeout_s: float = 10,
) -> Answer:
    """Send a body. Raises NotAllowed, or OSError and HTTPException for what went wrong."""
    check_url(url, allowed)
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = resolve(host, port, allowed)
    connection = _Pinned(host, port, address, timeout_s, is_secure=parts.scheme == "https")
    try:
        path = parts.path or "/"
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, headers)
        answer = connection.getresponse()
        text = answer.read(MOST_ANSWER).decode("utf-8", "replace")
        return Answer(answer.status, text)
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was judged; TLS still asks for the host's name."""

    def __init__(
        self, host: str, port: int, address: str, timeout_s: float, *, is_secure: bool
    ) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._pinned = address
        self._is_secure = is_secure

    def connect(self) -> None:
        """Connect to the pinned address."""
        plain = socket.create_connection((self._pinned, self.port), self.timeout)
        if not self._is_secure:
            self.sock = plain
            return
        context = ssl.create_default_context()
        self.sock = context.wrap_socket(plain, server_hostname=self.host)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_named(host: str, allowed: Collection[str]) -> bool:
    address = _address(host)
    return host in allowed or (address is not None and _in_networks(address, allowed))


def _may_connect(host: str, address: IPv4Address | IPv6Address, allowed: Collection[str]) -> bool:
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    judged = inner or address
    is_public = judged.is_global and not judged.is_multicast
    return is_public or host in allowed or _in_networks(judged, allowed)


def _in_networks(address: IPv4Address | IPv6Address, allowed: Collection[str]) -> bool:
    for each in allowed:
        try:
            if address in ip_network(each):
                return True
        except ValueError:
            continue
    return False

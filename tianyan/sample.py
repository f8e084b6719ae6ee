"""How the demo gives its hub what is made up."""

import json
import logging
import urllib.error
import urllib.request

log = logging.getLogger(__name__)

TAKEN_ALREADY = 409
JSON = "application/json"


def give(method: str, url: str, token: str, body: object, kind: str = JSON) -> bytes | None:
    """What the hub answers, empty where it does not take it; None where it cannot be talked to.

    A demo goes on without.
    """
    sent = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    request = urllib.request.Request(url, sent, headers, method=method)  # noqa: S310 - its own hub
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as fault:
        if fault.code != TAKEN_ALREADY:
            log.warning("sample not taken: %s %s: %s", method, url, fault)
        return b""
    except (urllib.error.URLError, OSError) as fault:
        log.warning("sample not taken: %s %s: %s", method, url, fault)
        return None

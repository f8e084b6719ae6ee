"""Devices' accounts at a private broker: Mosquitto's password file, read again on SIGHUP.

Mosquitto then ends the open connections of whom it no longer knows by that password. Its own
`mosquitto_passwd` would be given the password as an argument, which every process list shows.
"""

import base64
import fcntl
import hashlib
import logging
import os
import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from hub.config import Broker

log = logging.getLogger(__name__)

_PBKDF2_ROUNDS = 101
_SALT_BYTES = 12


def add(broker: Broker, device: str, password: str) -> bool:
    """Tell the broker of a device, or of its new password; False when it was not told."""
    return _change(broker, {device: password})


def remove(broker: Broker, device: str) -> bool:
    """Let the broker take no connection of a device any more; False as for `add`."""
    return _change(broker, {device: None})


def _hashed(password: str) -> str:
    """A password as Mosquitto 2 keeps it: `$7$` is PBKDF2-HMAC-SHA512, with rounds, salt, hash."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_PBKDF2_ROUNDS}${'$'.join(encoded)}"


def put(accounts: Path, passwords: Mapping[str, str | None]) -> None:
    """Write the accounts of these users anew, or take those without a password out; keep others'.

    The file must be there, and is whole at any time. Raises OSError, and leaves it as it was.
    """
    folder = os.open(accounts.parent, os.O_RDONLY)
    part = accounts.with_name(f"{accounts.name}.part")
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = [
            line
            for line in accounts.read_text(encoding="utf-8").splitlines()
            if line.partition(":")[0] not in passwords
        ]
        new = [f"{user}:{_hashed(word)}" for user, word in passwords.items() if word is not None]
        part.touch(mode=0o600)
        shutil.copymode(accounts, part)
        held = accounts.stat()
        os.chown(part, held.st_uid, held.st_gid)  # so that the broker can go on reading it
        with part.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in [*kept, *new])
            file.flush()
            os.fsync(file.fileno())
        part.replace(accounts)
    finally:
        os.close(folder)


def _change(broker: Broker, passwords: Mapping[str, str | None]) -> bool:
    if broker.accounts_file is None:
        return False
    try:
        put(broker.accounts_file, passwords)
    except OSError as fault:
        log.error("broker.accounts_file is as it was: %s", fault)  # noqa: TRY400
        return False
    return _read_again(broker)


def _read_again(broker: Broker) -> bool:
    if broker.pid_file is None:
        return False
    try:
        os.kill(int(broker.pid_file.read_text().strip()), signal.SIGHUP)
    except (OSError, ValueError) as fault:
        log.warning("Broker was not told of its new account: %s", fault)
        return False
    return True

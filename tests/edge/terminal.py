"""A JT/T 808 terminal that says what it is told to, over a real socket."""

import socket
from typing import Self

from edge.gps.jt808.frame import Frame, Framer, Header, encode


class Terminal:
    """A terminal of the header layout `version`; answers are (message ID, body)."""

    def __init__(self, port: int, digits: str, version: str = "2013") -> None:
        self.version = version
        self.phone = digits.zfill(12 if version == "2013" else 20)
        self._link = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._framer = Framer()
        self._heard: list[Frame] = []
        self._serial = 0

    def say(self, msg_id: int, body: bytes = b"", *, serial: int | None = None) -> int:
        """Send a message, split when it is long; give the serial of its last packet."""
        parts = [body[at : at + 1000] for at in range(0, len(body), 1000)] or [b""]
        for number, part in enumerate(parts, 1):
            self._serial = (self._serial + 1) & 0xFFFF if serial is None else serial
            split = {"total": len(parts), "number": number} if len(parts) > 1 else {}
            edition = None if self.version == "2013" else 1
            header = Header(msg_id, self.version, self.phone, self._serial, edition, **split)
            self._link.sendall(encode(Frame(header, part)))
        return self._serial

    def hear(self) -> tuple[int, bytes]:
        """Give the next message; raises EOFError when the server has hung up."""
        return self.hear_frame()[1:]

    def hear_frame(self) -> tuple[int, int, bytes]:
        """Give serial, message ID and body of the next message."""
        while not self._heard:
            if not (chunk := self._link.recv(4096)):
                raise EOFError
            self._heard += [out for out in self._framer.feed(chunk) if isinstance(out, Frame)]
        frame = self._heard.pop(0)
        return frame.header.serial, frame.header.msg_id, frame.body

    def ask(self, msg_id: int, body: bytes = b"") -> tuple[int, bytes]:
        """Send a message and give the next one heard."""
        self.say(msg_id, body)
        return self.hear()

    def tell(self, msg_id: int, body: bytes = b"") -> int:
        """Send a message; give the result of its general reply."""
        serial = self.say(msg_id, body)
        answer, said = self.hear()
        assert (answer, said[:4]) == (0x8001, serial.to_bytes(2) + msg_id.to_bytes(2))
        return said[4]

    def log_in(self) -> None:
        """Register, and authenticate with the code that was given."""
        if self.version == "2013":
            answer, said = self.ask(0x0100, bytes(37))
        else:
            answer, said = self.ask(0x0100, bytes(76))
        assert answer == 0x8100
        assert said[2] == 0, "registration refused"
        code = said[3:]
        proof = code if self.version == "2013" else bytes([len(code)]) + code + bytes(35)
        assert self.tell(0x0102, proof) == 0

    def close(self) -> None:
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

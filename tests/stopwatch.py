"""How long something takes, whatever else the machine has to do meanwhile."""

import threading
import time
from typing import Self

SPAN_S = 0.01


class Stopwatch:
    """Times a block as a calm machine would: `took_s` by the clock, less what the load added.

    A promise in seconds holds where there is a processor to keep it. While the block runs, a
    thread asks again and again for a hundredth of a second of work; `load` is how many times
    longer than its work it takes.
    """

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._worked_s = self._passed_s = 0.0
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()
        self._began_s = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.took_s = time.monotonic() - self._began_s
        self._over.set()
        self._worker.join()
        self.load = max(1.0, self._passed_s / self._worked_s)
        self.calm_s = self.took_s / self.load

    def _work(self) -> None:
        while True:
            began_s, worked_s = time.monotonic(), time.thread_time()
            while time.thread_time() - worked_s < SPAN_S:
                pass
            self._worked_s += time.thread_time() - worked_s
            self._passed_s += time.monotonic() - began_s
            if self._over.wait(5 * SPAN_S):
                return

import asyncio
import threading

import pytest

from hub.threads import to_end


def test_a_stop_waits_for_the_work_underway():
    begun, free, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        begun.set()
        free.wait(60)
        ended.set()

    async def stop_amid_it():
        task = asyncio.create_task(to_end(work))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not task.done()
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(stop_amid_it())


def test_what_work_returns_or_raises_is_handed_on():
    async def both():
        assert await to_end(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await to_end(divmod, 7, 0)

    asyncio.run(both())

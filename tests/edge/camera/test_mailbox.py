import threading
from datetime import UTC, datetime

from edge.camera.frame import Frame
from edge.camera.mailbox import Mailbox


def frame(index):
    return Frame(None, datetime.now(UTC), float(index), index)


def test_a_slow_reader_gets_the_latest_frame_and_no_queue():
    mailbox = Mailbox()
    for index in range(100):
        mailbox.put("gate", frame(index))
    camera, latest = mailbox.take(0)
    assert (camera, latest.index) == ("gate", 99)
    assert mailbox.take(0) is None
    assert mailbox.replaced == 99


def test_cameras_take_turns():
    mailbox = Mailbox()
    for camera in ("a", "b", "c"):
        mailbox.put(camera, frame(0))
    mailbox.put("a", frame(1))
    assert mailbox.take(0)[0] == "a"
    mailbox.put("a", frame(2))
    assert [mailbox.take(0)[0] for _ in range(3)] == ["b", "c", "a"]


def test_no_frame_of_a_recording_is_missed():
    mailbox = Mailbox()
    never = threading.Event()

    def play():
        for index in range(50):
            mailbox.put_in_turn("gate", frame(index), never)
        mailbox.put_in_turn("gate", None, never)

    threading.Thread(target=play, daemon=True).start()
    taken = []
    while (letter := mailbox.take(60)) and letter[1] is not None:
        taken.append(letter[1].index)
    assert taken == list(range(50))


def test_a_recording_waits_only_until_it_is_stopped():
    mailbox, stop = Mailbox(), threading.Event()
    mailbox.put("gate", frame(0))
    thread = threading.Thread(target=mailbox.put_in_turn, args=("gate", frame(1), stop))
    thread.start()
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert mailbox.take(0)[1].index == 0
    assert mailbox.take(0) is None

import sqlite3
import threading

import msgspec
import pytest

from edge.outbox import ALERT, GAP, RETRY_FIRST_MS, TRACK, EvidenceFile, Outbox, OutboxFull
from tests.wire.test_codec import a_track, an_alert
from wire.receipt import Refusal

PICTURE = EvidenceFile(b"\xff\xd8 a picture", "image/jpeg")


class Clock:
    def __init__(self):
        self.ms = 1_800_000_000_000

    def __call__(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outbox(tmp_path, clock):
    box = Outbox(tmp_path / "outbox.db", "box-0007", clock)
    yield box
    box.close()


def add_alert(box, files=()):
    return box.add(ALERT, lambda seq: an_alert(epoch=box.epoch, seq=seq), files, alert="a-1")


def add_track(box):
    return box.add(TRACK, lambda seq: msgspec.structs.replace(a_track(), seq=seq))


def taken(box, **room):
    return [(item.stream, item.seq) for item in box.take_due(**room)]


def test_numbers_have_no_holes_and_outlive_the_process(tmp_path, outbox, clock):
    assert [add_alert(outbox), add_alert(outbox), add_track(outbox)] == [0, 1, 0]
    outbox.settle(ALERT, [(0, 1)])
    again = Outbox(tmp_path / "outbox.db", "box-0007", clock)
    assert again.epoch == outbox.epoch
    assert add_alert(again) == 2
    again.close()


def test_a_new_file_has_a_new_epoch(tmp_path, outbox, clock):
    other = Outbox(tmp_path / "other" / "outbox.db", "box-0007", clock)
    assert other.epoch != outbox.epoch
    other.close()


def test_alerts_go_first_and_of_tracks_the_newest(outbox):
    for _ in range(3):
        add_track(outbox)
    add_alert(outbox)
    assert taken(outbox) == [(ALERT, 0), (TRACK, 2), (TRACK, 1), (TRACK, 0)]


def test_no_room_for_tracks_still_lets_alerts_through(outbox):
    add_track(outbox)
    add_alert(outbox)
    assert taken(outbox, track_room=0) == [(ALERT, 0)]


def test_what_has_no_receipt_is_sent_again_later_and_later(outbox, clock):
    add_alert(outbox)
    assert taken(outbox) == [(ALERT, 0)]
    waits_ms = []
    for _ in range(3):
        start_ms = clock.ms
        while not taken(outbox):
            clock.ms += 1000
        waits_ms.append(clock.ms - start_ms)
    assert 0.7 * RETRY_FIRST_MS < waits_ms[0] < waits_ms[1] < waits_ms[2]


def test_a_clock_that_is_set_back_holds_nothing_up(outbox, clock):
    add_alert(outbox, [PICTURE])
    assert taken(outbox) == [(ALERT, 0)]
    clock.ms -= 3_600_000
    assert taken(outbox) == [(ALERT, 0)]
    assert taken(outbox) == []
    assert outbox.oldest_s() == 0
    outbox.settle(ALERT, [(0, 0)])
    assert len(outbox.files_due()) == 1
    clock.ms -= 3_600_000
    assert len(outbox.files_due()) == 1


def test_the_hubs_return_makes_everything_due(outbox):
    add_alert(outbox)
    assert taken(outbox)
    assert not taken(outbox)
    outbox.send_again()
    assert taken(outbox) == [(ALERT, 0)]


def test_a_receipt_settles_ranges_and_keeps_the_rest(outbox):
    for _ in range(6):
        add_alert(outbox)
    outbox.settle(ALERT, [(0, 2), (4, 4)])
    assert taken(outbox) == [(ALERT, 3), (ALERT, 5)]
    assert outbox.depth() == {ALERT: 2}


def test_a_refused_item_is_put_aside_and_not_sent_again(outbox):
    add_alert(outbox)
    outbox.settle(ALERT, [], [Refusal(0, "E_SCHEMA", "lat")])
    outbox.send_again()
    assert not taken(outbox)
    assert outbox.refused_count() == 1


def test_files_wait_for_their_alert_and_leave_with_their_receipt(outbox):
    add_alert(outbox, [PICTURE])
    assert outbox.files_due() == []
    outbox.settle(ALERT, [(0, 0)])
    (held,) = outbox.files_due()
    assert outbox.file_path(held.sha256).read_bytes() == PICTURE.data
    assert outbox.files_due() == []
    outbox.forget_files([held.sha256])
    assert not outbox.file_path(held.sha256).exists()
    assert outbox.depth() == {}


def test_when_the_disk_share_is_full_old_tracks_go_and_are_told(tmp_path, clock):
    box = Outbox(tmp_path / "outbox.db", "box-0007", clock, max_bytes=20_000)
    for _ in range(300):
        add_track(box)
    last = add_alert(box)
    items = box.take_due(track_room=50)
    (gap,) = {item.stream for item in items} & {GAP}
    told = [msgspec.json.decode(item.payload) for item in items if item.stream == gap]
    lost = sum(gap["last"] - gap["first"] + 1 for gap in told)
    assert lost + box.depth()[TRACK] == 300
    assert (ALERT, last) in [(item.stream, item.seq) for item in items]
    box.close()


def test_alerts_alone_over_the_share_are_kept_and_new_tracks_refused(tmp_path, clock):
    box = Outbox(tmp_path / "outbox.db", "box-0007", clock, max_bytes=2_000)
    for _ in range(10):
        add_alert(box)
    with pytest.raises(OutboxFull, match="2000 allowed"):
        add_track(box)
    assert box.depth()[ALERT] == 10
    box.close()


def test_many_threads_get_a_number_each(outbox):
    seqs = []
    threads = [
        threading.Thread(target=lambda: seqs.extend(add_alert(outbox) for _ in range(20)))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs) == list(range(100))


def test_a_failed_build_takes_no_number(outbox):
    with pytest.raises(ZeroDivisionError):
        outbox.add(ALERT, lambda seq: 1 // 0)
    assert add_alert(outbox) == 0


def test_the_file_is_synced_before_add_returns(tmp_path, outbox):
    add_alert(outbox)
    reader = sqlite3.connect(tmp_path / "outbox.db")
    assert reader.execute("SELECT COUNT(*) FROM item").fetchone() == (1,)
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)
    reader.close()


def test_a_group_is_stored_whole_or_not_at_all(outbox):
    def build(seq):
        return msgspec.structs.replace(a_track(), epoch=outbox.epoch, seq=seq)

    assert outbox.add_all(TRACK, [(build, 3), (build, 1), (build, 2)]) == [0, 3, 4]
    with pytest.raises(ZeroDivisionError):
        outbox.add_all(TRACK, [(build, 1), (lambda seq: seq // 0, 1)])
    assert outbox.add_all(TRACK, []) == []
    assert outbox.add_all(TRACK, [(build, 1)]) == [6]
    outbox.settle(TRACK, [(0, 2), (3, 6)])
    assert outbox.depth() == {}


def test_a_gap_names_nothing_that_was_delivered(tmp_path, clock):
    box = Outbox(tmp_path / "outbox.db", "box-0007", clock, max_bytes=2_000)
    for _ in range(6):
        add_track(box)
    box.settle(TRACK, [(2, 2), (4, 4)])
    while GAP not in box.depth():
        add_track(box)
    told = [msgspec.json.decode(item.payload) for item in box.take_due() if item.stream == GAP]
    assert [(gap["first"], gap["last"]) for gap in told][:2] == [(0, 1), (3, 3)]
    box.close()


def test_pictures_are_sent_before_clips_and_originals_last(outbox):
    files = [
        EvidenceFile(b"original", "image/jpeg", sealed=True),
        EvidenceFile(b"clip", "video/mp4"),
        EvidenceFile(b"picture", "image/jpeg"),
    ]
    outbox.add_files("look-1", files)
    due = outbox.files_due()
    assert [(file.type, file.sealed) for file in due] == [
        ("image/jpeg", False), ("video/mp4", False), ("image/jpeg", True)
    ]  # fmt: skip
    assert {file.alert for file in due} == {"look-1"}


def test_files_beyond_their_share_make_room_originals_first(tmp_path, caplog):
    box = Outbox(tmp_path / "outbox.db", "box-0007", lambda: 0, max_bytes=10_000)
    box.add_files("a", [EvidenceFile(b"s" * 2000, "image/jpeg", sealed=True)])
    box.add_files("a", [EvidenceFile(b"c" * 2000, "video/mp4")])
    box.add_files("b", [EvidenceFile(b"p" * 2000, "image/jpeg")])
    assert [(file.type, file.sealed) for file in box.files_due()] == [
        ("image/jpeg", False), ("video/mp4", False)
    ]  # fmt: skip
    assert "of a is discarded" in caplog.text
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 2
    box.close()


def test_an_outbox_of_an_earlier_version_is_opened(tmp_path):
    path = tmp_path / "outbox.db"
    db = sqlite3.connect(path)
    db.execute(
        "CREATE TABLE file (sha256 TEXT NOT NULL, alert TEXT NOT NULL, alert_seq INTEGER NOT NULL,"
        " type TEXT NOT NULL, size INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,"
        " due_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (sha256, alert)) WITHOUT ROWID"
    )
    db.execute("INSERT INTO file VALUES ('aa', 'a-1', 0, 'image/jpeg', 5, 0, 0)")
    db.commit()
    db.close()
    box = Outbox(path, "box-0007", lambda: 0)
    assert [(file.sha256, file.sealed) for file in box.files_due()] == [("aa", False)]
    box.close()


def test_it_knows_of_an_alert_that_was_not_sent_yet(outbox):
    assert not outbox.has_fresh_alert()
    add_alert(outbox)
    assert outbox.has_fresh_alert()
    outbox.take_due()
    assert not outbox.has_fresh_alert()

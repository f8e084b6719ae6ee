from dataclasses import replace

from hub.proof import store as proof_store
from hub.proof.check import Check, Means, Result
from hub.proof.photo import FixPhoto, Reason, Source, Taken, Use, Verdict
from hub.proof.rebound import Rebound
from tests.hub.world import LAT, LON, after

PHOTO = FixPhoto(
    id=0,
    case_id=7,
    use=Use.CLAIM,
    sha256="a" * 64,
    shown="b" * 64,
    type="image/jpeg",
    size=900,
    by="crew",
    uploaded_at=after(60),
    taken=Taken(after(50), Source.EXIF, (LAT, LON), Source.DEVICE, 12.0),
    reasons=(Reason.REUSED,),
    copy_of="photo:3",
    copy_of_case=2,
    phash="0123456789abcdef",
    windows=b"\x01\x02",
)
CHECK = Check(0, 7, after(90), "crew", Means.LOOK, after(90), look="f" * 27)


def test_what_is_kept_of_a_photo_comes_back(store):
    with store.write() as tx:
        kept = proof_store.add_photo(tx, PHOTO)
        bare = proof_store.add_photo(tx, replace(PHOTO, taken=Taken(), reasons=(), sha256="c" * 64))
        proof_store.use_photos(tx, [replace(kept, reasons=())], after(99))
    with store.read() as tx:
        used, other = proof_store.photos_of(tx, 7)
        assert used == replace(kept, reasons=(), used_at=after(99))
        assert (other, other.verdict) == (bare, Verdict.GOOD)
        assert proof_store.same_file(tx, "a" * 64) == [used]
        assert proof_store.load_photos(tx, [bare.id]) == {bare.id: bare}


def test_a_check_waits_for_its_look_until_it_is_answered(store):
    with store.write() as tx:
        check = proof_store.add_check(tx, CHECK)
        assert proof_store.awaited_looks(tx) == [check]
        done = replace(check, result=Result.PRESENT, reasons=("seen",), checked_at=after(99))
        proof_store.save_check(tx, done)
        assert proof_store.awaited_looks(tx) == []
        assert proof_store.of_look(tx, "f" * 27) == done
        assert proof_store.checks_of(tx, [7, 8]) == {7: [done], 8: []}
        assert done.is_false_rectification
        assert not check.is_false_rectification


def test_rebounds_are_kept_by_case(store):
    rebound = Rebound(0, 7, after(0), after(99), "alert", "0" * 20, 3.5)
    with store.write() as tx:
        proof_store.add_rebound(tx, rebound)
    with store.read() as tx:
        (found,) = proof_store.rebounds_of(tx, [7])[7]
    assert replace(found, id=0) == rebound

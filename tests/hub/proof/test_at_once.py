"""Photos that several calls bring at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.roles import Role
from tests.hub.proof.test_proof_api import Street


@pytest.mark.parametrize(
    ("roles", "photos"),
    [((Role.OPERATOR, Role.OPERATOR), 1), ((Role.OPERATOR, Role.ADMIN), 2)],
    ids=["one person", "two people"],
)
def test_the_same_photo_sent_twice_at_once_is_one_photo_of_each_person(
    tmp_path, store, roles, photos
):
    both_are_here = threading.Barrier(2, timeout=60)

    def cover(picture):
        both_are_here.wait()
        return picture

    world = Street(tmp_path, store, cover)
    case = world.report()["case_id"]
    data = world.shot(1)

    def send(role):
        return world.upload(case, data, role=role)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, roles))
    assert [each.status_code for each in answers] == [201, 201]
    assert len({each.json()["id"] for each in answers}) == photos
    assert len(world.proof(case)["photos"]) == photos

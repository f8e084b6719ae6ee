import pytest

from hub.duty.duty import Five, PersonRole, missing

HEAD, WORKER = PersonRole.GRID_HEAD, PersonRole.GRID_WORKER
SAID = (Five.DUTIES, Five.TASKS, Five.REWARDS)


@pytest.mark.parametrize(
    ("in_force", "roles", "said", "lacks"),
    [
        (True, [HEAD, WORKER], SAID, ()),
        (False, [HEAD, WORKER], SAID, (Five.AREA,)),
        (True, [], SAID, (Five.PEOPLE,)),
        (True, [HEAD], SAID, (Five.PEOPLE,)),
        (True, [WORKER, WORKER], SAID, (Five.PEOPLE,)),
        (True, [HEAD, WORKER], (Five.TASKS,), (Five.DUTIES, Five.REWARDS)),
        (True, [], (), (Five.PEOPLE, *SAID)),
    ],
)
def test_which_of_the_five_a_grid_lacks(in_force, roles, said, lacks):
    assert missing(is_in_force=in_force, roles=roles, texts=said) == lacks

import pytest

from hub.receipts import MOST, Answers, ranges

STREAM = ("cam-1", "0" * 16, "alert")


@pytest.mark.parametrize(
    ("seqs", "expected"),
    [
        ([], []),
        ([3], [(3, 3)]),
        ([1, 2, 3], [(1, 3)]),
        ([3, 1, 2, 2], [(1, 3)]),
        ([1, 3, 4, 9], [(1, 1), (3, 4), (9, 9)]),
    ],
)
def test_ranges(seqs, expected):
    assert ranges(seqs) == expected


def test_answers_are_gathered_and_given_once():
    answers = Answers()
    answers.stored(STREAM, [1, 2])
    answers.stored(STREAM, [3])
    answers.refused(STREAM, 4, "E_RANGE", "x" * 500)

    stored, refused = answers.take()

    assert stored.seqs == [(1, 3)]
    assert (refused.refused[0].seq, len(refused.refused[0].msg)) == (4, 200)
    assert answers.take() == []


def test_a_receipt_is_never_larger_than_the_contract_allows():
    answers = Answers()
    answers.stored(STREAM, range(0, 5000, 2))
    assert [len(receipt.seqs) for receipt in answers.take()] == [MOST, MOST, 500]

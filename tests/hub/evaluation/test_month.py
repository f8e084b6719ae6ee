"""A simulated month of a whole city: every planted fact is found, and stays found."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from hub import audit
from hub.cases.store import cases
from hub.evaluation.grouping import By, Grouping
from hub.evaluation.indicator import BY_ID, measure, measure_by, of_unit
from hub.intake.store import reports
from hub.proof import store as proof_store
from hub.proof.check import Means, Result
from hub.proof.photo import Verdict
from hub.proof.store import checks, photos, rebounds
from tests.hub.evaluation.conftest import facts_of
from tests.hub.evaluation.month import REPORTS, Month, came_back, plans, truth

MONTH_END = datetime(2026, 11, 30, 16, tzinfo=UTC)
MIDDLE = datetime(2026, 11, 15, 16, tzinfo=UTC)


def found(facts, span, wanted):
    figures = {}
    for name in wanted:
        row = BY_ID[name]
        made = measure(row, of_unit(facts, row.unit), span)
        figures[name] = (len(made.numerator), len(made.denominator))
    return figures


def check_rebounds(facts, span, made, as_of):
    """反弹率 to the digit, and which cases it is of."""
    rebound = measure(BY_ID["rebound_rate"], facts.cases, span)
    back = came_back(made, as_of)
    assert sorted(rebound.numerator) == back
    numerator, denominator = truth(made, as_of)["rebound_rate"]
    assert (len(back), rebound.value) == (numerator, numerator / denominator)


def check_visits(tx, made):
    """Wherever a camera could not tell, one person went and brought one good photo of his own."""
    unseen = {plan.case for plan in made if plan.fault == "unseen"}
    blind = select(checks.c.case_id).where(checks.c.result == "cannot_tell")
    assert sorted(tx.execute(blind).scalars()) == sorted(unseen)
    for known in proof_store.checks_of(tx, unseen).values():
        assert [(each.means, each.result) for each in known] == [
            (Means.LOOK, Result.CANNOT_TELL), (Means.VISIT, Result.GONE),
        ]  # fmt: skip
        (photo,) = proof_store.load_photos(tx, known[1].photos).values()
        assert (photo.verdict, photo.used_at) == (Verdict.GOOD, known[1].checked_at)
    taken = tx.execute(select(photos.c.case_id)).scalars().all()
    assert sorted(taken) == sorted(unseen)


def counted(tx, table, *which):
    return tx.execute(select(func.count()).select_from(table).where(*which)).scalar()


@pytest.mark.timeout(1800)
def test_every_planted_fact_of_the_month_is_found(sqlite_store, tmp_path):
    made, city = plans(), Month(sqlite_store, tmp_path)
    try:
        city.live(made, MIDDLE)
        facts, span = facts_of(city, "2026-11", MIDDLE)
        half = truth(made, MIDDLE)
        assert found(facts, span, half) == half
        check_rebounds(facts, span, made, MIDDLE)

        city.live(made, MONTH_END)
        facts, span = facts_of(city, "2026-11")
        whole = truth(made, MONTH_END)
        assert found(facts, span, whole) == whole
        check_rebounds(facts, span, made, MONTH_END)

        grids = measure_by(BY_ID["open_rate"], facts.cases, span, Grouping(By.GRID, 3).key())
        assert len(grids) == 91
        for code, figure in grids.items():
            assert len(figure.denominator) == sum(plan.path[-1] == code for plan in made)
        sent = measure_by(BY_ID["dispatch_rate"], facts.cases, span,
                          Grouping(By.DEPARTMENT).key())  # fmt: skip
        planned = [plan.department for plan in made if plan.when("dispatch")]
        for code, figure in sent.items():
            assert len(figure.denominator) == planned.count(code)

        city.live(made, MONTH_END + timedelta(days=40))
        with city.store.read() as tx:
            assert counted(tx, cases) == len(made)
            assert counted(tx, checks, checks.c.result == "present") == whole["rework_rate"][0]
            assert counted(tx, rebounds) == whole["rebound_rate"][0]
            check_visits(tx, made)
        again = facts_of(city, "2026-11", MONTH_END)[0]
        assert again == facts
        assert found(*facts_of(city, "2026-11", MIDDLE), half) == half
        with city.store.read() as tx:
            assert counted(tx, reports) == REPORTS
            assert audit.verify(tx) == []
    finally:
        city.stop()

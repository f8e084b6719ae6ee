"""Reports made, kept and made on time: 设日督导、周通报、月排名、季点评, and the year's."""

import logging
from datetime import datetime, timedelta
from typing import Literal

from hub.config import HubConfig
from hub.departments import store as department_store
from hub.evaluation import store as evaluation_store
from hub.evaluation.document import document
from hub.evaluation.figures import Asked, Figures
from hub.evaluation.period import Every, Period
from hub.evaluation.printed import NoPrinter, pdf
from hub.evaluation.store import StoredReport
from hub.evaluation.workbook import workbook
from hub.store import Store, now

log = logging.getLogger(__name__)

Form = Literal["xlsx", "pdf"]
FORMS: tuple[Form, ...] = ("xlsx", "pdf")
AFTER = timedelta(hours=1)
"""So long after its period has ended a report is made: what happened last has been told by then."""


class Maker:
    """Makes the reports of one site."""

    def __init__(self, store: Store, config: HubConfig, figures: Figures) -> None:
        """Take where from and where to."""
        self._store = store
        self._config = config
        self._figures = figures
        self._can_print = True

    def content(self, asked: Asked, form: Form) -> tuple[bytes, int]:
        """A report's bytes and the number of its scheme; the same question, the same bytes.

        Raises NoPrinter for a PDF where its libraries are missing.
        """
        with self._store.read() as tx:
            listed = department_store.listed(tx)
            names = {each.department.code: each.department.name_zh for each in listed}
            said = document(tx, self._figures, asked, self._config.name, names)
        make = workbook if form == "xlsx" else pdf
        return make(said, self._config.zone), said.scheme.number

    def make(self, asked: Asked, form: Form, by: str) -> StoredReport:
        """Make a report and keep it."""
        content, scheme = self.content(asked, form)
        about = StoredReport(
            0, asked.period.name, asked.period.every.value, asked.as_of, now(), by, scheme, form, ""
        )
        with self._store.write() as tx:
            return evaluation_store.keep_report(tx, about, content)

    def make_due(self, at: datetime) -> list[StoredReport]:
        """Make the reports of the periods that have just ended and have none."""
        made = []
        for every in Every:
            period = Period.of(every, (at - AFTER).astimezone(self._config.zone).date()).before()
            for form in FORMS:
                with self._store.read() as tx:
                    is_made = evaluation_store.has_report(tx, period.name, form)
                if is_made or (form == "pdf" and not self._can_print):
                    continue
                try:
                    made.append(self.make(self._figures.asked(period), form, "schedule"))
                except NoPrinter as fault:
                    self._can_print = False
                    log.warning("%s", fault)
        return made

"""What operators note about an affiliate, for each other: a row of the audit trail, so never changed and never gone."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from portal.clock import Clock
from portal.domain.errors import InvalidInput, NotFound
from portal.models import Affiliate
from portal.models.base import Database, writing
from portal.services.journal import Cause, Journal
from portal.services.problems import length_problems, refuse_problems

#: A page or so; what is longer belongs into a document.
LONGEST_NOTE = 2_000


class Notes:
    """Adds notes; the trail of the affiliate shows them. Affiliates never read any."""

    def __init__(self, database: Database, *, clock: Clock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal

    @writing
    def add(self, code: str, text: str, *, cause: Cause) -> None:
        """Note 1 to 2,000 characters about the affiliate; line breaks are kept. Raises NotFound, InvalidInput."""
        text = text.replace("\r\n", "\n").strip()
        if not text:
            raise InvalidInput([("text", "Write something first.")])
        refuse_problems(length_problems("text", text.replace("\n", " "), LONGEST_NOTE))
        affiliate_id = self._database.scalar(sa.select(Affiliate.id).where(Affiliate.code == code))
        if affiliate_id is None:
            raise NotFound(f"There is no affiliate {code[:64]}.")
        self._journal.changed(
            "affiliate", affiliate_id, action="affiliate.noted", before=None, after=None,
            cause=replace(cause, reason=text), at=self._clock.now(),
        )  # fmt: skip

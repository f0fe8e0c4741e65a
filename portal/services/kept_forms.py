"""What people had typed when they were sent to sign in again, so that they find it when they come back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.models import KeptForm
from portal.models.base import Database, new_id, reading, writing

#: How long: to look for a second factor, and to read once more what one had typed.
KEPT = timedelta(minutes=30)

#: How many one person may have: a few tabs. More would let a program fill the table.
MOST_OF_ONE = 5

#: Fifty references of the longest are less; nothing larger is kept.
MOST_CHARACTERS = 32_768

Fields = Mapping[str, list[str]]


class KeptForms:
    """Forms that were not sent; each is its owner's alone. By the real clock: a rehearsal shifts no sign-in."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @writing
    def keep(self, user_id: UUID, fields: Fields) -> UUID | None:
        """Keep what the person had typed, and forget all that is old; its name, or None if it is too much."""
        now = self._clock.real_now()
        if len(json.dumps(fields)) > MOST_CHARACTERS:
            return None
        theirs = sa.select(KeptForm.id).where(KeptForm.user_id == user_id).order_by(KeptForm.kept_at.desc())
        crowded_out = self._database.scalars(theirs.offset(MOST_OF_ONE - 1)).all()
        is_old = (KeptForm.kept_at < now - KEPT) | KeptForm.id.in_(crowded_out)
        self._database.execute(sa.delete(KeptForm).where(is_old))
        form = KeptForm(id=new_id(), user_id=user_id, fields=dict(fields), kept_at=now)
        self._database.add(form)
        return form.id

    @reading
    def of(self, user_id: UUID, form_id: UUID) -> Fields:
        """What this person had typed into that form; nothing if it is another's, or forgotten."""
        form = self._database.get(KeptForm, form_id)
        is_theirs = form is not None and form.user_id == user_id
        if form is None or not is_theirs or self._clock.real_now() - form.kept_at > KEPT:
            return {}
        return form.fields

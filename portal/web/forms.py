"""What a form needs when it is shown again: every problem by its field, and when asking again makes sense."""

from __future__ import annotations

import math
import re

from flask import Response, request

from portal.domain.errors import InvalidInput, PortalError
from portal.domain.sentences import Sentence
from portal.wiring import services

#: The largest row number a database holds.
_LARGEST_NUMBER = 2**63 - 1


def problems_of(refusal: PortalError) -> dict[str, str]:
    """Field to sentence, for the summary and for the field; the empty field is the form as a whole."""
    if isinstance(refusal, InvalidInput):
        return dict(reversed(refusal.problems))
    # nobody can put the cursor into a hidden field
    field = refusal.field if refusal.field != "request_key" else None
    return {field or "": refusal.sentence}


def with_retry_after(response: Response, refusal: PortalError) -> Response:
    """Tell a program when to come back, where that is known."""
    if refusal.retry_at is not None:
        seconds = (refusal.retry_at - services().clock.now()).total_seconds()
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return response


def typed(name: str) -> str | None:
    """What was typed into a field, None where the form did not bring it."""
    return request.form.get(name)


def page_before() -> int | None:
    """The row below which a page of older ones begins (`?before=`), None for the newest. Raises InvalidInput."""
    return _row_number("before")


def page_after() -> int | None:
    """The row past which a page of later ones begins (`?after=`), None for the oldest. Raises InvalidInput."""
    return _row_number("after")


def _row_number(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > _LARGEST_NUMBER:
        raise InvalidInput([(name, Sentence("There is no such page. Follow the links under the list."))])
    return int(text)

"""What every refusal has in common. A refusal is a class whose name and sentence speak to the person who is refused."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class PortalError(Exception):
    """Something the portal will not do, said to the person who asked.

    `status` is the HTTP status, `code` the stable word for machines, the text a full sentence that says what to do
    next, `field` the form field or JSON member it belongs to, `retry_at` (UTC) when asking again makes sense.
    The text is a `Sentence` where an affiliate may read it: a page says it in their language.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str, *, field: str | None = None, retry_at: datetime | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.retry_at = retry_at


class NotFound(PortalError):
    """There is no such thing, or it is not this person's to see."""

    status = 404
    code = "not_found"


class InvalidInput(PortalError):
    """A value that cannot be taken; `problems` has one entry for each fault, `(where, sentence)`."""

    status = 422
    code = "invalid"

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        said = [sentence for _, sentence in problems]
        super().__init__(
            said[0] if len(said) == 1 else " ".join(said), field=problems[0][0] if problems else None
        )


class StripeIsAway(PortalError):
    """Stripe did not answer, or its answer is not known; nothing was concluded from that."""

    status = 503
    code = "stripe_unavailable"

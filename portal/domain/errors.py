"""What every refusal has in common. A refusal is a class whose name and sentence speak to the person who is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar


class PortalError(Exception):
    """Something the portal will not do, said to the person who asked.

    `status` is the HTTP status, `code` the stable word for machines, the text a full sentence that says what to do
    next, `field` the form field or JSON member it belongs to, `retry_at` (UTC) when asking again makes sense. A moment
    that the sentence names stands in it as a `{name}` and comes beside, so that a page shows it in its reader's zone.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"

    def __init__(
        self, words: str, *, field: str | None = None, retry_at: datetime | None = None, **moments: datetime
    ) -> None:
        self._words, self._moments = words, moments
        self.sentence = self.said_with(_in_utc)
        super().__init__(self.sentence)
        self.field = field
        self.retry_at = retry_at

    def said_with(self, time_text: Callable[[datetime], str]) -> str:
        """The sentence, with the moments it names in these words."""
        if not self._moments:
            return self._words  # whatever it quotes, braces too
        return self._words.format(**{name: time_text(at) for name, at in self._moments.items()})


def _in_utc(moment: datetime) -> str:
    return f"{moment:%d %b %Y, %H:%M} UTC"


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
        super().__init__(
            " ".join(sentence for _, sentence in problems), field=problems[0][0] if problems else None
        )


class StripeIsAway(PortalError):
    """Stripe did not answer, or its answer is not known; nothing was concluded from that."""

    status = 503
    code = "stripe_unavailable"

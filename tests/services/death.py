"""A process that dies at any moment of its work: before or after a commit, before or after a call to Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy import event

from tests.services.line import Answer, Killed, Line


class _Mortal:
    """Counts moments. From the fatal one on nothing is written and nothing is asked: not even what a `finally` does."""

    def __init__(self, fatal: int, since: tuple[str, str] | None) -> None:
        self._left = fatal
        self._since = since

    def passes(self) -> None:
        """One more moment; raises Killed."""
        if self._since is not None:
            return
        self._left -= 1
        if self._left <= 0:
            raise Killed

    def commit(self, connection: sa.Connection) -> None:
        """Before it, and after it while nobody has heard yet that it was done."""
        if not connection.get_execution_options().get("is_writer"):
            return
        self.passes()
        if self._left == 1 and self._since is None:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.commit()
        self.passes()

    def request(self, method: str, path: str) -> None:
        if (method, path) == self._since:
            self._since = None
        self.passes()

    def answer(self, _method: str, _path: str, answer: Answer) -> Answer:
        self.passes()
        return answer


@contextmanager
def dying_at(
    moment: int, *, engine: sa.Engine, line: Line, since: tuple[str, str] | None = None
) -> Iterator[None]:
    """What happens within ends at its so many-th moment, the first being 1, counted from the first such request on if
    `since` names one; work that has fewer ends by itself."""
    mortal = _Mortal(moment, since)
    event.listen(engine, "commit", mortal.commit)
    line.on_request, line.on_answer = mortal.request, mortal.answer
    try:
        with suppress(Killed):
            yield
    finally:
        event.remove(engine, "commit", mortal.commit)
        line.is_quiet_again()


class _Statements:
    """Counts what is written. From the fatal statement on nothing reaches the database any more."""

    def __init__(self, fatal: int) -> None:
        self._left = fatal

    @property
    def is_alive(self) -> bool:
        return self._left > 0

    def execute(self, _connection: sa.Connection, _cursor: object, statement: str, *_more: object) -> None:
        self._left -= self.is_alive and not statement.lstrip().startswith("SELECT")
        if not self.is_alive:
            raise Killed

    def commit(self, _connection: sa.Connection) -> None:
        if not self.is_alive:
            raise Killed


@contextmanager
def dying_within(number: int, *, engine: sa.Engine) -> Iterator[_Statements]:
    """What happens within ends before its so many-th statement that writes, the first being 1: in the middle of a
    transaction, which the database then takes back."""
    statements = _Statements(number)
    event.listen(engine, "before_cursor_execute", statements.execute)
    event.listen(engine, "commit", statements.commit)
    try:
        with suppress(Killed):
            yield statements
    finally:
        event.remove(engine, "before_cursor_execute", statements.execute)
        event.remove(engine, "commit", statements.commit)

"""The pace at which the portal asks Stripe, kept by all processes together in a row of the database for each lane.

A lane hands out the time at which a request may leave, always later than the one before; what was not used is lost, so
that nothing is ever caught up with in a burst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from portal.clock import Clock
from portal.gateways.stripe import Lane, StripeBusyError
from portal.models import StripeLane
from portal.models.base import Database

log = structlog.get_logger(__name__)

#: Requests are kept a little further apart than the limit says: on their way some come closer together.
A_LITTLE_MORE = 1.01

#: No turn is so far away; where one is, the clock was set back since.
FARTHEST_SECONDS = 300

#: After so many seconds a busy database is asked again by whoever can wait.
BUSY_DATABASE_SECONDS = 1.0


class DatabasePace:
    """Keeps the pace in the database, in short transactions of its own; none of the session's is open by then."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        per_second: Mapping[Lane, int],
        patience: Callable[[], float],
    ) -> None:
        self._database = database
        self._clock = clock
        self._steps = {lane: A_LITTLE_MORE / rate for lane, rate in per_second.items()}
        self._patience = patience

    def take_turn(self, *lanes: Lane) -> float:
        """Wait for the turn in every lane, one after the other; for so many seconds. Raises StripeBusyError, and takes
        none, where that would be longer than `patience`, in seconds, allows."""
        turn_at = seconds = 0.0
        patience = self._patience()
        with self._connection() as connection:
            for lane in lanes:
                step = self._steps[lane]
                moved = self._move(connection, lane, first=turn_at, step=step, patience=patience)
                if moved is None:
                    log.warning("stripe.too_busy", lane=lane.value, patience=patience)
                    raise StripeBusyError(patience)
                turn_at, seconds = moved.free_at - step, moved.free_at - step - moved.now
        if seconds > 0:
            self._clock.pause(seconds)
        return max(seconds, 0.0)

    def hold(self, lane: Lane, *, seconds: float) -> None:
        """Nobody's turn comes for so long."""
        log.warning("stripe.held_back", lane=lane.value, seconds=round(seconds, 3))
        with self._connection() as connection:
            self._move(connection, lane, after=seconds)

    def pause(self, seconds: float) -> None:
        """Wait for so long."""
        self._clock.pause(seconds)

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        """A database that gives no answer lets nothing through: what is asked of Stripe could not be written down."""
        engine = self._database.get_bind()
        assert isinstance(engine, sa.Engine)
        prepared = _without_flushing if engine.dialect.name == "sqlite" else _without_transaction
        try:
            with engine.connect() as connection, prepared(connection) as ready, ready.begin():
                yield ready
        except SQLAlchemyError as problem:
            log.warning("stripe.pace_not_kept", problem=type(problem).__name__)
            raise StripeBusyError(BUSY_DATABASE_SECONDS) from problem

    def _move(
        self,
        connection: sa.Connection,
        lane: Lane,
        *,
        first: float = 0,
        after: float = 0,
        step: float = 0,
        patience: float = FARTHEST_SECONDS,
    ) -> Any:
        """Give out a turn in one statement, not before `first` and `after` seconds from now: `free_at`, when the next
        may leave, and `now`; None where it would be farther away than `patience`."""
        now = self._clock.real_now().timestamp()
        given = {"name": lane.value, "first": first, "after": after, "step": step, "patience": patience}
        return connection.execute(_moving(connection.dialect.name), given | {"clock": now}).first()


@cache
def _moving(dialect: str) -> sa.Executable:
    """The statement, built once: it is executed before every request."""
    number = partial(sa.bindparam, type_=sa.Double)
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    latest = sa.func.greatest if dialect == "postgresql" else sa.func.max
    # on PostgreSQL one clock for all machines
    by_database: sa.ColumnElement[float] = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
    now = by_database if dialect == "postgresql" else number("clock")
    column = StripeLane.__table__.c.free_at_epoch
    is_of_another_clock = column > now + FARTHEST_SECONDS
    earliest = latest(number("first"), now + number("after"))
    turn = latest(sa.case((is_of_another_clock, sa.literal(0.0)), else_=column), earliest)
    return (  # type: ignore[no-any-return] # of either dialect
        insert(StripeLane)
        .values(name=sa.bindparam("name"), free_at_epoch=earliest + number("step"))
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"free_at_epoch": turn + number("step")},
            where=turn <= now + number("patience"),
        )
        .returning(column.label("free_at"), now.label("now"))
    )


@contextmanager
def _without_transaction(connection: sa.Connection) -> Iterator[sa.Connection]:
    """PostgreSQL: one statement is one way there and back."""
    yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _without_flushing(connection: sa.Connection) -> Iterator[sa.Connection]:
    """SQLite: what is lost with the power need not be waited for; everything else that is written still is.
    https://www.sqlite.org/pragma.html#pragma_synchronous"""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA synchronous=NORMAL")
    try:
        yield connection
    finally:
        driver.execute("PRAGMA synchronous=FULL")

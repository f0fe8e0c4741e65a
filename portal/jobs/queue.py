"""The queue between web and worker. A message holds no data: it says “look now”; losing one loses nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import structlog
from flask import Flask, Response
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey, crontab
from huey.serializer import SignedSerializer

from portal.config import Settings
from portal.jobs import work
from portal.jobs.lifeline import Lifeline
from portal.services.notifications import MAIL_WAITS
from portal.wiring import Services, db

log = structlog.get_logger(__name__)

#: Two: a long run of one job leaves the other free for events.
WORKER_PROCESSES = 2

#: How long an idle worker sleeps between two looks, at most.
LONGEST_NAP_SECONDS = 0.5


#: So many mails go out before the worker looks what else there is.
MAILS_IN_A_ROW = 100


class Jobs:
    """The queue of one app and the tasks on it; connects when it is first used."""

    def __init__(self, app: Flask, settings: Settings, services: Services) -> None:
        self._app = app
        self._settings = settings
        self._services = services
        app.extensions["portal_jobs"] = self
        self._tasks: dict[str, Any] = {}
        services.look_at_events = self.look_at_events
        services.sweep_soon = self.sweep_soon
        services.is_broker_reachable = self.is_reachable
        app.after_request(self._announce_mail)

    @cached_property
    def _huey(self) -> Huey:
        huey = _storage(self._settings)

        self._tasks = {
            "look_at_events": huey.task(name="look_at_events")(self._work_on_events),
            "sweep": huey.task(name="sweep")(self._sweep),
            "send_mail": huey.task(name="send_mail")(self._send_mail),
        }
        huey.periodic_task(crontab(minute="*"), name="sweep_each_minute")(self._sweep)
        huey.on_startup(name="forget_connections")(self._forget_connections)
        return huey

    def look_at_events(self) -> None:
        """Tell the worker that there are events. A queue that is away is no fault: the sweep finds them."""
        self._announce("look_at_events")

    def sweep_soon(self) -> None:
        """Tell the worker that something is due now; the sweep of the next minute would find it too."""
        self._announce("sweep")

    def _announce_mail(self, response: Response) -> Response:
        """Tell the worker when a request has written mail; the sweep finds it too."""
        if db.session().info.pop(MAIL_WAITS, False):
            self._announce("send_mail")
        return response

    def _announce(self, task: str) -> None:
        try:
            huey = self._huey
            self._tasks[task]()
        except Exception:
            log.exception("queue.not_reached")
            return
        log.debug("work.announced", task=task, waiting=huey.pending_count())

    def is_reachable(self) -> bool:
        """Whether the queue's storage answers."""
        try:
            self._huey.pending_count()
        except Exception:
            log.exception("queue.not_reached")
            return False
        return True

    def work(self) -> None:
        """Be the worker until a signal ends it; what was missed while none ran is done first."""
        consumer = self._huey.create_consumer(
            workers=WORKER_PROCESSES,
            worker_type="process",
            initial_delay=0.1,
            max_delay=LONGEST_NAP_SECONDS,
            graceful_signal="TERM",
        )
        self._tasks["sweep"]()
        Lifeline()
        consumer.run()

    def _work_on_events(self) -> None:
        with self._app.app_context():
            work.work_on_events(self._services)
        self._send_mail()  # of what the events have changed

    def _send_mail(self) -> None:
        with self._app.app_context():
            taken = work.send_mail(self._services, most=MAILS_IN_A_ROW)
        if taken == MAILS_IN_A_ROW:  # the rest after what else has come in meanwhile
            self._announce("send_mail")

    def _sweep(self) -> None:
        with self._app.app_context():
            work.everything_due(self._services, most_mails=MAILS_IN_A_ROW)

    def _forget_connections(self) -> None:
        with self._app.app_context():
            db.engine.dispose(close=False)  # those of the process that this one was forked from


def _storage(settings: Settings) -> Huey:
    """Redis if set, else the database's own server, else a file beside the SQLite database."""
    options: dict[str, Any] = {
        "name": "portal",
        "results": False,
        "serializer": SignedSerializer(secret=settings.secret_key, salt="portal-jobs"),
    }
    if settings.redis_url:
        return RedisHuey(url=settings.redis_url, **options)
    if settings.is_sqlite:
        return SqliteHuey(filename=str(settings.data_directory / "queue.db"), **options)
    return PostgresHuey(
        dsn=settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1), **options
    )

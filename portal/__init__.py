"""The partner portal: payouts to affiliates on Stripe Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from portal.clock import Clock
    from portal.config import Settings
    from portal.gateways.mail import MailGateway
    from portal.gateways.stripe import StripeTransport


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    stripe_transport: StripeTransport | None = None,
    mail: MailGateway | None = None,
) -> Flask:
    """Build, wire, register, return. Nothing is asked of database, broker or Stripe yet."""
    # Here, so that a process that needs one room alone (the sandbox, the demo) does not wait for all of them.
    from portal import logs
    from portal.cli import register_commands
    from portal.config import PROJECT_ROOT
    from portal.jobs.queue import Jobs
    from portal.web import register_web
    from portal.wiring import db, migrate, wire

    logs.configure(settings)
    app = Flask(
        __name__,
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=str(PROJECT_ROOT / "static"),
        instance_path=str(PROJECT_ROOT / "instance"),
    )
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={} if settings.is_sqlite else {"pool_pre_ping": True},
    )
    settings.data_directory.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db)
    wired = wire(app, settings, clock=clock, stripe_transport=stripe_transport, mail=mail)
    Jobs(app, settings, wired)
    register_web(app)
    register_commands(app)
    return app

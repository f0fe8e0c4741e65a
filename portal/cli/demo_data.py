"""`python -m portal.cli.demo_data`: a migrated database with sample data, before the demo's portal starts.

May be interrupted and run again: every step finds what an earlier run did.
"""

from __future__ import annotations

import os
from datetime import datetime

import flask_migrate
import sqlalchemy as sa

from portal import create_app
from portal.cli.demo_samples import Calendar, Samples
from portal.cli.demo_settings import MIGRATIONS, PROVIDER, kept_in, note_ready, was_ready_once
from portal.config import settings_from
from portal.models import Identity
from portal.wiring import db, services


def main() -> None:
    """Migrate; then what is not there yet."""
    settings = settings_from(os.environ)
    folder, issuer = settings.data_directory, settings.providers[PROVIDER].issuer
    has_samples = was_ready_once(folder)
    calendar = Calendar(datetime.fromisoformat(kept_in(folder).begun_at))
    app = create_app(settings, clock=calendar)
    with app.app_context():
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        _follow_the_provider(issuer)
        if not has_samples:  # later starts keep what people have made of it
            Samples(services(), calendar, folder=folder).add()
    note_ready(folder, issuer=issuer)


def _follow_the_provider(issuer: str) -> None:
    """On another port the identity provider is another issuer; the demo's people are the same."""
    with db.engine.begin() as connection:
        connection.execute(
            sa.update(Identity)
            .where(Identity.provider == PROVIDER, Identity.issuer != issuer)
            .values(issuer=issuer)
        )


if __name__ == "__main__":
    main()

"""The demo's portal as a WSGI app. Its settings are its process's environment alone; a `.env` here is another's.

Mail is kept as files, for a mail program or an editor to open.
"""

from __future__ import annotations

import os

from portal import create_app
from portal.cli.demo_settings import MAIL_FOLDER
from portal.config import settings_from
from portal.gateways.mail import ConsoleMail, Sender

settings = settings_from(os.environ)
app = create_app(
    settings, mail=ConsoleMail(Sender.of(settings), folder=settings.data_directory / MAIL_FOLDER)
)

"""The demo's portal as a WSGI app. Its settings are its process's environment alone; a `.env` here is another's.

Mail is kept as files, for a mail program or an editor to open, and shown in the demo's mailbox.
"""

from __future__ import annotations

import os
from typing import Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from portal import create_app
from portal.cli.demo_mailbox import Mailbox, mailbox_app
from portal.cli.demo_settings import MAIL_FOLDER, MAILBOX
from portal.config import settings_from
from portal.gateways.mail import ConsoleMail, Sender

settings = settings_from(os.environ)
folder = settings.data_directory / MAIL_FOLDER
app = create_app(settings, mail=ConsoleMail(Sender.of(settings), folder=folder))
beside: dict[str, Any] = {MAILBOX: mailbox_app(Mailbox(app, folder))}
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, beside)  # type: ignore[method-assign] # as Flask means it

"""The demo's portal as a WSGI app. Its settings are its process's environment alone; a `.env` here is another's."""

from __future__ import annotations

import os

from portal import create_app
from portal.config import settings_from

app = create_app(settings_from(os.environ))

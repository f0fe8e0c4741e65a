"""What a WSGI server loads: `gunicorn wsgi:app`; and what `flask --app wsgi …` works with."""

import sys

from portal import create_app
from portal.cli.demo import demo_alone
from portal.cli.demo_settings import asks_for_demo

if asks_for_demo(sys.argv):
    # The demo brings its own settings, so that a fresh clone can run it.
    app = demo_alone()
else:
    from portal.config import SettingsError, load_settings

    try:
        app = create_app(load_settings())
    except SettingsError as problems:
        # one line for each, and no traceback between them
        sys.exit(str(problems))

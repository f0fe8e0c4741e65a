"""What a WSGI server loads: `gunicorn wsgi:app`."""

from portal import create_app
from portal.config import load_settings

app = create_app(load_settings())

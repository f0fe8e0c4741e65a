"""What the demo runs with: settings of its own alone, never those of this shell or of `.env`, and secrets made once.

Only the standard library is imported: the demo begins with this module, and shall begin fast.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent

#: Where the demo keeps everything unless it is told another folder.
USUAL_FOLDER = PROJECT_ROOT / "instance" / "demo"

MIGRATIONS = PROJECT_ROOT / "migrations"

PROVIDER = "demo"

#: Beside the data: what the worker would send, a file for each mail.
MAIL_FOLDER = "mail"

#: Where the portal's visitors read it.
MAILBOX = "/demo/mail"

#: The demo's app: `wsgi` would also read `.env`.
APP = "portal.cli.demo_app"

#: Of Flask's own options before the command, those that take a value.
_OPTIONS_WITH_VALUE = frozenset({"--app", "-A", "--env-file", "-e"})

#: What this shell may have set for a real portal, for Flask, or to reach the world: none of it is for the demo.
_NOT_FOR_THE_DEMO = (
    "PORTAL_",
    "STRIPE_",
    "SANDBOX_",
    "FLASK_",
    "GUNICORN_",
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
)
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


@dataclass(frozen=True)
class Kept:
    """What is made at the first start and kept: the secrets (none opens anything real), and when that start was."""

    secret_key: str
    stripe_key: str
    platform_webhook_secret: str
    connect_webhook_secret: str
    client_secret: str
    begun_at: str
    """ISO 8601, UTC: the sample data's dates are counted back from here."""


@dataclass(frozen=True)
class Place:
    """Where one demo lives: its folder, the portal's port, and the next one for the stand-in."""

    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_port(self) -> int:
        return self.port + 1

    @property
    def sandbox_address(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def issuer(self) -> str:
        return f"{self.sandbox_address}/oidc"

    @property
    def people_file(self) -> Path:
        return self.folder / "people.json"

    @property
    def env_file(self) -> Path:
        """The portal's settings, for a shell to source."""
        return self.folder / "env"


def asks_for_demo(arguments: Sequence[str]) -> bool:
    """Whether a command line (`sys.argv`) is `flask … demo …`."""
    program, *words = arguments or [""]
    if Path(program).name not in {"flask", "flask.exe"} and Path(program).parent.name != "flask":
        return False
    left = iter(words)
    for word in left:
        if word in _OPTIONS_WITH_VALUE:
            next(left, None)
        elif not word.startswith("-"):
            return word == "demo"
    return False


def kept_in(folder: Path) -> Kept:
    """The secrets of this folder, made now if there are none; readable by their owner alone."""
    file = folder / "secrets.json"
    if not file.exists():
        made = {
            "secret_key": secrets.token_urlsafe(48),
            "stripe_key": f"sk_test_demo{secrets.token_hex(16)}",
            "platform_webhook_secret": f"whsec_{secrets.token_hex(16)}",
            "connect_webhook_secret": f"whsec_{secrets.token_hex(16)}",
            "client_secret": secrets.token_urlsafe(32),
            "begun_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_private(file, json.dumps(made, indent=2) + "\n")
    return Kept(**json.loads(file.read_text(encoding="utf-8")))


def portal_settings(place: Place, kept: Kept) -> dict[str, str]:
    """The portal's settings, by the names of the environment."""
    provider = f"PORTAL_OIDC_{PROVIDER.upper()}"
    return {
        "PORTAL_ENV": "development",
        "SECRET_KEY": kept.secret_key,
        "PORTAL_BASE_URL": place.address,
        "PORTAL_SUPPORT_EMAIL": "help@example.com",
        "PORTAL_MAIL_URL": "console:",
        "PORTAL_MAIL_FROM": "payouts@example.com",
        "PORTAL_LOG_LEVEL": "INFO",
        "DATABASE_URL": f"sqlite:///{place.folder / 'portal.db'}",
        "REDIS_URL": "",
        "STRIPE_SECRET_KEY": kept.stripe_key,
        "STRIPE_WEBHOOK_SECRETS": f"{kept.platform_webhook_secret},{kept.connect_webhook_secret}",
        "STRIPE_API_BASE": place.sandbox_address,
        f"{provider}_ISSUER": place.issuer,
        f"{provider}_CLIENT_ID": "portal",
        f"{provider}_CLIENT_SECRET": kept.client_secret,
        f"{provider}_LABEL": "the demo’s identity provider",
        f"{provider}_TRUST_EMAIL": "true",
        "PORTAL_OPERATORS": f"{PROVIDER}:olga@example.com",
        # Nobody who tries something out wants to wait an hour.
        "PORTAL_PAYOUT_RUN": "* * * * *",
    }


def sandbox_settings(place: Place, kept: Kept) -> dict[str, str]:
    """The stand-in's settings; by the environment, where no list of processes shows them."""
    return {
        "SANDBOX_PORT": str(place.sandbox_port),
        "SANDBOX_DATA": str(place.folder / "sandbox"),
        "SANDBOX_PORTAL_URL": place.address,
        "SANDBOX_SECRET_KEY": kept.stripe_key,
        "SANDBOX_PLATFORM_WEBHOOK_SECRET": kept.platform_webhook_secret,
        "SANDBOX_CONNECT_WEBHOOK_SECRET": kept.connect_webhook_secret,
        "SANDBOX_CLIENT_SECRET": kept.client_secret,
        "SANDBOX_PEOPLE": str(place.people_file),
        "SANDBOX_BANK_PAYOUT_AFTER": "60",
    }


def for_children(environment: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of the demo: this one without anything that is meant for a real portal."""
    plain = {
        name: value
        for name, value in environment.items()
        if not name.startswith(_NOT_FOR_THE_DEMO) and name.lower() not in _PROXIES
    }
    # Flask reads `.env` by itself unless it is told not to.
    return {**plain, "FLASK_SKIP_DOTENV": "1", "PYTHONUNBUFFERED": "1", **settings}


def write_env_file(place: Place, settings: Mapping[str, str]) -> None:
    """Let a shell have the portal's settings: `set -a; . instance/demo/env; set +a`."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in {"FLASK_APP": "wsgi", **settings}.items()]
    write_private(place.env_file, "\n".join(lines) + "\n")


def is_ready(folder: Path, *, issuer: str) -> bool:
    """Whether the data of this folder fit this version of the portal and this address of the identity provider."""
    try:
        noted = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return was_ready_once(folder) and bool(noted == _ready_note(issuer))


def was_ready_once(folder: Path) -> bool:
    """Whether the sample data are there, if perhaps in an older version's tables."""
    return (folder / "ready.json").exists() and (folder / "portal.db").exists()


def note_ready(folder: Path, *, issuer: str) -> None:
    """Note that the data are there, so that the next start need not look."""
    write_private(folder / "ready.json", json.dumps(_ready_note(issuer)) + "\n")


def _ready_note(issuer: str) -> dict[str, object]:
    return {
        "migrations": sorted(file.name for file in (MIGRATIONS / "versions").glob("*.py")),
        "issuer": issuer,
    }


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    unfinished.replace(file)

"""`python -m portal.sandbox`: the stand-in as a process. Secrets may come from the environment (SANDBOX_…)."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from flask import Flask

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import KNOWN_PEOPLE, ConfigurationError, SandboxConfig
from portal.sandbox.heartbeat import Heartbeat
from portal.sandbox.people import read_people
from portal.sandbox.server import open_server
from portal.sandbox.webhooks import post_over_http

_USUAL = SandboxConfig()


def options(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line; what is not given there is taken from the environment."""
    parser = argparse.ArgumentParser(prog="python -m portal.sandbox", description=__doc__)

    def option(name: str, usual: str | None, text: str) -> None:
        variable = f"SANDBOX_{name.upper().replace('-', '_')}"
        parser.add_argument(
            f"--{name}", default=environment.get(variable, usual), help=f"{text} (or {variable})"
        )

    option("host", "127.0.0.1", "loopback address to listen on")
    option("port", "5001", "port to listen on; 0 picks a free one")
    option("data", None, "directory to keep everything in; without one, memory")
    option("secret-key", _USUAL.secret_key, "the platform's test key")
    option("portal-url", _USUAL.portal_url, "the portal's own address")
    option("webhook-url", None, "where events are delivered; the portal's /webhooks/stripe unless given")
    option("platform-webhook-secret", _USUAL.platform_webhook_secret, "secret of the platform's endpoint")
    option("connect-webhook-secret", _USUAL.connect_webhook_secret, "secret of the Connect endpoint")
    option("client-id", _USUAL.client_id, "the portal's client id at the identity provider")
    option("client-secret", _USUAL.client_secret, "its secret")
    option("redirect-uri", None, "its redirect addresses, comma-separated")
    option("thin-endpoints", None, "platform, connect or both, comma-separated: they get thin events")
    option("requests-per-second", None, "what is more is answered 429; without it, as many as come")
    option("approve-after", "3", "seconds of verification before an approval")
    option("bank-payout-after", None, "seconds until a balance is paid out to the bank by itself")
    option("people", None, "JSON file of the people who can sign in")
    return parser


def configuration(arguments: argparse.Namespace, base_url: str) -> SandboxConfig:
    """What the command line and the environment say; raises ConfigurationError."""
    portal_url = arguments.portal_url.rstrip("/")
    after = arguments.bank_payout_after
    return SandboxConfig(
        secret_key=arguments.secret_key,
        base_url=base_url,
        portal_url=portal_url,
        data_dir=Path(arguments.data) if arguments.data else None,
        webhook_url=arguments.webhook_url or f"{portal_url}/webhooks/stripe",
        platform_webhook_secret=arguments.platform_webhook_secret,
        connect_webhook_secret=arguments.connect_webhook_secret,
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
        redirect_uris=tuple(_listed(arguments.redirect_uri)),
        people=read_people(Path(arguments.people)) if arguments.people else KNOWN_PEOPLE,
        thin_endpoints=frozenset(_listed(arguments.thin_endpoints)),
        requests_per_second=_per_second(arguments.requests_per_second),
        approve_after_seconds=_number("approve-after", arguments.approve_after),
        bank_payout_after_seconds=_number("bank-payout-after", after) if after else None,
        deliver=post_over_http,
        deliver_at_once=False,
    )


def _listed(text: str | None) -> list[str]:
    return [entry.strip() for entry in (text or "").split(",") if entry.strip()]


def _per_second(text: str | None) -> int | None:
    number = int(_number("requests-per-second", text)) if text else None
    if number == 0:
        raise ConfigurationError("requests-per-second: at least 1 is needed")
    return number


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise ConfigurationError(f"{name}: a number of at least 0 is needed")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 2 for a configuration that can't work, 1 for an address that is taken."""
    logging.basicConfig(level=logging.WARNING, format="sandbox %(levelname)s %(message)s", stream=sys.stderr)
    arguments = options(os.environ).parse_args(argv)

    def make_app(base_url: str) -> Flask:
        return create_sandbox(configuration(arguments, base_url))

    try:
        server, app = open_server(arguments.host, int(_number("port", arguments.port)), make_app=make_app)
    except ConfigurationError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except (OSError, OverflowError) as problem:
        sys.stderr.write(f"{arguments.host}:{arguments.port}: {problem}\n")
        return 1
    sandbox = app.extensions["sandbox"]

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # `shutdown` waits for `serve_forever`, which runs in this very thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    heart = Heartbeat(sandbox)
    heart.start()
    sys.stdout.write(f"{sandbox.config.base_url}/sandbox/\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        heart.stop()
        server.server_close()
        sandbox.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`flask api-tokens`: what the host business's systems show to come in."""

from __future__ import annotations

from datetime import datetime

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.acting import cause_by_shell, may_as_option
from portal.cli.answers import json_option, report, says_refusals
from portal.domain.roles import Act
from portal.models import ApiToken
from portal.services.tokens import Scope, is_in_use
from portal.wiring import services

tokens = AppGroup("api-tokens", help="Tokens of the host business's systems.")


@tokens.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, help=f"Limits it; may be repeated: {', '.join(Scope)}. None: all."
)
@click.option(
    "--expires-days", type=int, default=None, help="After how many days it ends; never, if left out."
)
@may_as_option
@json_option
@says_refusals
def create(
    name: str, scopes: tuple[str, ...], expires_days: int | None, acting: str | None, as_json: bool
) -> None:
    """Make a token. It is printed once, alone on standard output, and can't be shown again."""
    cause = cause_by_shell(acting, Act.manage_tokens, "api-tokens create")
    token = services().access.create_token(name, scopes, expires_days=expires_days, cause=cause)
    click.echo("Keep this token; it can't be shown again.", err=True)
    report({"name": name, "token": token, "scopes": sorted(set(scopes))}, [token], as_json=as_json)


@tokens.command("list")
@json_option
@says_refusals
def show(as_json: bool) -> None:
    """Every token by name, with what it reaches and when it was last used."""
    found = services().access.tokens()
    lines = [_line(token) for token in found] or ["No tokens yet."]
    report({"tokens": [_described(token) for token in found]}, lines, as_json=as_json)


@tokens.command("revoke")
@click.argument("name")
@may_as_option
@json_option
@says_refusals
def revoke(name: str, acting: str | None, as_json: bool) -> None:
    """End a token at once."""
    services().access.revoke_token(name, cause=cause_by_shell(acting, Act.manage_tokens, "api-tokens revoke"))
    report({"revoked": name}, [f"{name} opens nothing any more."], as_json=as_json)


def _line(token: ApiToken) -> str:
    if token.revoked_at:
        state = "revoked"
    elif not is_in_use(token, services().clock.real_now()):
        state = f"ended {_moment(token.expires_at)}"
    else:
        state = f"last used {_moment(token.last_used_at) or 'never'}"
    return f"{token.name}\t{token.prefix}…\t{' '.join(token.scopes) or 'all'}\t{state}"


def _described(token: ApiToken) -> dict[str, object]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "created_at": _moment(token.created_at),
        "expires_at": _moment(token.expires_at),
        "last_used_at": _moment(token.last_used_at),
        "revoked_at": _moment(token.revoked_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(tokens)

"""`flask operators`: who of the business may watch over affiliates and payouts."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.acting import cause_by_shell, may_as_option
from portal.cli.answers import json_option, report, says_refusals
from portal.domain.roles import Act, OperatorRole
from portal.models import Operator
from portal.wiring import services

operators = AppGroup("operators", help="Operators: people of the business.")


class OperatorName(click.ParamType[tuple[str, str]]):
    """`PROVIDER:EMAIL-OR-SUBJECT`; a subject may hold further colons."""

    name = "provider:email-or-subject"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        provider, colon, name = value.partition(":")
        if not (provider and colon and name):
            self.fail(
                f"“{value}” is not PROVIDER:EMAIL-OR-SUBJECT, such as google:ana@example.com.", param, ctx
            )
        return provider, name


_NAMED = click.argument("named", type=OperatorName(), metavar="PROVIDER:EMAIL-OR-SUBJECT")


@operators.command("add")
@_NAMED
@click.option(
    "--role",
    default=OperatorRole.admin.value,
    show_default=True,
    type=click.Choice([*OperatorRole]),
    help="What they may do: each all that those after it may.",
)
@may_as_option
@json_option
@says_refusals
def add(named: tuple[str, str], role: str, acting: str | None, as_json: bool) -> None:
    """Make somebody an operator; they are bound to it when they first sign in."""
    provider, name = named
    cause = cause_by_shell(acting, Act.manage_operators, "operators add")
    operator = services().access.add_operator(provider, name, role=role, cause=cause)
    if "@" in name and not services().settings.providers[provider].is_email_trusted:
        click.echo(
            f"{provider} is not trusted with e-mail (PORTAL_OIDC_{provider.upper()}_TRUST_EMAIL): "
            f"this operator gets in only if {name} is their subject there.",
            err=True,
        )
    if _role(operator) != role:
        click.echo(
            f"PORTAL_OPERATORS names {provider}:{name}, which makes them an admin. "
            "The role that was given counts once they are taken out there.",
            err=True,
        )
    report(_described(operator), [f"{provider}:{name} is an operator ({_role(operator)})."], as_json=as_json)


@operators.command("list")
@json_option
@says_refusals
def show(as_json: bool) -> None:
    """Who is an operator now."""
    found = services().access.operators()
    lines = [f"{operator.provider}:{operator.name}\t{_role(operator)}" for operator in found] or [
        "No operators yet."
    ]
    report({"operators": [_described(operator) for operator in found]}, lines, as_json=as_json)


@operators.command("remove")
@_NAMED
@may_as_option
@json_option
@says_refusals
def remove(named: tuple[str, str], acting: str | None, as_json: bool) -> None:
    """Take an operator's rights back, at once."""
    provider, name = named
    cause = cause_by_shell(acting, Act.manage_operators, "operators remove")
    services().access.remove_operator(provider, name, cause=cause)
    report(
        {"removed": f"{provider}:{name}"}, [f"{provider}:{name} is no operator any more."], as_json=as_json
    )


def _role(operator: Operator) -> OperatorRole | None:
    return services().access.role_in_force(operator)


def _described(operator: Operator) -> dict[str, object]:
    return {
        "operator": f"{operator.provider}:{operator.name}",
        "role": _role(operator),
        "user_id": str(operator.user_id),
        "created_at": operator.created_at.isoformat(),
    }


def register(app: Flask) -> None:
    """Add the family."""
    app.cli.add_command(operators)

"""`--as`: which operator stands behind a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

import click

from portal.domain.errors import NotFound
from portal.models import ActorKind
from portal.services.journal import Cause
from portal.services.people import OperatorMayOnlyLook, OperatorRole
from portal.wiring import services

P = ParamSpec("P")
T = TypeVar("T")


def as_option(command: Callable[P, T]) -> Callable[P, T]:
    """`--as PROVIDER:EMAIL-OR-SUBJECT`, a known operator, in whose name the command acts."""
    return click.option(
        "--as",
        "acting",
        required=True,
        metavar="PROVIDER:EMAIL-OR-SUBJECT",
        help="The operator who does this.",
    )(command)


def operator_behind(acting: str) -> UUID:
    """The user id of the operator; raises NotFound with what to do, OperatorMayOnlyLook."""
    operator = services().access.operator_named(acting)
    if operator.user_id is None:
        raise NotFound(f"{acting} is not bound to a person yet. Add them with: flask operators add {acting}")
    if services().access.role_of(operator.user_id) is OperatorRole.viewer:
        raise OperatorMayOnlyLook(f"{acting} may look at everything, and change nothing.")
    return operator.user_id


def cause_of(acting: str, command: str, reason: str | None = None) -> Cause:
    """Done by shell, in the name of an operator."""
    return Cause(ActorKind.shell, str(operator_behind(acting)), command, reason)

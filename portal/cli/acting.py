"""`--as`: which operator stands behind a command, and whether their role is enough for what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

import click

from portal.cli.answers import by_shell
from portal.domain.errors import NotFound
from portal.domain.roles import Act, refuse_weak
from portal.models import ActorKind
from portal.services.journal import Cause
from portal.wiring import services

P = ParamSpec("P")
T = TypeVar("T")


_METAVAR, _HELP = "PROVIDER:EMAIL-OR-SUBJECT", "The operator who does this."


def as_option(command: Callable[P, T]) -> Callable[P, T]:
    """`--as PROVIDER:EMAIL-OR-SUBJECT`, a known operator, in whose name the command acts."""
    return click.option("--as", "acting", required=True, metavar=_METAVAR, help=_HELP)(command)


def may_as_option(command: Callable[P, T]) -> Callable[P, T]:
    """The same where nobody need be named."""
    return click.option("--as", "acting", default=None, metavar=_METAVAR, help=_HELP)(command)


def operator_behind(acting: str, act: Act) -> UUID:
    """The user id of the operator; raises NotFound with what to do, RoleIsTooWeak."""
    operator = services().access.operator_named(acting)
    if operator.user_id is None:
        raise NotFound(f"{acting} is not bound to a person yet. Add them with: flask operators add {acting}")
    if (role := services().access.role_of(operator.user_id)) is not None:
        refuse_weak(role, act, whose=f"That of {acting}")
    return operator.user_id


def cause_of(acting: str, act: Act, command: str, reason: str | None = None) -> Cause:
    """Done by shell, in the name of an operator who may do it."""
    return Cause(ActorKind.shell, str(operator_behind(acting, act)), command, reason)


def cause_by_shell(acting: str | None, act: Act, command: str) -> Cause:
    """The same where whoever has the shell may also act in nobody's name: somebody has to make the first operator."""
    return by_shell(command) if acting is None else cause_of(acting, act, command)

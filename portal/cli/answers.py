"""How a command answers: what it reports on standard output, everything else on standard error."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

import click

from portal.domain.errors import InvalidInput, PortalError
from portal.models import ActorKind
from portal.services.journal import Cause

P = ParamSpec("P")
T = TypeVar("T")


def json_option(command: Callable[P, T]) -> Callable[P, T]:
    """`--json`: one JSON object instead of lines for people."""
    return click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")(command)


def says_refusals(command: Callable[P, T]) -> Callable[P, T]:
    """A refusal ends the command with exit 1 and its sentence on standard error, never with a traceback."""

    @functools.wraps(command)
    def speaking(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except InvalidInput as refusal:
            raise click.ClickException(
                "\n".join(f"{at}: {sentence}" for at, sentence in refusal.problems)
            ) from refusal
        except PortalError as refusal:
            raise click.ClickException(refusal.sentence) from refusal

    return speaking


def report(document: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    """Say what was found or done: the document for machines, the lines for people."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)


def by_shell(command: str) -> Cause:
    """Whoever has the shell did it, by this command."""
    return Cause(ActorKind.shell, None, command)

"""What is the same in the app of every test is compiled once in a run: routes, templates and SQL statements.

Each test has an app and an engine of its own; but eighty routes and some hundred statements are always the same, and to
compile them anew was a quarter of the time of all tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Connection, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


def compile_once() -> None:
    """From now on, in this process."""
    Rule._compile_builder = _compiled_route(Rule._compile_builder)  # type: ignore[method-assign]
    Flask.jinja_options = {"bytecode_cache": _Templates()}
    # every engine of a kind is the same here: what was compiled for one is good for the next
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    statements: LRUCache[Any, Any] = LRUCache(5_000)

    @event.listens_for(Engine, "engine_connect")
    def _remember(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)


def _compiled_route(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """werkzeug's functions that build an address from a rule; they are handed the rule they are called for."""
    known: dict[tuple[str, bool], Any] = {}

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compiled(rule, append_unknown)
        key = rule.rule, append_unknown
        if key not in known:
            known[key] = compiled(rule, append_unknown)
        return known[key]

    return once


class _Templates(BytecodeCache):
    """In memory, for each way to compile them; jinja itself sees by a checksum whether a template has changed."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        way = (
            environment.finalize,
            environment.trim_blocks,
            environment.lstrip_blocks,
            sorted(environment.extensions),
        )
        return super().get_bucket(environment, f"{name} {way}", filename, source)

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()

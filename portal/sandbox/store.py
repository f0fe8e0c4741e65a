"""The sandbox's memory: JSON documents by kind and id, in one SQLite file or in memory."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_by_kind ON documents (kind, seq);
CREATE INDEX IF NOT EXISTS documents_by_state ON documents (kind, json_extract(body, '$._state'));
CREATE INDEX IF NOT EXISTS documents_by_group ON documents (kind, json_extract(body, '$.transfer_group'));
CREATE INDEX IF NOT EXISTS documents_by_destination ON documents (kind, json_extract(body, '$.destination'));
CREATE INDEX IF NOT EXISTS documents_by_owner ON documents (kind, json_extract(body, '$._owner'));
"""

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def public(document: Document) -> Document:
    """The document as an API shows it: names that begin with `_` are the sandbox's own notes."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


class Store:
    """Documents under one lock: two threads never move the same money at once."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # It holds the key that signs ID tokens: nobody else's to read.
            path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None, timeout=30
        )
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; the store can't be used afterwards."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, alone; one inside another can be undone by itself."""
        with self._lock:
            inner = self._depth > 0
            mark = f"level_{self._depth}"
            self._database.execute(f"SAVEPOINT {mark}" if inner else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._database.execute(f"ROLLBACK TO {mark}" if inner else "ROLLBACK")
                raise
            else:
                self._database.execute(f"RELEASE {mark}" if inner else "COMMIT")
            finally:
                self._depth -= 1

    def get(self, kind: str, identifier: str) -> Document | None:
        """One document, or None."""
        with self._lock:
            row = self._database.execute(
                "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, identifier)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, identifier: str, document: Document) -> None:
        """Write a document, new or changed; a changed one keeps its place in the order."""
        with self._lock:
            self._database.execute(
                "INSERT INTO documents (kind, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, identifier, json.dumps(document)),
            )

    def remove(self, kind: str, identifier: str | None = None) -> int:
        """Forget one document, or a whole kind; answers how many were there."""
        with self._lock:
            return self._database.execute(
                "DELETE FROM documents WHERE kind = ? AND (? IS NULL OR id = ?)",
                (kind, identifier, identifier),
            ).rowcount

    def place(self, kind: str, identifier: str) -> int | None:
        """A document's place in the order of creation."""
        with self._lock:
            row = self._database.execute(
                "SELECT seq FROM documents WHERE kind = ? AND id = ?", (kind, identifier)
            ).fetchone()
        return None if row is None else int(row[0])

    def select(
        self,
        kind: str,
        *,
        where: Mapping[str, Any] | None = None,
        created: Mapping[str, int] | None = None,
        due: tuple[str, float] | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
        oldest_first: bool = False,
    ) -> list[Document]:
        """Documents of a kind, newest first.

        `where` compares fields (a tuple means one of these), `created` takes gt, gte, lt, lte in epoch seconds,
        `due` names a field that has to be no later than a moment, `before` and `after` are places in the order.
        """
        clauses, values = _conditions(where or {}, created or {})
        if due is not None:
            clauses.append(f"{_field(due[0])} <= ?")
            values.append(due[1])
        if before is not None:
            clauses.append("seq < ?")
            values.append(before)
        if after is not None:
            clauses.append("seq > ?")
            values.append(after)
        statement = (
            "SELECT body FROM documents WHERE "  # noqa: S608 -- only names that _field checked are put in
            + " AND ".join(["kind = ?", *clauses])
            + (" ORDER BY seq ASC" if oldest_first else " ORDER BY seq DESC")
            + ("" if limit is None else f" LIMIT {int(limit)}")
        )
        with self._lock:
            rows = self._database.execute(statement, [kind, *values]).fetchall()
        return [json.loads(row[0]) for row in rows]


def _field(name: str) -> str:
    if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", name):
        raise ValueError(f"not a field: {name!r}")
    return f"json_extract(body, '$.{name}')"


def _conditions(where: Mapping[str, Any], created: Mapping[str, int]) -> tuple[list[str], list[Any]]:
    clauses: list[str] = []
    values: list[Any] = []
    for name, wanted in where.items():
        if wanted is None:
            clauses.append(f"{_field(name)} IS NULL")
        elif isinstance(wanted, tuple):
            clauses.append(f"{_field(name)} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
        else:
            clauses.append(f"{_field(name)} = ?")
            values.append(wanted)
    for comparison, moment in created.items():
        clauses.append(f"{_field('created')} {_COMPARISONS[comparison]} ?")
        values.append(moment)
    return clauses, values

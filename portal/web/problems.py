"""Problem documents: how a machine is told what went wrong. https://www.rfc-editor.org/rfc/rfc9457"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from flask import Response, request

PROBLEM_TYPE = "application/problem+json"

#: Everything below answers errors as problem documents, also where there is no such address.
API_PATH = "/api/"

#: More faults than these are only listed.
_TOLD_IN_DETAIL = 3


def wants_problem() -> bool:
    """Whether the request comes from a program: under /api/, or one that would rather have JSON than a page."""
    if request.path.startswith(API_PATH):
        return True
    accepted = request.accept_mimetypes
    return (
        accepted["application/json"] > accepted["text/html"] or accepted[PROBLEM_TYPE] > accepted["text/html"]
    )


def problem(status: int, detail: str, *, code: str, faults: Sequence[tuple[str, str]] = ()) -> Response:
    """A problem document. `code` is the stable word to branch on; each of `faults` is (where, sentence).

    The type is about:blank: the status says it all, and nothing has to be looked up at an address.
    """
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if faults:
        # a thousand faults one after another are no sentence
        if len(faults) > _TOLD_IN_DETAIL:
            document["detail"] = f"{len(faults)} values can't be taken; errors names each."
        document["errors"] = [{"at": at, "message": message} for at, message in faults]
    body = json.dumps(document, ensure_ascii=False)
    return Response(body, status=status, content_type=PROBLEM_TYPE, headers={"Cache-Control": "no-store"})

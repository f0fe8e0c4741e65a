"""Where to go afterwards: only ever to a path of this site, whoever named it."""

from __future__ import annotations

from urllib.parse import unquote, urlencode, urlsplit

from flask import request

from portal.web.rendering import wants_fragment

#: No page of ours has a longer address, and a sign-in under way keeps it in a cookie.
_LONGEST = 500

#: Pages that would only send a person who has just signed in back to where they came from.
_NOT_A_DESTINATION = ("/login", "/logout", "/auth/")


def local_path(wanted: str | None) -> str | None:
    """`wanted` if it is a path of this site, else None. A browser reads `//host`, `/\\host` and a path with a tab or
    a line break in it as another site's address, so those are refused, written plainly or percent-encoded."""
    if (
        not wanted
        or len(wanted) > _LONGEST
        or not _is_plain_path(wanted)
        or not _is_plain_path(unquote(wanted))
    ):
        return None
    return None if urlsplit(wanted).path.startswith(_NOT_A_DESTINATION) else wanted


def page_to_come_back_to(base_url: str) -> str | None:
    """After signing in: the page that was asked for, the one on which htmx runs, or the one with the form that was
    sent."""
    if wants_fragment():
        current = urlsplit(request.headers.get("HX-Current-URL", ""))
        return local_path(f"{current.path}?{current.query}" if current.query else current.path)
    if request.method != "GET":
        return _page_of_the_form(base_url)
    return None if request.path == "/" else local_path(request.full_path.rstrip("?"))


def _page_of_the_form(base_url: str) -> str | None:
    """Where a form was filled in, with the amount that was typed: it is not sent again by itself."""
    page, ours = urlsplit(request.referrer or ""), urlsplit(base_url)
    if (page.scheme, page.netloc) != (ours.scheme, ours.netloc):
        return None
    typed = urlencode({"amount": request.form.get("amount", "")})
    return local_path(f"{page.path}?{typed}" if "amount" in request.form else None) or local_path(page.path)


def _is_plain_path(text: str) -> bool:
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc

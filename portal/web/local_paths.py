"""Where to go afterwards: only ever to a path of this site, whoever named it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

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


def _is_plain_path(text: str) -> bool:
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc

"""How a page leaves the portal: whole or as the fragment htmx asked for, with money and times in words people read.

Amounts are printed with Stripe's own number of decimals (Babel knows none for ISK, where Stripe counts two).
https://docs.stripe.com/currencies
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_symbol
from flask import (
    Flask,
    Response,
    current_app,
    g,
    has_app_context,
    make_response,
    render_template,
    request,
    url_for,
)
from htmx_flask import Htmx
from htmx_flask.requests import HtmxAwareRequest
from markupsafe import Markup

from portal.domain.languages import Language
from portal.domain.money import Money, exponent
from portal.domain.sentences import CountryCode, Sentence
from portal.domain.statements import Month
from portal.services.time_zones import short_name, zone_of
from portal.web.languages import gettext, language, locale
from portal.web.theme import chosen_theme
from portal.web.words import (
    TO_BANK_WORDS,
    badge_sign,
    badge_words,
    condition_words,
    payout_words,
    statement_sums,
    statement_words,
    whose_move,
)
from portal.wiring import services

#: Zones that are called otherwise where people live in them; a country's own keep their names.
_TRANSLATED_ZONES = (Sentence("CET"), Sentence("CEST"))

#: Where an amount has its currency's sign, and how a day is written, where that is not as in English.
_SIGN_LAST = {Language.de}
_DAYS = {Language.de: "d. MMM y"}


class _Amount(Protocol):
    """Money, or a row that carries an amount in minor units beside its currency."""

    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...


class PortalRequest(HtmxAwareRequest):  # type: ignore[misc]  # htmx_flask ships no types
    """A request that knows whether a whole page is wanted."""

    @property
    def wants_fragment(self) -> bool:
        """Whether htmx asked for a part. A boosted link and a step back in the history want the whole page."""
        htmx = self.htmx
        return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def wants_fragment() -> bool:
    """The same of the current request, typed for those who ask."""
    return bool(getattr(request, "wants_fragment", False))


def is_htmx() -> bool:
    """Whether htmx made the request, boosted or not: a redirect to another site must then be told in a header."""
    return request.headers.get("HX-Request") == "true"


def render(template: str, fragment: str | None = None, *, status: int = 200, **context: Any) -> Response:
    """A page, or its fragment if htmx asked for that."""
    name = fragment if fragment is not None and wants_fragment() else template
    return make_response(render_template(name, **context), status)


def nothing_changed() -> Response:
    """204: htmx leaves the page, its focus and its reader alone."""
    return make_response("", 204)


def money_text(money: _Amount) -> str:
    """An amount as people read it: `$1,234.50`, `SEK 12.00`, `−€3.50` (a real minus sign), `¥500`."""
    currency, decimals = money.currency.upper(), exponent(money.currency)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    symbol = get_currency_symbol(currency, locale=locale())
    if language() in _SIGN_LAST:
        pattern += "\u00a0¤"
    else:
        # a currency without a sign of its own shows its code, which must not stick to the number
        pattern = ("¤\u00a0" if symbol.isalpha() else "¤") + pattern
    value = Decimal(abs(money.amount)).scaleb(-decimals)
    text: str = format_currency(value, currency, format=pattern, locale=locale(), currency_digits=False)
    return f"\u2212{text}" if money.amount < 0 else text


def reader_zone() -> tzinfo:
    """The zone of whoever reads the page or the mail: an affiliate's own, and UTC for everybody else."""
    return zone_of(g.get("time_zone") if has_app_context() else None)


def day_text(moment: date) -> str:
    """`14 Dec 2026`; of a moment, the day in the reader's zone."""
    return _day(moment.astimezone(reader_zone()) if isinstance(moment, datetime) else moment)


def utc_day_text(moment: datetime) -> str:
    """The same in UTC whoever reads it: statements are a matter of record."""
    return _day(moment.astimezone(UTC))


def _day(day: date) -> str:
    pattern = _DAYS.get(language())
    return format_date(day, pattern, locale=locale()) if pattern else f"{day.day} {day:%b %Y}"


def month_text(month: Month) -> str:
    """`November 2026`."""
    return format_date(month.begins_at, "MMMM y", locale=locale())


def time_text(moment: datetime) -> str:
    """`14 Dec 2026, 10:05 CET`, in the reader's zone."""
    local = moment.astimezone(reader_zone())
    return f"{_day(local)}, {local:%H:%M} {_zone(short_name(local))}"


def _zone(name: str) -> str:
    return said(next((each for each in _TRANSLATED_ZONES if each == name), name))


def said(words: str) -> str:
    """A sentence in its reader's language; what it names too."""
    if not isinstance(words, Sentence):
        return words
    text = gettext(words.words)
    return text.format(**{name: _fact(fact) for name, fact in words.facts.items()}) if words.facts else text


def isolated(text: str) -> Markup:
    """What a person wrote, kept to itself: words that run from right to left turn nothing around beside them."""
    return Markup("<bdi>{}</bdi>").format(text)


def _fact(fact: object) -> str:
    match fact:
        case datetime():
            return time_text(fact)
        case Money() if language() is not Language.en:
            return money_text(fact)
        case tuple():
            return "; ".join(_fact(each) for each in fact)
        case CountryCode():
            return country_name(fact)
        case str():
            return said(fact)
        case _:
            return str(fact)


def machine_time(moment: date) -> str:
    """For the `datetime` attribute of a `time` element."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def country_name(code: str) -> str:
    """`Germany` for DE; the code itself if nobody knows it."""
    return str(locale().territories.get(code, code))


@lru_cache(maxsize=64)
def _fingerprint(folder: str, name: str) -> str:
    return hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it for long."""
    return url_for("static", filename=name, v=_fingerprint(str(current_app.static_folder), name))


def _ngettext(one: str, other: str, number: int) -> str:
    return gettext(one if number == 1 else other)


def _page_context() -> Mapping[str, Any]:
    settings = services().settings
    return {
        "portal_name": settings.name,
        "support_email": settings.support_email,
        "theme": chosen_theme(),
        "zone_name": str(reader_zone()),
        "language": language(),
        "is_test_mode": settings.is_production and not settings.is_stripe_live,
    }


def register(app: Flask) -> None:
    """Teach the app htmx's headers, and templates how to print."""
    Htmx(app)
    # the extension sets its own request class; ours knows more
    app.request_class = PortalRequest
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # the extension adds the method
    app.jinja_env.install_gettext_callables(gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    # whatever a page shows that is a sentence is said in its reader's language
    app.jinja_env.finalize = said
    app.jinja_env.filters.update(
        in_currency=Money,
        money_text=money_text,
        day_text=day_text,
        utc_day_text=utc_day_text,
        month_text=month_text,
        time_text=time_text,
        said=said,
        isolated=isolated,
        machine_time=machine_time,
        country_name=country_name,
        payout_words=payout_words,
        statement_sums=statement_sums,
        statement_words=statement_words,
        condition_words=condition_words,
        whose_move=whose_move,
        badge_sign=badge_sign,
        badge_words=badge_words,
    )
    app.jinja_env.globals.update(asset=asset, TO_BANK_WORDS=TO_BANK_WORDS)
    app.context_processor(lambda: dict(_page_context()))

"""A statement as a PDF: A4, one font for all scripts it knows, the same bytes each time once the month is over."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

from babel.numbers import format_decimal
from flask import current_app
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue
from fpdf.fonts import FontFace, TTFFont

from portal.domain.sentences import Sentence
from portal.models import Affiliate
from portal.services.statements import MonthStatement, StatementLine
from portal.web.languages import language, locale
from portal.web.rendering import money_text, month_text, said, utc_day_text
from portal.web.words import STATEMENT_WORDS, statement_sums

_FONT = "DejaVu"
_MUTED = 90
_HAIRLINE = 190

#: The columns of the lines, in mm: date, what, reference, amount.
_WIDTHS = (22.0, 77.0, 34.0, 41.0)
_ALIGNS = (Align.L, Align.L, Align.L, Align.R)
_LINE = 4.4

#: Stands where the font has no sign, which would otherwise be gone without a trace.
_NO_SIGN = "□"


_ABOUT_SIGNS = Sentence(
    "□ stands for signs that this document's font does not have. The page and the CSV show them."
)


class _Page(FPDF):
    """An A4 page that says at its foot which statement it belongs to."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot
        fonts = Path(str(current_app.static_folder)) / "fonts"
        self.add_font(_FONT, fname=fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fname=fonts / "DejaVuSans-Bold.ttf")
        self.set_margin(18)
        self.set_auto_page_break(auto=True, margin=22)
        self.set_draw_color(_HAIRLINE)
        self._signs = set(cast(TTFFont, self.fonts[_FONT.lower()]).cmap)
        self.lacks_signs = False

    def footer(self) -> None:
        self.set_y(-16)
        self.set_font(_FONT, size=7.5)
        self.set_text_color(_MUTED)
        self.cell(0, 5, self._foot)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(0)

    def known(self, text: str) -> str:
        """What people wrote, as far as the font goes."""
        shown = "".join(sign if ord(sign) in self._signs else _NO_SIGN for sign in text)
        self.lacks_signs |= shown != text
        return shown

    def shape(self, text: str) -> None:
        """Lay out the next text with joined and right-to-left letters where it has any; it takes ten times as long."""
        self.set_text_shaping(use_shaping_engine=_is_shaped(text))

    def say(self, text: str, *, size: float, is_bold: bool = False, is_muted: bool = False) -> None:
        """A paragraph over the whole width."""
        self.set_font(_FONT, "B" if is_bold else "", size)
        self.set_text_color(_MUTED if is_muted else 0)
        self.shape(text)
        self.multi_cell(0, size * 0.55, text, align=Align.L, new_x="LMARGIN", new_y="NEXT")
        self.set_text_color(0)


def statement_pdf(
    statement: MonthStatement,
    lines: Sequence[StatementLine],
    *,
    affiliate: Affiliate,
    portal_name: str,
    has_more: bool,
) -> bytes:
    """The document. `has_more` says that there are more lines than `lines`."""
    title = said(Sentence("Statement for {month}", month=month_text(statement.month)))
    pdf = _Page(f"{portal_name} – {title} – {affiliate.code}")
    pdf.set_title(title)
    pdf.set_author(portal_name)
    pdf.set_lang(language())
    if statement.is_final:
        pdf.set_creation_date(statement.month.ends_at)
    pdf.add_page()
    pdf.say(portal_name, size=10, is_muted=True)
    pdf.say(title, size=18, is_bold=True)
    pdf.ln(3)
    _head(pdf, statement, affiliate)
    _sums(pdf, statement)
    _lines(pdf, lines)
    if has_more:
        first = Sentence(
            "These are the first {number} lines. The CSV of this month has all of them; the sums above are of the "
            "whole month.",
            number=format_decimal(len(lines), locale=locale()),
        )
        pdf.say(said(first), size=9, is_muted=True)
    if pdf.lacks_signs:
        pdf.say(said(_ABOUT_SIGNS), size=9, is_muted=True)
    return bytes(pdf.output())


def _head(pdf: _Page, statement: MonthStatement, affiliate: Affiliate) -> None:
    last_day = statement.month.ends_at - timedelta(days=1)
    begins, until = utc_day_text(statement.month.begins_at), utc_day_text(last_day)
    state = (
        Sentence("Final")
        if statement.is_final
        else Sentence("So far: the month is not over, and this may still change")
    )
    if affiliate.name:
        pdf.say(pdf.known(affiliate.name), size=11, is_bold=True)
    for sentence in (
        Sentence("Partner code {code}", code=affiliate.code),
        Sentence("{begins} to {until}, days in UTC", begins=begins, until=until),
        Sentence(
            "Amounts in {currency}. {state}.", currency=statement.totals.opening.currency.upper(), state=state
        ),
    ):
        pdf.say(said(sentence), size=9)
    pdf.ln(4)


def _sums(pdf: _Page, statement: MonthStatement) -> None:
    pdf.set_font(_FONT, size=9.5)
    with pdf.table(
        col_widths=(2, 1), text_align=("LEFT", "RIGHT"), first_row_as_headings=False, line_height=6.5,
        borders_layout="HORIZONTAL_LINES",
    ) as table:  # fmt: skip
        sums = statement_sums(statement.totals, is_final=statement.is_final)
        for number, (words, money) in enumerate(sums):
            is_balance = number in {0, len(sums) - 1}
            style = FontFace(emphasis="BOLD") if is_balance else None
            row = table.row()
            row.cell(said(words), style=style)
            row.cell(money_text(money), style=style)
    pdf.ln(6)


def _lines(pdf: _Page, lines: Sequence[StatementLine]) -> None:
    """Rows of our own: the library's tables measure every word of every cell twice, and months can be long."""
    if not lines:
        pdf.say(said(Sentence("Nothing moved in this month.")), size=9.5)
        return
    pdf.set_font(_FONT, "B", 8)
    pdf.set_text_color(_MUTED)
    head = (Sentence("Date"), Sentence("What"), Sentence("Reference"), Sentence("Amount"))
    _row(pdf, [said(each) for each in head])
    pdf.set_text_color(0)
    pdf.set_font(_FONT, size=8)
    for line in lines:
        # the library puts numbers among letters from right to left in their place only where these stand alone
        words, gap = said(STATEMENT_WORDS[line.kind]), "\n" if _is_shaped(line.text) else " "
        what = f"{words}:{gap}{pdf.known(line.text)}" if line.text else words
        _row(pdf, (utc_day_text(line.at), what, pdf.known(line.reference), money_text(line.money)))
    pdf.ln(3)


def _row(pdf: _Page, texts: Sequence[str]) -> None:
    cells = [_broken(pdf, text, width - 3) for text, width in zip(texts, _WIDTHS, strict=True)]
    height = _LINE * max(map(len, cells)) + 2
    if pdf.will_page_break(height):
        pdf.add_page()
    top, left = pdf.get_y(), pdf.l_margin
    for parts, width, align in zip(cells, _WIDTHS, _ALIGNS, strict=True):
        for number, part in enumerate(parts):
            pdf.set_xy(left, top + 1 + number * _LINE)
            pdf.shape(part)
            pdf.cell(width, _LINE, part, align=align)
        left += width
    pdf.set_y(top + height)
    pdf.line(pdf.l_margin, pdf.get_y(), left, pdf.get_y())


def _broken(pdf: _Page, text: str, width: float) -> Sequence[str]:
    """A text in lines of at most that width (mm)."""
    pdf.shape(text)
    if "\n" not in text and pdf.get_string_width(text) <= width:
        return [text]
    lines = pdf.multi_cell(width, _LINE, text, dry_run=True, output=MethodReturnValue.LINES)
    return cast(list[str], lines)


def _is_shaped(text: str) -> bool:
    """Whether letters join, combine or run from right to left."""
    return not text.isascii() and any(
        unicodedata.bidirectional(sign) in {"R", "AL"} or unicodedata.combining(sign) for sign in text
    )

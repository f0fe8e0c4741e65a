"""Signing in and out, and the first page of somebody whom the programme does not know yet."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, flash, redirect, request, session, url_for
from werkzeug.exceptions import NotFound

from portal.domain.errors import InvalidInput, PortalError
from portal.domain.roles import RECENT
from portal.domain.sentences import Sentence
from portal.services.people import CurrentUser, SignedIn
from portal.web.access import access, cause, current_user, is_signed_in, leave_for
from portal.web.local_paths import local_path
from portal.web.providers import (
    Answered,
    ProviderIsAway,
    SignInFailed,
    SignInProvider,
    SignInTookTooLong,
    SignInWasCancelled,
)
from portal.web.rendering import country_name, render, said
from portal.web.session_cookie import forget_token, set_token, shown_token
from portal.wiring import services

pages = Blueprint("auth", __name__)

_EXTENSION = "portal_providers"


@pages.get("/login")
@access("public")
def sign_in() -> Response:
    """Always a page with a link for each provider, also for those who are signed in. With `again` it is for somebody
    who is signed in, but did so too long ago for what they want to do."""
    come_back_to = local_path(request.args.get("next"))
    if "again" in request.args and is_signed_in() and current_user().provider in _providers():
        return _again_page(current_user(), come_back_to=come_back_to)
    return _sign_in_page(come_back_to=come_back_to)


@pages.get("/login/<provider>")
@access("public")
def begin(provider: str) -> Response:
    """To the provider."""
    come_back_to = local_path(request.args.get("next"))
    is_again = "again" in request.args and is_signed_in()
    again_for = str(current_user().user_id) if is_again else None
    try:
        address = _provider(provider).begin(come_back_to=come_back_to, again_for=again_for)
    except ProviderIsAway as refusal:
        return _sign_in_page(refusal=refusal, come_back_to=come_back_to)
    return current_app.make_response(redirect(address, 303))


@pages.get("/auth/<provider>/callback")
@access("public")
def callback(provider: str) -> Response:
    """Back from the provider, with an answer that has to be proved."""
    try:
        asked = _provider(provider)
        answered = asked.finish()
    except (ProviderIsAway, SignInFailed, SignInTookTooLong, SignInWasCancelled) as refusal:
        return _sign_in_page(refusal=refusal)
    signed_in = services().access.sign_in(
        answered.identity, replaces=shown_token(), end_session_endpoint=asked.end_session_endpoint
    )
    session.clear()
    if answered.again_for is not None:
        return _back_again(answered, signed_in, at=asked.label)
    # an operator need not be an affiliate; the first page of all others who are new makes them one
    is_joining = signed_in.is_new and services().access.role_of(signed_in.user_id) is None
    address = local_path(answered.come_back_to) or (url_for("auth.first_page") if is_joining else "/")
    return set_token(current_app.make_response(redirect(address, 303)), signed_in.token)


@pages.post("/logout")
@access("person")
def sign_out() -> Response:
    """End the session on the server, so that a copied cookie is dead from now on; then go on to sign out at the
    provider, where that is possible. Nobody is asked anything on the way, so nothing can keep it waiting."""
    person = current_user()
    if token := shown_token():
        services().access.sign_out(token)
    return _leave(person, is_everywhere=False)


@pages.post("/logout/everywhere")
@access("person")
def sign_out_everywhere() -> Response:
    """The same for all sessions of the person."""
    person = current_user()
    services().access.sign_out_everywhere(person.user_id)
    return _leave(person, is_everywhere=True)


@pages.post("/logout/elsewhere")
@access("person")
def sign_out_elsewhere() -> Response:
    """The same for all but this one, which goes on."""
    person = current_user()
    count = services().access.sign_out_everywhere(person.user_id, but=person.session_id)
    ended = (
        Sentence("Signed out in 1 other browser.")
        if count == 1
        else Sentence("Signed out in {count} other browsers.", count=count)
    )
    flash(said(ended), "verified")
    return leave_for(url_for("settings.edit"))


@pages.get("/affiliate")
@access("person")
def first_page() -> Response:
    """“Create my affiliate account”, for whoever has none; the others go on to the dashboard."""
    if current_user().affiliate is not None:
        return leave_for(url_for("dashboard.show"))
    return _first_page()


@pages.post("/affiliate")
@access("person")
def create_affiliate() -> Response:
    """Create the record once; again, it is the same answer and nothing new."""
    country = request.form.get("country", "").strip() or None
    try:
        services().affiliates.create_for_user(current_user().user_id, country=country, cause=cause())
    except InvalidInput as refusal:
        return _first_page(refusal=refusal, country=country)
    return leave_for(url_for("preferences.edit"))


def _leave(person: CurrentUser, *, is_everywhere: bool) -> Response:
    """On to the provider's way out, or to the sign-in page, with word of what ended and what may not have."""
    session.clear()
    provider = _providers().get(person.provider)
    if provider is not None and person.end_session_endpoint is not None:
        done = (
            Sentence("You are signed out everywhere here.")
            if is_everywhere
            else Sentence("You are signed out here.")
        )
        flash(said(done), "verified")
        return forget_token(leave_for(provider.sign_out_address(person.end_session_endpoint)))
    at = provider.label if provider is not None else Sentence("the provider you signed in with")
    done = (
        Sentence(
            "You are signed out everywhere here, but maybe not at {provider}. "
            "On a shared computer, sign out there too.",
            provider=at,
        )
        if is_everywhere
        else Sentence(
            "You are signed out here, but maybe not at {provider}. On a shared computer, sign out there too.",
            provider=at,
        )
    )
    flash(said(done), "pending")
    return forget_token(leave_for(url_for("auth.sign_in")))


def _back_again(answered: Answered, signed_in: SignedIn, *, at: str) -> Response:
    """Back to the form, which is still to be sent; somebody else gets nothing of it."""
    address = local_path(answered.come_back_to) or "/"
    when, now = answered.identity.signed_in_at, services().clock.real_now()
    if answered.again_for != str(signed_in.user_id):
        address = "/"
        said_so, tone = (
            Sentence("You signed in as somebody else than before, so nothing was kept."),
            "pending",
        )
    elif when is not None and now - when > RECENT:
        said_so, tone = (
            Sentence(
                "{provider} let you in without asking. Sign out there, then sign in again.", provider=at
            ),
            "pending",
        )
    else:
        said_so, tone = Sentence("You have signed in again. Nothing was done yet."), "info"
    flash(said(said_so), tone)
    return set_token(current_app.make_response(redirect(address, 303)), signed_in.token)


def _again_page(person: CurrentUser, *, come_back_to: str | None) -> Response:
    now = services().clock.real_now()
    if person.is_recent(now):
        return leave_for(come_back_to or "/")
    return render(
        "auth/again.html",
        minutes=int((now - person.signed_in_at).total_seconds() // 60),
        label=_providers()[person.provider].label,
        address=url_for("auth.begin", provider=person.provider, again=1, next=come_back_to),
        come_back_to=come_back_to or "/",
    )


def _providers() -> dict[str, SignInProvider]:
    providers: dict[str, SignInProvider] = current_app.extensions[_EXTENSION]
    return providers


def _provider(name: str) -> SignInProvider:
    if name not in _providers():
        raise NotFound
    return _providers()[name]


def _sign_in_page(*, refusal: PortalError | None = None, come_back_to: str | None = None) -> Response:
    providers = services().settings.providers.values()
    links = [(each.label, url_for("auth.begin", provider=each.name, next=come_back_to)) for each in providers]
    return render(
        "auth/sign_in.html",
        status=refusal.status if refusal else 200,
        links=links,
        sentence=refusal.sentence if refusal else None,
    )


def _first_page(*, refusal: InvalidInput | None = None, country: str | None = None) -> Response:
    settings = services().settings
    return render(
        "auth/first.html",
        status=refusal.status if refusal else 200,
        countries=sorted(settings.stripe_countries, key=country_name),
        country=country or settings.default_country,
        is_open=settings.is_self_signup_open,
        email=current_user().email,
        problems=refusal.problems if refusal else [],
    )


def register(app: Flask) -> None:
    """Add the pages, and make ready for every provider of the settings; none is asked anything yet."""
    with app.app_context():
        settings = services().settings
    # built on the setting, never on the Host header: nobody can have an answer sent elsewhere
    app.extensions[_EXTENSION] = {
        name: SignInProvider(provider, portal=settings.base_url)
        for name, provider in settings.providers.items()
    }
    app.register_blueprint(pages)

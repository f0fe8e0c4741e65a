"""Settings: every problem is named at once, what is unsafe does not start in production, and no secret is repeated."""

from __future__ import annotations

import pytest

from portal.config import Settings, SettingsError, settings_from

SECRET = "correct-horse-battery-staple-0123456789"

#: What a production portal needs at least.
PRODUCTION = {
    "PORTAL_ENV": "production",
    "SECRET_KEY": SECRET,
    "PORTAL_BASE_URL": "https://portal.example.com",
    "STRIPE_SECRET_KEY": "sk_live_0123456789",
    "STRIPE_WEBHOOK_SECRETS": "whsec_0123456789,whsec_abcdefghij",
    "PORTAL_MAIL_URL": "smtps://mailer:hush-hush@mail.example.com:465",
    "PORTAL_MAIL_FROM": "payouts@example.com",
    "PORTAL_OIDC_COMPANY_ISSUER": "https://id.example.com",
    "PORTAL_OIDC_COMPANY_CLIENT_ID": "portal",
    "PORTAL_OIDC_COMPANY_CLIENT_SECRET": "very-quiet-client-secret",
    "DATABASE_URL": "postgresql://portal:db-pass-word@db.example.com/portal",
    "REDIS_URL": "redis://:redis-pass-word@cache.example.com/0",
}

DEVELOPMENT = {"PORTAL_ENV": "development", "SECRET_KEY": SECRET}

SECRETS = (
    SECRET, "sk_live_0123456789", "whsec_0123456789", "whsec_abcdefghij", "hush-hush",
    "very-quiet-client-secret", "db-pass-word", "redis-pass-word",
)  # fmt: skip

MALFORMED = {
    "PORTAL_ENV": "staging",
    "SECRET_KEY": "short",
    "PORTAL_BASE_URL": "portal.example.com",
    "DATABASE_URL": "mysql://localhost/portal",
    "STRIPE_API_BASE": "ftp://stripe.example.com",
    "STRIPE_ACCOUNTS_API": "v3",
    "STRIPE_CAPABILITIES": "card_payments",
    "STRIPE_COUNTRIES": "US,DE",
    "STRIPE_RATE_LIMIT": "fast",
    "STRIPE_TRANSFER_RATE_LIMIT": "0",
    "PORTAL_SELF_SIGNUP": "perhaps",
    "PORTAL_DEFAULT_CURRENCY": "btc",
    "PORTAL_DEFAULT_COUNTRY": "usa",
    "PORTAL_EARNINGS_HOLD_DAYS": "-1",
    "PORTAL_MINIMUM_PAYOUT": "usd:25.00",
    "PORTAL_AUTO_APPROVE_LIMIT": "dollars:1",
    "PORTAL_SECOND_APPROVAL_LIMIT": "usd",
    "PORTAL_PAYOUT_REQUEST_RATE": "five per hour",
    "PORTAL_BANK_CHANGE_COOLDOWN_HOURS": "1.5",
    "PORTAL_PAYOUT_RUN": "hourly",
    "PORTAL_PAYOUT_SCHEDULE": "monthly:31",
    "PORTAL_CLOCK_OFFSET": "tomorrow",
    "PORTAL_MAIL_URL": "http://mail.example.com",
    "PORTAL_MAIL_FROM": "Payouts <payouts@example.com>",
    "PORTAL_SUPPORT_EMAIL": "https://help.example.com",
    "PORTAL_LOG_FORMAT": "xml",
    "PORTAL_LOG_LEVEL": "LOUD",
}


def problems(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refusal:
        settings_from(environment)
    assert str(refusal.value).splitlines() == list(refusal.value.problems)
    return refusal.value.problems


def named(environment: dict[str, str]) -> set[str]:
    return {problem.split()[0] for problem in problems(environment)}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in PRODUCTION.items() if name not in names}


def test_a_complete_production_starts() -> None:
    settings = settings_from(PRODUCTION)
    assert settings.is_production
    assert settings.is_stripe_live
    assert settings.database_url.startswith("postgresql+psycopg://")


def test_every_malformed_setting_is_named_at_once_with_one_line_each() -> None:
    found = problems(DEVELOPMENT | MALFORMED)
    # the environment itself could not be read, so that it is judged as production too
    assert set(MALFORMED) <= {problem.split()[0] for problem in found}
    assert all("\n" not in problem for problem in found)


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_a_malformed_setting_is_named(name: str) -> None:
    assert name in named(DEVELOPMENT | {name: MALFORMED[name]})


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "PORTAL_MAIL_URL", "PORTAL_MAIL_FROM"],
)
def test_production_needs(name: str) -> None:
    assert named(without(name)) == {name}


def test_a_mail_server_needs_a_sender_also_in_development() -> None:
    assert named(DEVELOPMENT | {"PORTAL_MAIL_URL": "smtp://127.0.0.1"}) == {"PORTAL_MAIL_FROM"}


@pytest.mark.parametrize("address", ["smtp://host:port", "smtp://host:99999", "smtp://", "smtp://[::1"])
def test_a_mail_server_has_a_host_and_a_port_that_exist(address: str) -> None:
    sender = {"PORTAL_MAIL_FROM": "payouts@example.com"}
    assert named(DEVELOPMENT | sender | {"PORTAL_MAIL_URL": address}) == {"PORTAL_MAIL_URL"}


def test_production_needs_a_way_to_sign_in() -> None:
    provider = [name for name in PRODUCTION if name.startswith("PORTAL_OIDC_")]
    assert named(without(*provider)) == {"PORTAL_OIDC_<NAME>_ISSUER"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_BASE_URL", "http://portal.example.com"),
        ("PORTAL_OIDC_COMPANY_ISSUER", "http://id.example.com"),
        ("STRIPE_API_BASE", "https://stand-in.example.com"),
        ("PORTAL_CLOCK_OFFSET", "60"),
        ("PORTAL_MAIL_URL", "console:"),
        ("FLASK_DEBUG", "1"),
        ("SECRET_KEY", "a" * 40),
        ("SECRET_KEY", "short-but-random"),
        ("STRIPE_SECRET_KEY", "pk_live_0123456789"),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_0123456789,nonsense"),
    ],
)
def test_production_refuses(name: str, value: str) -> None:
    assert named(PRODUCTION | {name: value}) == {name}


def test_production_takes_sqlite_and_a_test_key() -> None:
    settings = settings_from(
        PRODUCTION
        | {"DATABASE_URL": "sqlite:////var/lib/portal/portal.db", "STRIPE_SECRET_KEY": "sk_test_0123456789"}
    )
    assert settings.is_sqlite
    assert not settings.is_stripe_live
    assert (settings.stripe_rate_limit, settings.stripe_transfer_rate_limit) == (20, 20)


@pytest.mark.parametrize("key", ["sk_live_0123456789", "rk_live_0123456789"])
@pytest.mark.parametrize("environment", ["development", "test"])
def test_a_live_key_is_refused_outside_production(environment: str, key: str) -> None:
    assert named(DEVELOPMENT | {"PORTAL_ENV": environment, "STRIPE_SECRET_KEY": key}) == {"STRIPE_SECRET_KEY"}


def test_outside_production_stripe_and_providers_may_be_missing() -> None:
    settings = settings_from(DEVELOPMENT)
    assert settings.stripe_secret_key is None
    assert settings.providers == {}
    assert settings.base_url == "http://127.0.0.1:5000"


def test_an_environment_that_is_not_named_is_production() -> None:
    assert "SECRET_KEY" in named({})


def test_a_provider_with_a_part_missing_is_named() -> None:
    assert named(DEVELOPMENT | {"PORTAL_OIDC_GOOGLE_ISSUER": "https://accounts.example.com"}) == {
        "PORTAL_OIDC_GOOGLE_CLIENT_ID",
        "PORTAL_OIDC_GOOGLE_CLIENT_SECRET",
    }


@pytest.mark.parametrize(
    "value", ["http://[", "http://[::1", "https://user:pass@portal.example.com", "https://", "//x"]
)
def test_an_address_that_is_none_is_named_and_not_a_fault(value: str) -> None:
    for name in ("PORTAL_BASE_URL", "STRIPE_API_BASE"):
        assert name in named(DEVELOPMENT | {name: value})
    assert "PORTAL_MAIL_URL" in named(DEVELOPMENT | {"PORTAL_MAIL_URL": value})


def test_no_problem_repeats_a_secret() -> None:
    broken = {name: f"{value}\n" + value for name, value in PRODUCTION.items() if name != "PORTAL_ENV"}
    text = "\n".join(
        problems(broken | {"PORTAL_CLOCK_OFFSET": "60", "DATABASE_URL": "mysql://u:db-pass-word@h/d"})
    )
    assert not [secret for secret in SECRETS if secret in text]


def test_no_secret_stands_in_the_settings_as_text() -> None:
    settings: Settings = settings_from(
        PRODUCTION | {"SECRET_KEY_FALLBACKS": "an-older-key-of-some-length-0123456"}
    )
    text = f"{settings!r} {settings} {settings.providers}"
    assert not [secret for secret in (*SECRETS, "an-older-key") if secret in text]


def test_what_is_not_set_has_its_default() -> None:
    settings = settings_from(DEVELOPMENT)
    assert settings.name == "Partner portal"
    assert settings.earnings_hold_days == 30
    assert settings.minimum_payout == {"usd": 2_500}
    assert settings.auto_approve_limit == {"usd": 50_000}
    assert settings.second_approval_limit == {}
    assert (settings.payout_request_rate.count, settings.payout_request_rate.seconds) == (5, 3_600)
    assert settings.bank_change_cooldown_hours == 24
    assert (settings.payout_run, settings.payout_schedule) == ("0 * * * *", "monthly:1")
    assert (settings.default_currency, settings.default_country) == ("usd", "US")
    assert settings.stripe_capabilities == ("transfers",)
    assert len(settings.stripe_countries) == 34
    assert settings.is_self_signup_open


def test_accounts_by_v2_know_the_full_service_agreement_alone() -> None:
    v2 = DEVELOPMENT | {"STRIPE_ACCOUNTS_API": "v2"}
    assert settings_from(v2).stripe_accounts_api == "v2"
    assert named(v2 | {"STRIPE_COUNTRIES": "US:full,TH:recipient"}) == {"STRIPE_COUNTRIES"}

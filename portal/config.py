"""The portal's settings: read once from the environment, checked together, frozen afterwards.

Every problem is collected before anything is refused, so that one start names all that is wrong. A problem names the
setting and what to do; it never repeats a secret's value.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dotenv import dotenv_values

from portal import setting_texts
from portal.setting_texts import Rate, SettingTexts, has_fitting_port, split_address

PROJECT_ROOT = Path(__file__).resolve().parent.parent

#: Shorter keys can be guessed from one signed cookie.
SECRET_KEY_CHARACTERS = 32

_PROVIDER = re.compile(r"PORTAL_OIDC_([A-Z0-9]+)_(ISSUER|CLIENT_ID|CLIENT_SECRET|LABEL|SCOPES|TRUST_EMAIL)")


class Environment(StrEnum):
    """Where the portal runs; what is unsafe in production refuses to start there."""

    production = "production"
    development = "development"
    test = "test"


class SettingsError(Exception):
    """Settings are missing, malformed or unsafe; `problems` has one line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class OidcProvider:
    """An OpenID Connect provider, found through its discovery document."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str
    scopes: str
    is_email_trusted: bool


@dataclass(frozen=True)
class Settings:
    """All settings; amounts in minor units by lower-case currency, durations in their named unit."""

    environment: Environment
    secret_key: str = field(repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(repr=False)
    base_url: str
    name: str
    support_email: str | None
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    stripe_secret_key: str | None = field(repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    stripe_api_base: str | None
    stripe_accounts_api: str
    stripe_capabilities: tuple[str, ...]
    stripe_countries: Mapping[str, str]
    stripe_rate_limit: int
    stripe_transfer_rate_limit: int
    providers: Mapping[str, OidcProvider]
    operators: tuple[str, ...]
    is_self_signup_open: bool
    default_currency: str
    default_country: str
    earnings_hold_days: int
    minimum_payout: Mapping[str, int]
    auto_approve_limit: Mapping[str, int]
    second_approval_limit: Mapping[str, int]
    payout_request_rate: Rate
    bank_change_cooldown_hours: int
    payout_run: str
    payout_schedule: str
    clock_offset_seconds: int
    mail_url: str = field(repr=False)
    mail_from: str | None
    log_format: str
    log_level: str

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.production

    @property
    def is_stripe_live(self) -> bool:
        """Whether the key moves real money; events of the other mode are ignored."""
        return (self.stripe_secret_key or "").startswith(("sk_live_", "rk_live_"))

    @property
    def webhook_address(self) -> str:
        """Where Stripe sends its events."""
        return f"{self.base_url.rstrip('/')}/webhooks/stripe"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def data_directory(self) -> Path:
        """Where embedded files live: beside the SQLite database, else `instance/`."""
        if self.is_sqlite:
            return Path(self.database_url.split("///", 1)[1].split("?")[0]).parent
        return PROJECT_ROOT / "instance"


def load_settings() -> Settings:
    """Read the process's environment and `.env` (which never overrides it); raises SettingsError."""
    from_file = {
        name: value for name, value in dotenv_values(PROJECT_ROOT / ".env").items() if value is not None
    }
    return settings_from({**from_file, **os.environ})


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings from a mapping; raises SettingsError naming every problem at once."""
    return _Reader(environment).read()


class _Reader(SettingTexts):
    """Reads the portal's settings."""

    def read(self) -> Settings:
        env = self.parsed("PORTAL_ENV", Environment, "production", "production, development or test")
        self._is_production = env is not Environment.development and env is not Environment.test
        stripe_key = self.text("STRIPE_SECRET_KEY") or None
        is_test_key = "_test_" in (stripe_key or "_test_")
        settings = Settings(
            environment=env or Environment.production,
            secret_key=self._secret_key(),
            secret_key_fallbacks=self.list("SECRET_KEY_FALLBACKS"),
            base_url=self.address("PORTAL_BASE_URL", "http://127.0.0.1:5000") or "",
            name=self.text("PORTAL_NAME", "Partner portal"),
            support_email=self._mailbox("PORTAL_SUPPORT_EMAIL"),
            database_url=self._database_url(),
            redis_url=self.text("REDIS_URL") or None,
            stripe_secret_key=stripe_key,
            stripe_webhook_secrets=self.list("STRIPE_WEBHOOK_SECRETS"),
            stripe_api_base=self.address("STRIPE_API_BASE", ""),
            stripe_accounts_api=self.choice("STRIPE_ACCOUNTS_API", "v1", ("v1", "v2")),
            stripe_capabilities=tuple(
                self.choice(
                    "STRIPE_CAPABILITIES", "transfers", ("transfers", "card_payments,transfers")
                ).split(",")
            ),
            stripe_countries=self.parsed(
                "STRIPE_COUNTRIES", setting_texts.countries, "", "countries such as US:full,DE:full"
            )
            or {},
            stripe_rate_limit=self.integer("STRIPE_RATE_LIMIT", 20 if is_test_key else 80, 1, 10_000),
            stripe_transfer_rate_limit=self.integer(
                "STRIPE_TRANSFER_RATE_LIMIT", 20 if is_test_key else 24, 1, 10_000
            ),
            providers=self._providers(),
            operators=self.list("PORTAL_OPERATORS"),
            is_self_signup_open=self.boolean("PORTAL_SELF_SIGNUP", "true"),
            default_currency=self.parsed(
                "PORTAL_DEFAULT_CURRENCY", setting_texts.currency, "usd", "a currency Stripe pays out in"
            )
            or "",
            default_country=self.parsed(
                "PORTAL_DEFAULT_COUNTRY", setting_texts.country, "US", "two capital letters"
            )
            or "",
            earnings_hold_days=self.integer("PORTAL_EARNINGS_HOLD_DAYS", 30, 0, 3_650),
            minimum_payout=self.limits("PORTAL_MINIMUM_PAYOUT", "usd:2500"),
            auto_approve_limit=self.limits("PORTAL_AUTO_APPROVE_LIMIT", "usd:50000"),
            second_approval_limit=self.limits("PORTAL_SECOND_APPROVAL_LIMIT", ""),
            payout_request_rate=self.parsed(
                "PORTAL_PAYOUT_REQUEST_RATE", setting_texts.rate, "5 per hour", "such as “5 per hour”"
            )
            or Rate(5, 3_600),
            bank_change_cooldown_hours=self.integer("PORTAL_BANK_CHANGE_COOLDOWN_HOURS", 24, 0, 8_760),
            payout_run=self.parsed(
                "PORTAL_PAYOUT_RUN", setting_texts.crontab_fields, "0 * * * *", "a crontab of five fields"
            )
            or "",
            payout_schedule=self.parsed(
                "PORTAL_PAYOUT_SCHEDULE",
                setting_texts.schedule,
                "monthly:1",
                "monthly:1 to monthly:28, weekly:mon or manual",
            )
            or "",
            clock_offset_seconds=self.integer("PORTAL_CLOCK_OFFSET", 0, -315_360_000, 315_360_000),
            mail_url=self._mail_url(),
            mail_from=self._mailbox("PORTAL_MAIL_FROM"),
            log_format=self.choice(
                "PORTAL_LOG_FORMAT", "json" if self._is_production else "console", ("json", "console")
            ),
            log_level=self.choice(
                "PORTAL_LOG_LEVEL",
                "INFO" if self._is_production else "WARNING",
                ("DEBUG", "INFO", "WARNING", "ERROR"),
            ),
        )
        if settings.mail_url != "console:" and not self.text("PORTAL_MAIL_FROM"):
            self.problem("PORTAL_MAIL_FROM", "is required to send mail: the address that it comes from")
        if settings.is_production:
            self._refuse_what_is_unsafe(settings)
        elif settings.is_stripe_live:
            self.problem("STRIPE_SECRET_KEY", "is a live key; those are refused outside production")
        if settings.stripe_accounts_api == "v2" and "recipient" in settings.stripe_countries.values():
            self.problem(
                "STRIPE_COUNTRIES",
                "must say full everywhere with STRIPE_ACCOUNTS_API=v2, which knows nothing else",
            )
        if self.problems:
            raise SettingsError(self.problems)
        return settings

    def _refuse_what_is_unsafe(self, settings: Settings) -> None:
        if not settings.base_url.startswith("https://"):
            self.problem("PORTAL_BASE_URL", "must begin with https:// in production")
        if not settings.stripe_secret_key:
            self.problem("STRIPE_SECRET_KEY", "is required in production")
        elif not re.fullmatch(r"(sk|rk)_(live|test)_\S{8,}", settings.stripe_secret_key):
            self.problem("STRIPE_SECRET_KEY", "does not look like a secret key of Stripe's (sk_… or rk_…)")
        if not settings.stripe_webhook_secrets:
            self.problem(
                "STRIPE_WEBHOOK_SECRETS", "is required in production: one signing secret for each endpoint"
            )
        elif any(not re.fullmatch(r"whsec_\S{8,}", secret) for secret in settings.stripe_webhook_secrets):
            self.problem("STRIPE_WEBHOOK_SECRETS", "must hold signing secrets that begin with whsec_")
        if self.text("STRIPE_API_BASE"):
            self.problem("STRIPE_API_BASE", "is a stand-in's address; refused in production")
        if settings.clock_offset_seconds:
            self.problem("PORTAL_CLOCK_OFFSET", "is for rehearsals; refused in production")
        if settings.mail_url == "console:":
            self.problem("PORTAL_MAIL_URL", "is required in production: smtp:// or smtps://, not console:")
        if self.text("FLASK_DEBUG", "0").lower() not in {"0", "false", "no", ""}:
            self.problem("FLASK_DEBUG", "debugging is refused in production")
        if not settings.providers:
            self.problem(
                "PORTAL_OIDC_<NAME>_ISSUER", "at least one sign-in provider is required in production"
            )
        for provider in settings.providers.values():
            if not provider.issuer.startswith("https://"):
                self.problem(
                    f"PORTAL_OIDC_{provider.name.upper()}_ISSUER", "must begin with https:// in production"
                )

    def _secret_key(self) -> str:
        value = self.values.get("SECRET_KEY", "")
        if value:
            if len(value) < SECRET_KEY_CHARACTERS or (self._is_production and len(set(value)) < 8):
                self.problem(
                    "SECRET_KEY", f"must have {SECRET_KEY_CHARACTERS} characters or more and be random"
                )
            return value
        if self._is_production:
            self.problem(
                "SECRET_KEY", f"is required in production ({SECRET_KEY_CHARACTERS} characters or more)"
            )
            return ""
        return _kept_development_key(PROJECT_ROOT / "instance" / "secret_key")

    def _database_url(self) -> str:
        value = self.text("DATABASE_URL", "sqlite:///instance/portal.db")
        if value.startswith("postgresql://"):
            return value.replace("postgresql://", "postgresql+psycopg://", 1)
        if value.startswith("postgresql+psycopg://"):
            return value
        if value.startswith("sqlite:///") and len(value) > len("sqlite:///") and ":memory:" not in value:
            path = value.removeprefix("sqlite:///")
            return value if path.startswith("/") else f"sqlite:///{PROJECT_ROOT / path}"
        self.problem("DATABASE_URL", "must be sqlite:///FILE or postgresql+psycopg://…")
        return f"sqlite:///{PROJECT_ROOT}/instance/portal.db"

    def _mail_url(self) -> str:
        value = self.text("PORTAL_MAIL_URL", "console:")
        parts = split_address(value)
        is_server = (
            parts is not None
            and parts.scheme in {"smtp", "smtps"}
            and parts.hostname
            and has_fitting_port(parts)
        )
        if value != "console:" and not is_server:
            self.problem("PORTAL_MAIL_URL", "must be smtp://user:pass@host:port, smtps://… or console:")
        return value

    def _mailbox(self, name: str) -> str | None:
        if not self.text(name):
            return None
        return self.parsed(name, setting_texts.mailbox, "", "an e-mail address such as payouts@example.com")

    def _providers(self) -> Mapping[str, OidcProvider]:
        names = sorted({match[1] for name in self.values if (match := _PROVIDER.fullmatch(name))})
        providers = {}
        for name in names:
            prefix = f"PORTAL_OIDC_{name}_"
            missing = [
                part for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET") if not self.text(prefix + part)
            ]
            for part in missing:
                self.problem(prefix + part, "is required, as another setting names this provider")
            providers[name.lower()] = OidcProvider(
                name=name.lower(),
                issuer=self.text(prefix + "ISSUER")
                if "ISSUER" in missing or self.address(prefix + "ISSUER", "")
                else "",
                client_id=self.text(prefix + "CLIENT_ID"),
                client_secret=self.text(prefix + "CLIENT_SECRET"),
                label=self.text(prefix + "LABEL", name.capitalize()),
                scopes=self.text(prefix + "SCOPES", "openid email profile"),
                is_email_trusted=self.boolean(prefix + "TRUST_EMAIL", "false"),
            )
        return providers


def _kept_development_key(path: Path) -> str:
    """Made once, so that a development portal's sessions outlive a restart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()

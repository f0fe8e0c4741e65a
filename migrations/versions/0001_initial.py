"""The first schema: affiliates, access, ledger, payouts, journal."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_tokens',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('token_sha256', sa.String(length=64), nullable=False),
    sa.Column('prefix', sa.String(length=16), nullable=False),
    sa.Column('scopes', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_api_tokens_token_sha256'))
    )
    op.create_table('audit_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.Enum('affiliate', 'operator', 'system', 'stripe', 'machine', 'shell', name='audit_actor_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('actor_id', sa.String(length=255), nullable=True),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('subject_kind', sa.String(length=32), nullable=False),
    sa.Column('subject_id', sa.String(length=255), nullable=False),
    sa.Column('from_value', sa.String(length=255), nullable=True),
    sa.Column('to_value', sa.String(length=255), nullable=True),
    sa.Column('cause', sa.String(length=255), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_log')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('audit_log', schema=None) as batch_op:
        batch_op.create_index('ix_audit_log_subject', ['subject_kind', 'subject_id', 'id'], unique=False)

    op.create_table('installation',
    sa.Column('one', sa.Integer(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('halted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('halt_reason', sa.String(length=500), nullable=True),
    sa.Column('stripe_platform', sa.String(length=300), nullable=True),
    sa.CheckConstraint('one = 1', name=op.f('ck_installation_only_one')),
    sa.PrimaryKeyConstraint('one', name=op.f('pk_installation'))
    )
    op.create_table('job_slots',
    sa.Column('job', sa.String(length=64), nullable=False),
    sa.Column('slot_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tally', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('job', 'slot_at', name=op.f('pk_job_slots'))
    )
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users'))
    )
    op.create_table('verification_runs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('trigger', sa.String(length=32), nullable=False),
    sa.Column('stale_hours', sa.Integer(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_affiliate_id', sa.Uuid(), nullable=True),
    sa.Column('checked', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('changed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unchanged', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('errors', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('webhooks_missed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_verification_runs'))
    )
    op.create_table('webhook_events',
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=255), nullable=False),
    sa.Column('object_id', sa.String(length=255), nullable=True),
    sa.Column('account_id', sa.String(length=255), nullable=True),
    sa.Column('api_version', sa.String(length=64), nullable=True),
    sa.Column('is_livemode', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('body_sha256', sa.String(length=64), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('received', 'processed', 'ignored', 'parked', name='webhook_event_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('processed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('effect', sa.String(length=255), nullable=True),
    sa.Column('error', sa.String(length=500), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_events'))
    )
    with op.batch_alter_table('webhook_events', schema=None) as batch_op:
        batch_op.create_index('ix_webhook_events_received_at', ['received_at'], unique=False)
        batch_op.create_index('ix_webhook_events_waiting', ['next_try_at'], unique=False, sqlite_where=sa.text("state = 'received'"), postgresql_where=sa.text("state = 'received'"))

    op.create_table('affiliates',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('stripe_account_id', sa.String(length=255), nullable=True),
    sa.Column('stripe_account_status', sa.Enum('pending', 'verified', 'restricted', 'rejected', name='account_status', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('stripe_onboarding_complete', sa.Boolean(), nullable=False),
    sa.Column('stripe_account_detail', sa.Enum('setup_incomplete', 'reviewing', 'attention', 'action_required', 'stripe_investigating', 'platform_paused', 'platform_must_act', 'unknown_reason', 'disconnected', name='account_detail', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('stripe_requirements', sa.Text(), nullable=True),
    sa.Column('stripe_deadline_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stripe_checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stripe_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('bank_fingerprint', sa.String(length=255), nullable=True),
    sa.Column('bank_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('link_refreshed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('preferred_payout_type', sa.Enum('fiat', 'crypto', name='preferred_payout_type', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('wallet_address', sa.String(length=255), nullable=True),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('is_blocked', sa.Boolean(), nullable=False),
    sa.Column('block_reason', sa.String(length=500), nullable=True),
    sa.Column('block_message', sa.String(length=500), nullable=True),
    sa.Column('blocked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('total_earned', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("NOT stripe_onboarding_complete OR coalesce(stripe_account_status, '') = 'verified'", name=op.f('ck_affiliates_complete_means_verified')),
    sa.CheckConstraint("preferred_payout_type = 'fiat' OR wallet_address IS NOT NULL", name=op.f('ck_affiliates_crypto_needs_wallet')),
    sa.CheckConstraint('(stripe_account_status IS NULL) = (stripe_account_id IS NULL)', name=op.f('ck_affiliates_status_needs_account')),
    sa.CheckConstraint('length(code) BETWEEN 1 AND 64', name=op.f('ck_affiliates_code_length')),
    sa.CheckConstraint('total_earned >= 0', name=op.f('ck_affiliates_total_earned_not_negative')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_affiliates_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_affiliates')),
    sa.UniqueConstraint('code', name=op.f('uq_affiliates_code')),
    sa.UniqueConstraint('stripe_account_id', name=op.f('uq_affiliates_stripe_account_id')),
    sa.UniqueConstraint('user_id', name=op.f('uq_affiliates_user_id'))
    )
    op.create_table('identities',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('issuer', sa.String(length=500), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('is_email_verified', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_signed_in_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_identities_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_identities')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('uq_identities_issuer_subject'))
    )
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_identities_user_id'), ['user_id'], unique=False)

    op.create_table('operators',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=320), nullable=False),
    sa.Column('role', sa.String(length=32), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_operators_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operators')),
    sa.UniqueConstraint('provider', 'name', name=op.f('uq_operators_provider_name'))
    )
    with op.batch_alter_table('operators', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_operators_user_id'), ['user_id'], unique=False)

    op.create_table('earnings',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('affiliate_id', sa.Uuid(), nullable=False),
    sa.Column('reference', sa.String(length=255), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('description', sa.String(length=500), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('available_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('held', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount BETWEEN 1 AND 999999999999', name=op.f('ck_earnings_amount_bounds')),
    sa.CheckConstraint('held BETWEEN 0 AND amount', name=op.f('ck_earnings_held_bounds')),
    sa.ForeignKeyConstraint(['affiliate_id'], ['affiliates.id'], name=op.f('fk_earnings_affiliate_id_affiliates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_earnings')),
    sa.UniqueConstraint('reference', name=op.f('uq_earnings_reference'))
    )
    with op.batch_alter_table('earnings', schema=None) as batch_op:
        batch_op.create_index('ix_earnings_holds', ['affiliate_id', 'available_at'], unique=False, sqlite_where=sa.text('held > 0'), postgresql_where=sa.text('held > 0'))

    op.create_table('ledger_accounts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('affiliate_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('earned', 'on_hold', 'available', 'reserved', 'paid_out', 'owed', name='ledger_account_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('balance', sa.BigInteger(), nullable=False),
    sa.Column('last_entry_id', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("CASE WHEN kind IN ('earned', 'owed') THEN balance <= 0 ELSE balance >= 0 END", name=op.f('ck_ledger_accounts_balance_side')),
    sa.ForeignKeyConstraint(['affiliate_id'], ['affiliates.id'], name=op.f('fk_ledger_accounts_affiliate_id_affiliates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_accounts')),
    sa.UniqueConstraint('affiliate_id', 'kind', name=op.f('uq_ledger_accounts_affiliate_id_kind'))
    )
    op.create_table('payouts',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('affiliate_id', sa.Uuid(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('method', sa.Enum('fiat', 'crypto', name='payout_method', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('destination', sa.String(length=255), nullable=False),
    sa.Column('request_key', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Enum('requested', 'approved', 'held', 'processing', 'paid', 'failed', 'rejected', 'canceled', 'reversed', name='payout_status', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('hold_reason', sa.Enum('blocked', 'not_verified', 'account_changed', 'bank_changed', 'preference_changed', name='hold_reason', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('wait_reason', sa.Enum('funds', 'stripe_away', name='wait_reason', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('reason', sa.String(length=500), nullable=True),
    sa.Column('requested_by', sa.Uuid(), nullable=True),
    sa.Column('approved_by', sa.Uuid(), nullable=True),
    sa.Column('transfer_id', sa.String(length=255), nullable=True),
    sa.Column('amount_reversed', sa.BigInteger(), nullable=False),
    sa.Column('lease_owner', sa.String(length=64), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'held') = (hold_reason IS NOT NULL)", name=op.f('ck_payouts_held_has_reason')),
    sa.CheckConstraint("status NOT IN ('paid', 'reversed') OR (paid_at IS NOT NULL AND (method <> 'fiat' OR transfer_id IS NOT NULL))", name=op.f('ck_payouts_paid_has_transfer')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_payouts_amount_positive')),
    sa.CheckConstraint('amount_reversed BETWEEN 0 AND amount', name=op.f('ck_payouts_reversed_bounds')),
    sa.CheckConstraint('requested_by IS NULL OR approved_by IS NULL OR requested_by <> approved_by', name=op.f('ck_payouts_nobody_approves_their_own')),
    sa.ForeignKeyConstraint(['affiliate_id'], ['affiliates.id'], name=op.f('fk_payouts_affiliate_id_affiliates')),
    sa.ForeignKeyConstraint(['approved_by'], ['users.id'], name=op.f('fk_payouts_approved_by_users')),
    sa.ForeignKeyConstraint(['requested_by'], ['users.id'], name=op.f('fk_payouts_requested_by_users')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_payouts')),
    sa.UniqueConstraint('affiliate_id', 'request_key', name=op.f('uq_payouts_affiliate_id_request_key')),
    sa.UniqueConstraint('id', name=op.f('uq_payouts_id')),
    sa.UniqueConstraint('transfer_id', name=op.f('uq_payouts_transfer_id')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('payouts', schema=None) as batch_op:
        batch_op.create_index('ix_payouts_affiliate_id_number', ['affiliate_id', 'number'], unique=False)
        batch_op.create_index('ix_payouts_open', ['status', 'next_try_at'], unique=False, sqlite_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"), postgresql_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"))
        batch_op.create_index('uq_payouts_one_open', ['affiliate_id'], unique=True, sqlite_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"), postgresql_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"))

    op.create_table('sessions',
    sa.Column('token_sha256', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('identity_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['identity_id'], ['identities.id'], name=op.f('fk_sessions_identity_id_identities')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sessions_user_id_users')),
    sa.PrimaryKeyConstraint('token_sha256', name=op.f('pk_sessions'))
    )
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sessions_user_id'), ['user_id'], unique=False)

    op.create_table('stripe_accounts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('affiliate_id', sa.Uuid(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('idempotency_key', sa.String(length=255), nullable=False),
    sa.Column('parameters', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('open', 'succeeded', 'failed', 'parked', name='account_attempt_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('unresolved_tries', sa.Integer(), nullable=False),
    sa.Column('stripe_account_id', sa.String(length=255), nullable=True),
    sa.Column('error_code', sa.String(length=255), nullable=True),
    sa.Column('error_message', sa.String(length=500), nullable=True),
    sa.Column('first_sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disconnected_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'succeeded') = (stripe_account_id IS NOT NULL)", name=op.f('ck_stripe_accounts_succeeded_has_account')),
    sa.ForeignKeyConstraint(['affiliate_id'], ['affiliates.id'], name=op.f('fk_stripe_accounts_affiliate_id_affiliates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stripe_accounts')),
    sa.UniqueConstraint('affiliate_id', 'generation', name=op.f('uq_stripe_accounts_affiliate_id_generation')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_stripe_accounts_idempotency_key')),
    sa.UniqueConstraint('stripe_account_id', name=op.f('uq_stripe_accounts_stripe_account_id'))
    )
    with op.batch_alter_table('stripe_accounts', schema=None) as batch_op:
        batch_op.create_index('uq_stripe_accounts_one_not_failed', ['affiliate_id'], unique=True, sqlite_where=sa.text("state <> 'failed' AND disconnected_at IS NULL"), postgresql_where=sa.text("state <> 'failed' AND disconnected_at IS NULL"))

    op.create_table('ledger_entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('affiliate_id', sa.Uuid(), nullable=False),
    sa.Column('debit_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('credit_account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('kind', sa.Enum('earn', 'mature', 'pay_owed', 'reserve', 'settle', 'release', 'reverse', 'refund_on_hold', 'refund_available', 'refund_owed', name='ledger_entry_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('source', sa.String(length=32), nullable=False),
    sa.Column('reference', sa.String(length=600), nullable=False),
    sa.Column('payout_id', sa.Uuid(), nullable=True),
    sa.Column('earning_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(kind IN ('earn', 'mature', 'refund_on_hold')) = (earning_id IS NOT NULL)", name=op.f('ck_ledger_entries_earning_named')),
    sa.CheckConstraint("(kind IN ('reserve', 'settle', 'release', 'reverse')) = (payout_id IS NOT NULL)", name=op.f('ck_ledger_entries_payout_named')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_ledger_entries_amount_positive')),
    sa.CheckConstraint('debit_account_id <> credit_account_id', name=op.f('ck_ledger_entries_two_accounts')),
    sa.ForeignKeyConstraint(['affiliate_id'], ['affiliates.id'], name=op.f('fk_ledger_entries_affiliate_id_affiliates')),
    sa.ForeignKeyConstraint(['credit_account_id'], ['ledger_accounts.id'], name=op.f('fk_ledger_entries_credit_account_id_ledger_accounts')),
    sa.ForeignKeyConstraint(['debit_account_id'], ['ledger_accounts.id'], name=op.f('fk_ledger_entries_debit_account_id_ledger_accounts')),
    sa.ForeignKeyConstraint(['earning_id'], ['earnings.id'], name=op.f('fk_ledger_entries_earning_id_earnings')),
    sa.ForeignKeyConstraint(['payout_id'], ['payouts.id'], name=op.f('fk_ledger_entries_payout_id_payouts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entries')),
    sa.UniqueConstraint('kind', 'source', 'reference', name=op.f('uq_ledger_entries_kind_source_reference')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('ledger_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_entries_earning_id'), ['earning_id'], unique=False)
        batch_op.create_index('ix_ledger_entries_affiliate_id_id', ['affiliate_id', 'id'], unique=False)
        batch_op.create_index('uq_ledger_entries_one_end', ['payout_id'], unique=True, sqlite_where=sa.text("kind IN ('settle', 'release')"), postgresql_where=sa.text("kind IN ('settle', 'release')"))
        batch_op.create_index('uq_ledger_entries_one_reserve', ['payout_id'], unique=True, sqlite_where=sa.text("kind = 'reserve'"), postgresql_where=sa.text("kind = 'reserve'"))

    op.create_table('payout_attempts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('payout_id', sa.Uuid(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('idempotency_key', sa.String(length=255), nullable=False),
    sa.Column('parameters', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('open', 'succeeded', 'failed', 'parked', name='payout_attempt_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('unresolved_tries', sa.Integer(), nullable=False),
    sa.Column('transfer_id', sa.String(length=255), nullable=True),
    sa.Column('last_answer', sa.String(length=32), nullable=True),
    sa.Column('error_code', sa.String(length=255), nullable=True),
    sa.Column('error_message', sa.String(length=500), nullable=True),
    sa.Column('request_id', sa.String(length=255), nullable=True),
    sa.Column('first_sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'succeeded') = (transfer_id IS NOT NULL)", name=op.f('ck_payout_attempts_succeeded_has_transfer')),
    sa.CheckConstraint('unresolved_tries >= 0', name=op.f('ck_payout_attempts_unresolved_not_negative')),
    sa.ForeignKeyConstraint(['payout_id'], ['payouts.id'], name=op.f('fk_payout_attempts_payout_id_payouts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payout_attempts')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_payout_attempts_idempotency_key')),
    sa.UniqueConstraint('payout_id', 'generation', name=op.f('uq_payout_attempts_payout_id_generation')),
    sa.UniqueConstraint('transfer_id', name=op.f('uq_payout_attempts_transfer_id'))
    )
    with op.batch_alter_table('payout_attempts', schema=None) as batch_op:
        batch_op.create_index('uq_payout_attempts_one_not_failed', ['payout_id'], unique=True, sqlite_where=sa.text("state <> 'failed'"), postgresql_where=sa.text("state <> 'failed'"))
    begin()


def begin() -> None:
    """Name this installation, and let payout numbers begin where a short reference looks like one (P-1001)."""
    installation = sa.table(
        "installation", sa.column("one"), sa.column("id", sa.Uuid()), sa.column("created_at", sa.DateTime(timezone=True))
    )
    op.bulk_insert(installation, [{"one": 1, "id": uuid.uuid4(), "created_at": datetime.now(UTC)}])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('payouts', 1000)")
    else:
        op.execute("ALTER SEQUENCE payouts_number_seq RESTART WITH 1001")


def downgrade() -> None:
    with op.batch_alter_table('payout_attempts', schema=None) as batch_op:
        batch_op.drop_index('uq_payout_attempts_one_not_failed', sqlite_where=sa.text("state <> 'failed'"), postgresql_where=sa.text("state <> 'failed'"))

    op.drop_table('payout_attempts')
    with op.batch_alter_table('ledger_entries', schema=None) as batch_op:
        batch_op.drop_index('uq_ledger_entries_one_reserve', sqlite_where=sa.text("kind = 'reserve'"), postgresql_where=sa.text("kind = 'reserve'"))
        batch_op.drop_index('uq_ledger_entries_one_end', sqlite_where=sa.text("kind IN ('settle', 'release')"), postgresql_where=sa.text("kind IN ('settle', 'release')"))
        batch_op.drop_index('ix_ledger_entries_affiliate_id_id')

    op.drop_table('ledger_entries')
    with op.batch_alter_table('stripe_accounts', schema=None) as batch_op:
        batch_op.drop_index('uq_stripe_accounts_one_not_failed', sqlite_where=sa.text("state <> 'failed' AND disconnected_at IS NULL"), postgresql_where=sa.text("state <> 'failed' AND disconnected_at IS NULL"))

    op.drop_table('stripe_accounts')
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sessions_user_id'))

    op.drop_table('sessions')
    with op.batch_alter_table('payouts', schema=None) as batch_op:
        batch_op.drop_index('uq_payouts_one_open', sqlite_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"), postgresql_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"))
        batch_op.drop_index('ix_payouts_open', sqlite_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"), postgresql_where=sa.text("status IN ('requested', 'approved', 'held', 'processing')"))
        batch_op.drop_index('ix_payouts_affiliate_id_number')

    op.drop_table('payouts')
    op.drop_table('ledger_accounts')
    with op.batch_alter_table('earnings', schema=None) as batch_op:
        batch_op.drop_index('ix_earnings_holds', sqlite_where=sa.text('held > 0'), postgresql_where=sa.text('held > 0'))

    op.drop_table('earnings')
    with op.batch_alter_table('operators', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_operators_user_id'))

    op.drop_table('operators')
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_identities_user_id'))

    op.drop_table('identities')
    op.drop_table('affiliates')
    with op.batch_alter_table('webhook_events', schema=None) as batch_op:
        batch_op.drop_index('ix_webhook_events_waiting', sqlite_where=sa.text("state = 'received'"), postgresql_where=sa.text("state = 'received'"))
        batch_op.drop_index('ix_webhook_events_received_at')

    op.drop_table('webhook_events')
    op.drop_table('verification_runs')
    op.drop_table('users')
    op.drop_table('job_slots')
    op.drop_table('installation')
    with op.batch_alter_table('audit_log', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_log_subject')

    op.drop_table('audit_log')
    op.drop_table('api_tokens')

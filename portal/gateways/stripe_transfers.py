"""Where money goes at Stripe: transfers, their reversals, balances and bank payouts; and the list of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from portal.domain.attempts import StripeAnswer
from portal.gateways import bank_payout_facts as bank
from portal.gateways.stripe_line import StripeLine, made_since, of_account, once
from portal.gateways.transfer_facts import BalanceFacts, ReversalFacts, TransferFacts, transfer_facts


class StripeTransfersApi(StripeLine):
    """What is asked about money and its events."""

    def await_transfer(self) -> float:
        """Wait until a transfer may be made, so that `create_transfer` of the same thread leaves at once; for so many
        seconds. Raises StripeBusyError where that would take too long."""
        self._before_call()
        return self._transport.take_turn_ahead()

    def create_transfer(self, parameters: Mapping[str, Any], *, key: str) -> StripeAnswer:
        """Move money to a connected account. https://docs.stripe.com/api/transfers/create"""
        return self._answer(lambda: self._client.v1.transfers.create(cast(Any, parameters), once(key)))

    def transfers_in_group(self, group: str) -> list[TransferFacts]:
        """Every transfer of a group: the only question about the past that Stripe answers for ever.
        https://docs.stripe.com/api/transfers/list"""
        found = self._pages(self._client.v1.transfers.list, {"transfer_group": group})
        return [transfer_facts(transfer) for transfer in found]

    def transfers_since(self, since: datetime) -> Iterator[TransferFacts]:
        """Every transfer made since then, whoever made it, newest first; Stripe is asked as they are taken.
        https://docs.stripe.com/api/transfers/list"""
        for transfer in self._pages(self._client.v1.transfers.list, made_since(since)):
            yield transfer_facts(transfer)

    def events_since(
        self,
        since: datetime,
        *,
        types: Sequence[str],
        account_id: str | None = None,
        until: datetime | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The platform's own events of up to 20 types, or a connected account's, newest first; Stripe keeps them for
        30 days. https://docs.stripe.com/api/events/list"""
        asked = made_since(since, until) | {"types": list(types)}
        for event in self._pages(self._client.v1.events.list, asked, account_id=account_id):
            yield event.to_dict()

    def retrieve_transfer(self, transfer_id: str) -> TransferFacts:
        """One transfer. https://docs.stripe.com/api/transfers/retrieve"""
        return transfer_facts(self._ask(lambda: self._client.v1.transfers.retrieve(transfer_id)))

    def reversals_of(self, transfer_id: str) -> list[ReversalFacts]:
        """Every reversal of a transfer. https://docs.stripe.com/api/transfer_reversals/list"""
        listed = self._client.v1.transfers.reversals.list
        found = self._pages(lambda asked, options: listed(transfer_id, asked, options), {})
        return [ReversalFacts(reversal.id, reversal.amount) for reversal in found]

    def platform_balance(self) -> BalanceFacts:
        """What the platform can send, and what is on its way to it. https://docs.stripe.com/api/balance"""
        balance = self._ask(self._client.v1.balance.retrieve)
        return BalanceFacts(
            available={fund.currency: fund.amount for fund in balance.available},
            pending={fund.currency: fund.amount for fund in balance.pending},
        )

    def retrieve_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutFacts:
        """One payout of a connected account to its bank. https://docs.stripe.com/api/payouts/retrieve"""
        retrieve, asked = self._client.v1.payouts.retrieve, {"expand": ["failure_balance_transaction"]}
        payout = self._ask(
            lambda: retrieve(payout_id, cast(Any, asked), of_account(account_id)), is_key_at_stake=False
        )
        return bank.bank_payout_facts(account_id, payout)

    def bank_payouts_since(self, account_id: str, since: datetime) -> Iterator[bank.BankPayoutFacts]:
        """Every payout of an account to its bank since then, newest first. https://docs.stripe.com/api/payouts/list"""
        asked = made_since(since) | {"expand": ["data.failure_balance_transaction"]}
        for payout in self._pages(self._client.v1.payouts.list, asked, account_id=account_id):
            yield bank.bank_payout_facts(account_id, payout)

    def contents_of_bank_payout(self, account_id: str, payout_id: str) -> bank.BankPayoutContents:
        """What is in an itemised bank payout; of any other Stripe refuses to tell.
        https://docs.stripe.com/api/balance_transactions/list"""
        asked = {"payout": payout_id, "expand": ["data.source"]}
        found = self._pages(self._client.v1.balance_transactions.list, asked, account_id=account_id)
        return bank.bank_payout_contents(payout_id, found)

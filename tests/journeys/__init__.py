"""Journeys: what people live through from one end to the other, in a real browser or against the running portal.

Which test holds which of them; `tests/house/test_journeys.py` keeps the names true.

 1. First sign-in, preferences, Stripe and back; the badge turns by itself, is said once, and moves no focus:
    tests/journeys/test_becoming_paid.py::test_from_first_sign_in_to_paid
    tests/web/pages/test_in_browser.py::test_the_badge_turns_by_itself_without_moving_the_focus_and_is_said_once
 2. Back from Stripe without finishing: what is missing, in words, and a button that goes on there:
    tests/journeys/test_stripe_round_trip.py::test_leaving_stripe_unfinished_says_what_is_missing_and_goes_on_there
 3. An expired link is renewed once; the second time is a page, no loop:
    tests/journeys/test_stripe_round_trip.py::test_an_expired_link_is_renewed_once_and_then_asked_about
 4. Every status in its exact words, with one next step; the request page says the same:
    tests/web/pages/test_in_browser.py::test_the_dashboard_in_every_state_is_for_everybody
    tests/web/pages/test_payouts.py::test_who_cannot_be_paid_reads_why_and_what_helps_and_a_request_is_refused_in_the_same_words
    tests/journeys/test_stripe_round_trip.py::test_bad_news_comes_with_its_words_and_keeps_the_money
 5. A payout from the request by way of an operator and a run to the bank, with its day and its reference:
    tests/journeys/test_to_the_bank.py::test_a_payout_arrives_at_the_bank_and_comes_back
    tests/web/operator/test_in_browser.py::test_a_request_is_approved_from_the_overview_with_and_without_scripts
 6. A double click, the way back and a second tab make one payout:
    tests/journeys/test_asking_twice.py::test_a_double_click_the_way_back_and_the_same_form_again_lead_to_the_same_receipt
    tests/journeys/test_asking_twice.py::test_two_tabs_on_a_request_make_one_payout
 7. Amounts that are refused: the summary has the focus, leads to the field, and the title says “Error”:
    tests/journeys/test_refused_amounts.py::test_below_the_minimum_the_page_says_what_is_missing_and_wrong_amounts_are_said_at_the_field
    tests/web/pages/test_in_browser.py::test_a_payout_and_a_form_with_problems_are_for_everybody
    tests/web/pages/test_payouts.py::test_too_many_requests_say_when_to_ask_again
 8. Restricted between approval and run: held with its reason, and paid once after the fix:
    tests/journeys/test_held.py::test_restricted_after_approval_it_is_held_until_it_is_fixed_and_then_paid_once
 9. The platform's balance is short: whose problem it is, and paid once after the top-up:
    tests/journeys/test_short_of_funds.py::test_a_payout_that_the_balance_does_not_cover_waits_in_plain_words_and_is_paid_once_after_a_top_up
10. The bank sends a payout back: why, where the money is, what to do, and a mail:
    tests/journeys/test_to_the_bank.py::test_a_payout_arrives_at_the_bank_and_comes_back
    tests/web/pages/test_to_the_bank.py::test_returned_it_is_said_why_where_the_money_is_and_what_comes_next
11. An operator blocks with a message, which the affiliate reads; lifting the block restores everything:
    tests/journeys/test_held.py::test_blocked_with_a_message_after_approval_nothing_is_sent_until_the_block_is_gone
12. Many payouts decided at once, some of them ineligible, some decided by somebody faster:
    tests/web/operator/test_decisions_in_browser.py::test_many_are_approved_and_the_ineligible_and_the_stale_are_named
13. A run looked at, confirmed and followed; totals, who is skipped and why, a balance that is short:
    tests/web/operator/test_in_browser.py::test_a_run_is_confirmed_and_followed_with_and_without_scripts
    tests/web/operator/test_runs.py::test_the_preview_says_what_would_be_sent_what_is_there_and_what_stays
    tests/journeys/test_followed_run.py::test_a_run_goes_on_while_its_page_is_closed_and_shows_how_far_it_is_when_it_is_opened_again
14. Webhooks lost, doubled, out of order, forged, and done again; the log says what each did:
    tests/journeys/test_lost_webhook.py::test_what_a_lost_webhook_would_have_said_is_found_by_the_nightly_job
    tests/web/operator/test_webhooks.py::test_an_event_that_could_not_be_worked_on_waits_for_a_person_who_replays_it
    tests/web/operator/test_webhooks.py::test_the_page_says_what_is_heard_and_what_was_refused
    tests/journeys/test_webhook_log.py::test_an_event_that_comes_twice_is_one_line_and_one_that_nobody_signed_is_counted_alone
    tests/journeys/test_webhook_log.py::test_an_event_that_failed_is_found_from_the_overview_and_replayed
    tests/journeys/test_webhook_log.py::test_what_no_webhook_told_is_healed_by_a_verification_and_marked
15. The same without JavaScript, and with htmx lost on its way:
    tests/journeys/test_becoming_paid.py::test_the_same_way_without_htmx
    tests/web/operator/test_decisions_in_browser.py::test_many_are_approved_and_the_ineligible_and_the_stale_are_named
16. By keyboard alone, on a screen of 320 pixels, forth and back, and with a session that ends meanwhile:
    tests/journeys/test_by_keyboard.py::test_a_payout_is_requested_looked_at_and_canceled_by_keyboard_alone
    tests/web/pages/test_narrow_screens.py::test_long_words_and_amounts_fit_on_the_narrowest_screen
    tests/web/pages/test_in_browser.py::test_going_back_shows_the_page_before
    tests/journeys/test_signed_out_meanwhile.py::test_after_signing_in_again_the_form_is_there_with_what_was_typed
17. What is somebody else's is not there:
    tests/web/pages/test_payouts.py::test_somebody_elses_payout_is_not_there
    tests/web/pages/test_statements.py::test_what_is_not_ones_own_is_not_there
"""

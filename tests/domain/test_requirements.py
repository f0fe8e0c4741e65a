from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.accounts import RequirementError, Requirements
from portal.domain.requirements import PlainRequirement, plain_requirements
from tests.stripe_description.description import schema

ID_PHOTO = "A photo of your passport, driving licence or ID card"
BIRTH = "Your date of birth"
BANK = "A bank account to pay into"
ANYTHING_ELSE = "Some more details Stripe will ask you for"


def words_of(*fields: str) -> list[str]:
    return [plain.words for plain in plain_requirements(Requirements(currently_due=fields))]


def fault_of(code: str, *, reason: str = "") -> str | None:
    error = RequirementError("individual.verification.document", code, reason)
    [plain] = plain_requirements(Requirements(errors=(error,)))
    return plain.error


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("individual.verification.document", ID_PHOTO),
        ("person_1MqjB62eZvKYlo2C.verification.document", ID_PHOTO),
        ("representative.verification.document", ID_PHOTO),
        ("verification.document", ID_PHOTO),
        ("individual.verification.additional_document", "A second document, such as proof of your address"),
        ("individual.id_number", "Your tax or national ID number"),
        ("individual.ssn_last_4", "Your tax or national ID number"),
        ("individual.dob.day", BIRTH),
        ("person_1MqjB62eZvKYlo2C.dob.year", BIRTH),
        ("individual.address.line1", "Your home address"),
        ("representative.address.postal_code", "Your home address"),
        ("individual.first_name", "Your full name"),
        ("individual.last_name", "Your full name"),
        ("individual.email", "Your e-mail address"),
        ("person_1MqjB62eZvKYlo2C.phone", "Your phone number"),
        ("representative.relationship.title", "Who owns or runs the business"),
        ("person_1MqjB62eZvKYlo2C.relationship.percent_ownership", "Who owns or runs the business"),
        ("owners.first_name", "Who owns or runs the business"),
        ("directors.email", "Who owns or runs the business"),
        ("executives.dob.day", "Who owns or runs the business"),
        ("company.owners_provided", "Who owns or runs the business"),
        ("company.tax_id", "Your business registration or tax number"),
        ("company.registration_number", "Your business registration or tax number"),
        ("company.name", "Your business name, address or phone"),
        ("company.address.city", "Your business name, address or phone"),
        ("company.phone", "Your business name, address or phone"),
        ("company.verification.document", "A document that proves your business exists"),
        ("external_account", BANK),
        ("business_profile.url", "A short description of what you do, or your website"),
        ("business_profile.product_description", "A short description of what you do, or your website"),
        ("business_profile.mcc", "A short description of what you do, or your website"),
        ("business_profile.support_phone", "A support phone number"),
        ("tos_acceptance.date", "Your agreement to Stripe's terms"),
        ("tos_acceptance.ip", "Your agreement to Stripe's terms"),
        ("interv_1AbC.other_supportability_inquiry.support", "Stripe has a question about your account"),
        ("business_type", ANYTHING_ELSE),
        ("company.structure", ANYTHING_ELSE),
        ("business_profile.support_email", ANYTHING_ELSE),
        ("documents.bank_account_ownership_verification.files", ANYTHING_ELSE),
        ("settings.payments.statement_descriptor", ANYTHING_ELSE),
        ("a_field.nobody_has.seen", ANYTHING_ELSE),
        ("", ANYTHING_ELSE),
        ("person_.", ANYTHING_ELSE),
        ("[!*?]", ANYTHING_ELSE),
    ],
)
def test_a_field_reads(field: str, words: str) -> None:
    assert words_of(field) == [words]


def test_a_field_of_the_person_is_not_mistaken_for_one_of_the_company() -> None:
    assert words_of("individual.company.tax_id") == ["Your business registration or tax number"]
    assert words_of("my_company.tax_id") == [ANYTHING_ELSE]
    assert words_of("not_individual.dob.day") == [BIRTH]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("verification_document_expired", "the document you sent has expired"),
        ("verification_document_not_readable", "we need a clear colour photo of the original"),
        ("verification_document_failed_greyscale", "we need a clear colour photo of the original"),
        ("verification_document_failed_copy", "we need a clear colour photo of the original"),
        ("verification_document_missing_back", "the back was missing"),
        ("verification_document_missing_front", "the front was missing"),
        ("verification_document_name_mismatch", "the name does not match your account"),
        ("verification_failed_name_match", "the name does not match your account"),
        ("verification_failed_keyed_identity", "the name does not match your account"),
        ("verification_document_address_mismatch", "the address does not match your account"),
        ("verification_document_dob_mismatch", "the date of birth does not match your account"),
        ("verification_document_too_large", "the file was too large"),
        ("verification_document_type_not_supported", "this kind of document is not accepted"),
        ("verification_document_country_not_supported", "documents from that country are not accepted"),
        ("invalid_street_address", "use your home address, not a PO box"),
        ("invalid_address_private_mailbox", "use your home address, not a PO box"),
        ("invalid_tax_id", "the tax number is not valid"),
        ("invalid_tax_id_format", "the tax number is not valid"),
        ("invalid_url_website_incomplete_refund_policy", "your website could not be opened or is incomplete"),
        ("invalid_url_format", "your website could not be opened or is incomplete"),
    ],
)
def test_an_error_reads(code: str, fault: str) -> None:
    assert fault_of(code, reason="Stripe's own words") == fault


@pytest.mark.parametrize("code", ["verification_document_fraudulent", "verification_document_manipulated"])
def test_nobody_is_accused_of_forgery_even_where_stripe_says_so(code: str) -> None:
    assert fault_of(code, reason="The document is fraudulent.") == "Stripe could not accept the document"


#: Words that say of somebody what Stripe can only suspect.
ACCUSES = re.compile(
    r"fraud|forge|fake|manipulat|tamper|alter|cheat|lie[sd]?\b|false|crimin|suspic|sanction|denylist|stolen|deceiv",
    re.IGNORECASE,
)


@pytest.mark.parametrize("code", schema("account_requirements_error")["properties"]["code"]["enum"])
def test_every_code_of_stripes_has_words_of_our_own_that_accuse_nobody(code: str) -> None:
    fault = fault_of(code, reason="You sent a forged document.")
    assert fault is not None
    assert not ACCUSES.search(fault)
    assert "_" not in fault
    assert 15 < len(fault) < 120


def test_an_unknown_error_shows_stripes_own_reason() -> None:
    assert fault_of("invalid_something_new", reason="Please sign the form.") == "Please sign the form."


def test_an_unknown_error_without_a_reason_still_reads_as_a_sentence() -> None:
    assert fault_of("invalid_something_new") == "Stripe could not accept what you sent"


def test_what_is_past_due_comes_first_then_what_was_refused_then_what_is_currently_due() -> None:
    requirements = Requirements(
        past_due=("external_account",),
        errors=(RequirementError("individual.verification.document", "verification_document_expired", ""),),
        currently_due=("individual.email", "external_account"),
        eventually_due=("individual.phone",),
    )
    assert plain_requirements(requirements) == [
        PlainRequirement(BANK, None),
        PlainRequirement(ID_PHOTO, "the document you sent has expired"),
        PlainRequirement("Your e-mail address", None),
    ]


def test_fields_that_read_the_same_are_one_line() -> None:
    birth_of_two = ("individual.dob.day", "individual.dob.month", "person_1AbC.dob.day")
    assert words_of(*birth_of_two, "something.new", "something.newer") == [BIRTH, ANYTHING_ELSE]


def test_a_refusal_stays_on_the_line_of_what_is_past_due_and_is_said_once() -> None:
    document = "individual.verification.document"
    requirements = Requirements(
        past_due=(document,),
        errors=(
            RequirementError(document, "verification_document_missing_back", ""),
            RequirementError(document, "verification_document_missing_back", ""),
            RequirementError(document, "verification_document_expired", ""),
        ),
        currently_due=(document,),
    )
    assert plain_requirements(requirements) == [
        PlainRequirement(ID_PHOTO, "the back was missing; the document you sent has expired")
    ]


def test_nothing_wanted_is_nothing_to_do() -> None:
    waiting = Requirements(
        pending_verification=("individual.id_number",), eventually_due=("individual.phone",)
    )
    assert plain_requirements(waiting) == []


fields = st.lists(st.text(max_size=40), max_size=5).map(tuple)
errors = st.builds(RequirementError, requirement=st.text(), code=st.text(), reason=st.text())


@given(
    st.builds(
        Requirements, past_due=fields, currently_due=fields, errors=st.lists(errors, max_size=4).map(tuple)
    )
)
def test_whatever_stripe_names_every_line_is_said_once_and_every_refusal_is_said(
    requirements: Requirements,
) -> None:
    plain = plain_requirements(requirements)
    assert len({line.words for line in plain}) == len(plain)
    assert all(line.words for line in plain)
    assert any(line.error for line in plain) == bool(requirements.errors)
    assert bool(plain) == bool(requirements.past_due or requirements.currently_due or requirements.errors)

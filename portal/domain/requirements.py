"""What Stripe still wants, in words that an affiliate can act on.

Stripe names fields (`individual.verification.document`) and error codes; both lists are open, so whatever
nobody has seen yet still reads as a sentence.
https://docs.stripe.com/connect/handling-api-verification
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from portal.domain.accounts import RequirementError, Requirements

_HOME_ADDRESS = "Your home address"
_BUSINESS_CONTACT = "Your business name, address or phone"
_BUSINESS_NUMBER = "Your business registration or tax number"
_WHAT_YOU_DO = "A short description of what you do, or your website"
_OWNERS = "Who owns or runs the business"
_ANYTHING_ELSE = "Some more details Stripe will ask you for"

#: Whose field it is does not matter to the one who reads it.
_WHOSE = re.compile(r"\A(?:person_[^.]*|individual|representative)\.")

#: pattern of a field without its prefix -> words; the first match counts.
_WORDS: Mapping[str, str] = {
    "company.verification.document": "A document that proves your business exists",
    "company.tax_id": _BUSINESS_NUMBER,
    "company.registration_number": _BUSINESS_NUMBER,
    "company.name": _BUSINESS_CONTACT,
    "company.address.*": _BUSINESS_CONTACT,
    "company.phone": _BUSINESS_CONTACT,
    "company.*_provided": _OWNERS,
    "company.*": _ANYTHING_ELSE,
    "business_profile.url": _WHAT_YOU_DO,
    "business_profile.product_description": _WHAT_YOU_DO,
    "business_profile.mcc": _WHAT_YOU_DO,
    "business_profile.support_phone": "A support phone number",
    "business_profile.*": _ANYTHING_ELSE,
    "external_account": "A bank account to pay into",
    "tos_acceptance.*": "Your agreement to Stripe's terms",
    "interv_*": "Stripe has a question about your account",
    "owners.*": _OWNERS,
    "directors.*": _OWNERS,
    "executives.*": _OWNERS,
    "relationship.*": _OWNERS,
    "*.relationship.*": _OWNERS,
    "verification.document": "A photo of your passport, driving licence or ID card",
    "*.verification.document": "A photo of your passport, driving licence or ID card",
    "verification.additional_document": "A second document, such as proof of your address",
    "*.verification.additional_document": "A second document, such as proof of your address",
    "id_number": "Your tax or national ID number",
    "*.id_number": "Your tax or national ID number",
    "ssn_last_4": "Your tax or national ID number",
    "*.ssn_last_4": "Your tax or national ID number",
    "dob.*": "Your date of birth",
    "*.dob.*": "Your date of birth",
    "address.*": _HOME_ADDRESS,
    "*.address.*": _HOME_ADDRESS,
    "first_name": "Your full name",
    "*.first_name": "Your full name",
    "last_name": "Your full name",
    "*.last_name": "Your full name",
    "email": "Your e-mail address",
    "*.email": "Your e-mail address",
    "phone": "Your phone number",
    "*.phone": "Your phone number",
}

_NO_ACCUSATION = "Stripe could not accept the document"
_CLEAR_PHOTO = "we need a clear colour photo of the original"
_OTHER_NAME = "the name does not match your account"
_NO_PO_BOX = "use your home address, not a PO box"

_MISSING_DATA = "something on the document is missing or can't be seen"
_OTHER_DATA = "what you entered does not match Stripe's records or your documents"
_TRY_ANOTHER = "the document could not be read or is not complete: send another file or another document"
_OTHER_PEOPLE = "the people named do not match the documents of the business"
_DESCRIPTOR = "the name on bank statements is too long, too short or not your business's"

#: pattern of an error code -> what went wrong; the first match counts. Nobody is accused, whatever Stripe suspects:
#: an honest person is refused by mistake too. Codes that nobody has seen show Stripe's own reason.
_FAULTS: Mapping[str, str] = {
    "*_fraudulent": _NO_ACCUSATION,
    "*_manipulated": _NO_ACCUSATION,
    "verification_document_expired": "the document you sent has expired",
    "*_not_readable": _CLEAR_PHOTO,
    "*_failed_greyscale": _CLEAR_PHOTO,
    "*_failed_copy": _CLEAR_PHOTO,
    "*_missing_back": "the back was missing",
    "*_missing_front": "the front was missing",
    "*_name_mismatch": _OTHER_NAME,
    "verification_failed_name_match": _OTHER_NAME,
    "verification_failed_keyed_identity": _OTHER_NAME,
    "*_address_mismatch": "the address does not match your account",
    "*_dob_mismatch": "the date of birth does not match your account",
    "*_too_large": "the file was too large",
    "*_not_uploaded": "the file did not arrive",
    "*_nationality_mismatch": "the nationality does not match your account",
    "*_id_number_mismatch": "the number on the document does not match your account",
    "*_photo_mismatch": "the photo could not be matched with the document",
    "verification_document_directors_mismatch": _OTHER_PEOPLE,
    "*_address_missing": _MISSING_DATA,
    "*_id_number_missing": _MISSING_DATA,
    "*_date_missing": _MISSING_DATA,
    "*_name_missing": _MISSING_DATA,
    "*_not_signed": "the document is not signed",
    "*_duplicate_type": "two different kinds of document are needed",
    "*_failed_test_mode": "in test mode Stripe takes its own test documents only",
    "verification_document_corrupt": _TRY_ANOTHER,
    "verification_document_failed_other": _TRY_ANOTHER,
    "verification_document_incomplete": _TRY_ANOTHER,
    "verification_document_invalid": _TRY_ANOTHER,
    "*_type_not_supported": "this kind of document is not accepted",
    "*_country_not_supported": "documents from that country are not accepted",
    "invalid_street_address": _NO_PO_BOX,
    "invalid_address_*": _NO_PO_BOX,
    "invalid_tax_id*": "the tax number is not valid",
    "invalid_url_*": "your website could not be opened or is incomplete",
    "invalid_dob_*": "the date of birth is not one that Stripe accepts",
    "invalid_business_profile_name*": "the business name is not one that Stripe accepts",
    "invalid_company_name*": "the business name is not one that Stripe accepts",
    "invalid_product_description_*": "describe what you do in a full sentence, not by an address alone",
    "invalid_representative_country": "the representative must live in the country of the account",
    "invalid_signator": "it must be signed by somebody who may sign for the business",
    "invalid_statement_descriptor_*": _DESCRIPTOR,
    "invalid_tos_acceptance": "Stripe's terms have to be agreed to again",
    "invalid_value_other": "what was entered is not complete or not in the right form",
    "unsupported_business_type": "this kind of business is not supported in your country",
    "verification_failed_address_match": "the address does not match Stripe's records",
    "verification_failed_residential_address": _NO_PO_BOX,
    "verification_failed_*_authority": "it is not clear that this person may act for the business",
    "verification_failed_tax_id_*": "the tax number does not match the business's name",
    "verification_failed_*": _OTHER_DATA,
    "verification_directors_mismatch": _OTHER_PEOPLE,
    "verification_extraneous_directors": _OTHER_PEOPLE,
    "verification_missing_*": "somebody who owns or runs the business is not named yet",
    "verification_legal_entity_structure_mismatch": "the kind of business does not match its documents",
    "verification_rejected_ownership_exemption_reason": "who owns the business has to be named after all",
    "verification_requires_additional_*": "a further document of the business is needed",
    "verification_supportability": "Stripe has a question about what you do",
    "external_request": "a partner of Stripe's asks for it",
    "information_missing": "something is still missing",
}

_NO_REASON_GIVEN = "Stripe could not accept what you sent"


@dataclass(frozen=True)
class PlainRequirement:
    """One thing to give to Stripe, and what was wrong with it the last time."""

    words: str
    error: str | None


def plain_requirements(requirements: Requirements) -> list[PlainRequirement]:
    """What to do, the most pressing first: what is past due, refused, then currently due. Fields
    that read the same are one line, which carries everything that was wrong with any of them."""
    refused = [error.requirement for error in requirements.errors]
    faults: dict[str, list[str]] = {}
    for field in (*requirements.past_due, *refused, *requirements.currently_due):
        faults.setdefault(_words_for(field), [])
    for error in requirements.errors:
        found, fault = faults[_words_for(error.requirement)], _fault_of(error)
        if fault not in found:
            found.append(fault)
    return [PlainRequirement(words, "; ".join(found) or None) for words, found in faults.items()]


def _words_for(field: str) -> str:
    bare = _WHOSE.sub("", field)
    return next((words for pattern, words in _WORDS.items() if fnmatchcase(bare, pattern)), _ANYTHING_ELSE)


def _fault_of(error: RequirementError) -> str:
    known = (fault for pattern, fault in _FAULTS.items() if fnmatchcase(error.code, pattern))
    return next(known, error.reason or _NO_REASON_GIVEN)

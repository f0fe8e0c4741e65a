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
from portal.domain.sentences import Sentence

_HOME_ADDRESS = Sentence("Your home address")
_BUSINESS_CONTACT = Sentence("Your business name, address or phone")
_BUSINESS_NUMBER = Sentence("Your business registration or tax number")
_WHAT_YOU_DO = Sentence("A short description of what you do, or your website")
_OWNERS = Sentence("Who owns or runs the business")
_ANYTHING_ELSE = Sentence("Some more details Stripe will ask you for")

#: Whose field it is does not matter to the one who reads it.
_WHOSE = re.compile(r"\A(?:person_[^.]*|individual|representative)\.")

#: pattern of a field without its prefix -> words; the first match counts.
_WORDS: Mapping[str, str] = {
    "company.verification.document": Sentence("A document that proves your business exists"),
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
    "business_profile.support_phone": Sentence("A support phone number"),
    "business_profile.*": _ANYTHING_ELSE,
    "external_account": Sentence("A bank account to pay into"),
    "tos_acceptance.*": Sentence("Your agreement to Stripe's terms"),
    "interv_*": Sentence("Stripe has a question about your account"),
    "owners.*": _OWNERS,
    "directors.*": _OWNERS,
    "executives.*": _OWNERS,
    "relationship.*": _OWNERS,
    "*.relationship.*": _OWNERS,
    "verification.document": Sentence("A photo of your passport, driving licence or ID card"),
    "*.verification.document": Sentence("A photo of your passport, driving licence or ID card"),
    "verification.additional_document": Sentence("A second document, such as proof of your address"),
    "*.verification.additional_document": Sentence("A second document, such as proof of your address"),
    "id_number": Sentence("Your tax or national ID number"),
    "*.id_number": Sentence("Your tax or national ID number"),
    "ssn_last_4": Sentence("Your tax or national ID number"),
    "*.ssn_last_4": Sentence("Your tax or national ID number"),
    "dob.*": Sentence("Your date of birth"),
    "*.dob.*": Sentence("Your date of birth"),
    "address.*": _HOME_ADDRESS,
    "*.address.*": _HOME_ADDRESS,
    "first_name": Sentence("Your full name"),
    "*.first_name": Sentence("Your full name"),
    "last_name": Sentence("Your full name"),
    "*.last_name": Sentence("Your full name"),
    "email": Sentence("Your e-mail address"),
    "*.email": Sentence("Your e-mail address"),
    "phone": Sentence("Your phone number"),
    "*.phone": Sentence("Your phone number"),
}

_NO_ACCUSATION = Sentence("Stripe could not accept the document")
_CLEAR_PHOTO = Sentence("we need a clear colour photo of the original")
_OTHER_NAME = Sentence("the name does not match your account")
_NO_PO_BOX = Sentence("use your home address, not a PO box")

_MISSING_DATA = Sentence("something on the document is missing or can't be seen")
_OTHER_DATA = Sentence("what you entered does not match Stripe's records or your documents")
_TRY_ANOTHER = Sentence(
    "the document could not be read or is not complete: send another file or another document"
)
_OTHER_PEOPLE = Sentence("the people named do not match the documents of the business")
_DESCRIPTOR = Sentence("the name on bank statements is too long, too short or not your business's")

#: pattern of an error code -> what went wrong; the first match counts. Nobody is accused, whatever Stripe suspects:
#: an honest person is refused by mistake too. Codes that nobody has seen show Stripe's own reason.
_FAULTS: Mapping[str, str] = {
    "*_fraudulent": _NO_ACCUSATION,
    "*_manipulated": _NO_ACCUSATION,
    "verification_document_expired": Sentence("the document you sent has expired"),
    "*_not_readable": _CLEAR_PHOTO,
    "*_failed_greyscale": _CLEAR_PHOTO,
    "*_failed_copy": _CLEAR_PHOTO,
    "*_missing_back": Sentence("the back was missing"),
    "*_missing_front": Sentence("the front was missing"),
    "*_name_mismatch": _OTHER_NAME,
    "verification_failed_name_match": _OTHER_NAME,
    "verification_failed_keyed_identity": _OTHER_NAME,
    "*_address_mismatch": Sentence("the address does not match your account"),
    "*_dob_mismatch": Sentence("the date of birth does not match your account"),
    "*_too_large": Sentence("the file was too large"),
    "*_not_uploaded": Sentence("the file did not arrive"),
    "*_nationality_mismatch": Sentence("the nationality does not match your account"),
    "*_id_number_mismatch": Sentence("the number on the document does not match your account"),
    "*_photo_mismatch": Sentence("the photo could not be matched with the document"),
    "verification_document_directors_mismatch": _OTHER_PEOPLE,
    "*_address_missing": _MISSING_DATA,
    "*_id_number_missing": _MISSING_DATA,
    "*_date_missing": _MISSING_DATA,
    "*_name_missing": _MISSING_DATA,
    "*_not_signed": Sentence("the document is not signed"),
    "*_duplicate_type": Sentence("two different kinds of document are needed"),
    "*_failed_test_mode": Sentence("in test mode Stripe takes its own test documents only"),
    "verification_document_corrupt": _TRY_ANOTHER,
    "verification_document_failed_other": _TRY_ANOTHER,
    "verification_document_incomplete": _TRY_ANOTHER,
    "verification_document_invalid": _TRY_ANOTHER,
    "*_type_not_supported": Sentence("this kind of document is not accepted"),
    "*_country_not_supported": Sentence("documents from that country are not accepted"),
    "invalid_street_address": _NO_PO_BOX,
    "invalid_address_*": _NO_PO_BOX,
    "invalid_tax_id*": Sentence("the tax number is not valid"),
    "invalid_url_*": Sentence("your website could not be opened or is incomplete"),
    "invalid_dob_*": Sentence("the date of birth is not one that Stripe accepts"),
    "invalid_business_profile_name*": Sentence("the business name is not one that Stripe accepts"),
    "invalid_company_name*": Sentence("the business name is not one that Stripe accepts"),
    "invalid_product_description_*": Sentence(
        "describe what you do in a full sentence, not by an address alone"
    ),
    "invalid_representative_country": Sentence("the representative must live in the country of the account"),
    "invalid_signator": Sentence("it must be signed by somebody who may sign for the business"),
    "invalid_statement_descriptor_*": _DESCRIPTOR,
    "invalid_tos_acceptance": Sentence("Stripe's terms have to be agreed to again"),
    "invalid_value_other": Sentence("what was entered is not complete or not in the right form"),
    "unsupported_business_type": Sentence("this kind of business is not supported in your country"),
    "verification_failed_address_match": Sentence("the address does not match Stripe's records"),
    "verification_failed_residential_address": _NO_PO_BOX,
    "verification_failed_*_authority": Sentence("it is not clear that this person may act for the business"),
    "verification_failed_tax_id_*": Sentence("the tax number does not match the business's name"),
    "verification_failed_*": _OTHER_DATA,
    "verification_directors_mismatch": _OTHER_PEOPLE,
    "verification_extraneous_directors": _OTHER_PEOPLE,
    "verification_missing_*": Sentence("somebody who owns or runs the business is not named yet"),
    "verification_legal_entity_structure_mismatch": Sentence(
        "the kind of business does not match its documents"
    ),
    "verification_rejected_ownership_exemption_reason": Sentence(
        "who owns the business has to be named after all"
    ),
    "verification_requires_additional_*": Sentence("a further document of the business is needed"),
    "verification_supportability": Sentence("Stripe has a question about what you do"),
    "external_request": Sentence("a partner of Stripe's asks for it"),
    "information_missing": Sentence("something is still missing"),
}

_NO_REASON_GIVEN = Sentence("Stripe could not accept what you sent")


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
    return [PlainRequirement(words, _together(found)) for words, found in faults.items()]


def as_requirement(kept: str) -> Sentence:
    """A line of which only the text was kept: `words`, or `words – fault; fault`."""
    words, dash, faults = kept.partition(" – ")
    if not dash:
        return Sentence(words)
    each = tuple(Sentence(fault) for fault in faults.split("; "))
    return Sentence("{words} – {faults}", words=Sentence(words), faults=each)


def _together(faults: list[str]) -> str | None:
    if len(faults) < 2:
        return faults[0] if faults else None
    return Sentence("{faults}", faults=tuple(faults))


def _words_for(field: str) -> str:
    bare = _WHOSE.sub("", field)
    return next((words for pattern, words in _WORDS.items() if fnmatchcase(bare, pattern)), _ANYTHING_ELSE)


def _fault_of(error: RequirementError) -> str:
    known = (fault for pattern, fault in _FAULTS.items() if fnmatchcase(error.code, pattern))
    return next(known, error.reason or _NO_REASON_GIVEN)

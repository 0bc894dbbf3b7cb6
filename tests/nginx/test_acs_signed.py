"""Who signed with what: `require_signed`, `signature_algorithms`, keys of the metadata and other keys."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey
from sallyport_testing.keys import KeyStore
from sallyport_testing.refusals import LOG_FORMAT, Refusals
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import Edit, added, at, attribute, behind, fragment, removed, text
from sallyport_testing.xml_signature import sign as sign_element


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    """The site with defaults, for cases that need no configuration."""
    with running_site(tmp_path_factory.mktemp("signed"), keys) as started:
        yield started


@pytest.fixture(scope="module")
def refusals(running: SamlSite) -> Refusals:
    return Refusals(running)


# require_signed

SATISFIED = {
    "any": {"assertion", "response", "both"},
    "response": {"response", "both"},
    "assertion": {"assertion", "both"},
    "both": {"both"},
}


@pytest.mark.parametrize("required", SATISFIED)
def test_require_signed(site: SamlSite, required: str) -> None:
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(idp_block=f"metadata {metadata}; require_signed {required};", http=LOG_FORMAT)
    refusals = Refusals(site)
    for sign in ("assertion", "response", "both"):
        if sign in SATISFIED[required]:
            assert site.login(Browser(), sign=sign).status == 200, sign
        else:
            refusal = refusals.answer(Browser(), sign=sign)
            assert refusal.reason == "signature_missing", refusal.line
            assert "is not signed" in refusal.line
    assert refusals.answer(Browser(), sign="none").reason == "signature_missing"


def test_sig_none(refusals: Refusals, browser: Browser) -> None:
    refusal = refusals.answer(browser, sign="none")
    assert refusal.reason == "signature_missing"
    assert "neither the Response nor the Assertion is signed" in refusal.line


EMPTY_SIGNATURES = {
    "empty": "<ds:Signature/>",
    "empty_parts": "<ds:Signature><ds:SignedInfo/><ds:SignatureValue/></ds:Signature>",
    "value_alone": "<ds:Signature><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>",
}


@pytest.mark.parametrize("path", ["", "saml:Assertion"], ids=["response", "assertion"])
@pytest.mark.parametrize("shape", EMPTY_SIGNATURES)
def test_sig_none_empty(refusals: Refusals, shape: str, path: str) -> None:
    """An element that is called Signature is none; nor does it stand in for the other one, which is missing."""

    def add(root: object) -> None:
        at(root, f"{path}/saml:Issuer".removeprefix("/")).addnext(fragment(EMPTY_SIGNATURES[shape]))

    for sign in ("none", "response" if path else "assertion"):
        refusal = refusals.answer(Browser(), sign=sign, mutate_before_sign=add)
        assert refusal.reason == "signature_malformed", refusal.line


def test_every_signature_that_is_there_must_hold(refusals: Refusals, keys: KeyStore) -> None:
    """Both parts are signed, and one of the signatures is another key's or broken."""
    other = keys.get("attacker")

    def resigned(root: object) -> None:
        sign_element(root, other)

    refusal = refusals.answer(Browser(), sign="assertion", mutate_after_sign=resigned)
    assert refusal.reason == "signature_invalid" and "signature of the Response" in refusal.line

    def assertion_by_other(root: object) -> None:
        sign_element(at(root, "saml:Assertion"), other)

    refusal = refusals.answer(Browser(), sign="response", mutate_before_sign=assertion_by_other)
    assert refusal.reason == "signature_invalid" and "signature of the Assertion" in refusal.line


# signature_algorithms

REFUSED_BY_DEFAULT = [
    ("rsa2048", names.RSA_SHA1, names.SHA256),
    ("rsa2048", names.RSA_SHA256, names.SHA1),
    ("rsa2048", names.RSA_SHA1, names.SHA1),
    ("ec256", names.ECDSA_SHA1, names.SHA1),
    ("ec256", names.ECDSA_SHA256, names.SHA1),
]


def short(value: object) -> str:
    return str(value).rpartition("#")[2]


@pytest.mark.parametrize(("kind", "algorithm", "digest"), REFUSED_BY_DEFAULT, ids=short)
def test_sig_downgrade_sha1_only_where_it_is_named(
    site: SamlSite, keys: KeyStore, kind: str, algorithm: str, digest: str
) -> None:
    site.idp.key = keys.get("idp", kind)
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    named = {names.RSA_SHA1: "rsa-sha1", names.ECDSA_SHA1: "ecdsa-sha1"}.get(algorithm)
    answer = {"signature_algorithm": algorithm, "digest_algorithm": digest, "sign": "both"}
    site.start(idp_block=f"metadata {metadata};", http=LOG_FORMAT)
    refusal = Refusals(site).answer(Browser(), **answer)
    assert refusal.reason == "algorithm_not_allowed", refusal.line
    if named is None:
        return
    site.configure(idp_block=f"metadata {metadata}; signature_algorithms {named};", http=LOG_FORMAT)
    site.nginx.reload()
    assert site.login(Browser(), **answer).status == 200
    refusal = Refusals(site).answer(Browser(), sign="assertion")
    assert refusal.reason == "algorithm_not_allowed", "only what is named is allowed"


@pytest.mark.parametrize("allowed", ["rsa-pss-sha256", "ecdsa-sha384 rsa-sha512"])
def test_only_named_algorithms(site: SamlSite, keys: KeyStore, allowed: str) -> None:
    made_with = {
        "rsa-sha256": ("rsa2048", names.RSA_SHA256, names.SHA256),
        "rsa-sha512": ("rsa2048", names.RSA_SHA512, names.SHA512),
        "rsa-pss-sha256": ("rsa2048", names.PSS_SHA256, names.SHA256),
        "ecdsa-sha256": ("ec256", names.ECDSA_SHA256, names.SHA256),
        "ecdsa-sha384": ("ec384", names.ECDSA_SHA384, names.SHA384),
    }
    listed = [MetadataKey(keys.get("idp", kind)) for kind in ("rsa2048", "ec256", "ec384")]
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml", keys=listed)
    site.start(idp_block=f"metadata {metadata}; signature_algorithms {allowed};", http=LOG_FORMAT)
    refusals = Refusals(site)
    for name, (kind, algorithm, digest) in made_with.items():
        answer = {
            "key": keys.get("idp", kind), "signature_algorithm": algorithm, "digest_algorithm": digest,
        }  # fmt: skip
        if name in allowed.split():
            assert site.login(Browser(), **answer).status == 200, name
        else:
            assert refusals.answer(Browser(), **answer).reason == "algorithm_not_allowed", name


# Keys


def test_sig_wrongkey_of_another_idp_of_the_same_server(site: SamlSite, keys: KeyStore) -> None:
    other = keys.get("other-idp")
    site.start(
        http=LOG_FORMAT + f"""
        saml_idp other {{
            entity_id https://other-idp.example.com/; sso_url https://other-idp.example.com/sso;
            certificate {other.certificate_file};
        }}""",
        locations="location /other/ { auth_saml other; proxy_pass http://%%upstream%%; }",
    )
    assert Refusals(site).answer(Browser(), key=other).reason == "signature_invalid"


@pytest.mark.parametrize("signs_requests", ["on", "off"])
def test_sig_wrongkey_our_own(site: SamlSite, keys: KeyStore, signs_requests: str) -> None:
    ours = keys.get("sp")
    site.start(
        http=LOG_FORMAT,
        server=f"saml_certificate {ours.certificate_file}; saml_certificate_key {ours.key_file};"
        f" saml_sign_requests {signs_requests};",
    )
    assert Refusals(site).answer(Browser(), key=ours).reason == "signature_invalid"


def test_sig_wrongkey_for_encryption(site: SamlSite, keys: KeyStore) -> None:
    encryption = keys.get("idp-encryption")
    listed = [MetadataKey(site.idp.key), MetadataKey(encryption, "encryption")]
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml", keys=listed)
    site.start(idp_block=f"metadata {metadata};", http=LOG_FORMAT)
    assert Refusals(site).answer(Browser(), key=encryption).reason == "signature_invalid"


def test_key_roll(site: SamlSite, keys: KeyStore) -> None:
    """Two keys, then the new one only: the old one counts no more in any worker."""
    old, new = keys.get("idp"), keys.get("idp-next")
    metadata = site.nginx.folder / "idp.xml"
    site.idp.write_metadata(metadata, keys=[MetadataKey(old), MetadataKey(new)])
    site.start(idp_block=f"metadata {metadata};", http=LOG_FORMAT)
    for key in (old, new):
        assert site.login(Browser(), key=key).status == 200
    begun = Browser()
    request = site.idp.read_request(begun.get(site.url("/begun")))
    site.idp.write_metadata(metadata, keys=[MetadataKey(new)])
    site.nginx.reload()
    refusals = Refusals(site)
    assert refusals.message(begun, site.idp.answer(request, key=old).form).reason == "signature_invalid"
    for _ in range(4):
        assert refusals.answer(Browser(), key=old).reason == "signature_invalid"
    assert site.login(Browser(), key=new).status == 200


def test_sig_wrongkey_expired_is_still_the_key(site: SamlSite, keys: KeyStore) -> None:
    expired = keys.get("idp-expired", not_after=datetime.timedelta(hours=-1), not_before=datetime.timedelta(days=-9))
    site.idp.key = expired
    site.start()
    assert site.login(Browser()).echo().header("X-SSO-User") == "student@example.com"


# What was signed is what is read


TAMPERED = {
    "name_id": text("saml:Assertion/saml:Subject/saml:NameID", "admin@example.com"),
    "attribute": text("saml:Assertion/saml:AttributeStatement/saml:Attribute/saml:AttributeValue", "admin"),
    "audience": text("saml:Assertion/saml:Conditions/saml:AudienceRestriction/saml:Audience", "https://x/"),
    "conditions_removed": removed("saml:Assertion/saml:Conditions"),
    "value": text("saml:Assertion/ds:Signature/ds:SignatureValue", "AAAA"),
    "digest": text(
        "saml:Assertion/ds:Signature/ds:SignedInfo/ds:Reference/ds:DigestValue",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("sign", ["assertion", "both"])
def test_sig_tamper_fields(refusals: Refusals, browser: Browser, sign: str, what: str) -> None:
    refusal = refusals.answer(browser, sign=sign, mutate_after_sign=TAMPERED[what])
    assert refusal.reason == "signature_invalid", refusal.line


@pytest.mark.parametrize("path", ["samlp:Status/samlp:StatusCode", "saml:Issuer", "saml:Assertion/saml:Subject"])
def test_sig_tamper_response_is_signed_whole(refusals: Refusals, browser: Browser, path: str) -> None:
    refusal = refusals.answer(browser, sign="response", mutate_after_sign=attribute(path, "note", "x"))
    assert refusal.reason == "signature_invalid"


# Where only the Assertion is signed, what stands around it can refuse, and no more.


UNSIGNED = {
    "issuer": (text("saml:Issuer", "https://other-idp.example.com/metadata"), "issuer_mismatch"),
    "issuer_format": (attribute("saml:Issuer", "Format", names.EMAIL), "issuer_mismatch"),
    "destination": (attribute("", "Destination", "https://other.example.com/saml/acs"), "destination_mismatch"),
    "in_response_to": (attribute("", "InResponseTo", "_other"), "in_response_to_mismatch"),
    "no_in_response_to": (attribute("", "InResponseTo", None), "in_response_to_mismatch"),
    "status": (attribute("samlp:Status/samlp:StatusCode", "Value", names.RESPONDER), "status_not_success"),
    "no_status": (removed("samlp:Status"), "structure_invalid"),
    "version": (attribute("", "Version", "1.1"), "version_mismatch"),
    "instant": (attribute("", "IssueInstant", "2020-01-01T00:00:00Z"), "lifetime_too_long"),
    "no_instant": (attribute("", "IssueInstant", None), "structure_invalid"),
    "no_id": (attribute("", "ID", None), "structure_invalid"),
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_assert_only_sig(refusals: Refusals, browser: Browser, what: str) -> None:
    edit, reason = UNSIGNED[what]
    refusal = refusals.answer(browser, sign="assertion", mutate_after_sign=edit)
    assert refusal.reason == reason, refusal.line


CLAIMS = """
<samlp:Extensions xmlns:c="urn:x"><c:NameID>admin</c:NameID>
<saml:NameID>admin</saml:NameID><saml:Attribute Name="groups"><saml:AttributeValue>root</saml:AttributeValue>
</saml:Attribute><saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue>root
</saml:AttributeValue></saml:Attribute></saml:AttributeStatement><saml:AuthnStatement SessionIndex="evil"/>
</samlp:Extensions>"""


@pytest.mark.parametrize(
    "edit",
    [
        behind("saml:Issuer", CLAIMS),
        added("samlp:Status", CLAIMS.replace("samlp:Extensions", "samlp:StatusDetail")),
        added("samlp:Status", "<samlp:StatusMessage>admin</samlp:StatusMessage>"),
        attribute("", "Consent", "urn:x:admin"),
    ],
    ids=["extensions", "status_detail", "status_message", "consent"],
)
def test_assert_only_sig_claims_around_it_count_for_nothing(running: SamlSite, edit: Edit) -> None:
    """Names and attributes outside of what is signed are never seen as the user's."""
    honest = running.login(Browser()).echo()
    echo = running.login(Browser(), sign="assertion", mutate_after_sign=edit).echo()
    identity = lambda seen: sorted(pair for pair in seen.headers if pair[0].lower().startswith("x-sso-"))  # noqa: E731
    assert identity(echo) == identity(honest) and echo.header("X-SSO-User") == "student@example.com"

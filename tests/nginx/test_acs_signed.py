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
from sallyport_testing.tree_edits import at, removed, text
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


def test_without_any_signature(refusals: Refusals, browser: Browser) -> None:
    refusal = refusals.answer(browser, sign="none")
    assert refusal.reason == "signature_missing"
    assert "neither the Response nor the Assertion is signed" in refusal.line


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
def test_sha1_only_where_it_is_named(
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


METHOD = "saml:Assertion/ds:Signature/ds:SignedInfo/ds:SignatureMethod"
UNKNOWN = [
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
    "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
    "http://example.com/none",
    "",
]


@pytest.mark.parametrize("uri", UNKNOWN, ids=lambda uri: f"SIG-DOWNGRADE-{short(uri)}")
def test_other_algorithms_are_refused(refusals: Refusals, browser: Browser, uri: str) -> None:
    def other_method(root: object) -> None:
        at(root, METHOD).set("Algorithm", uri)

    refusal = refusals.answer(browser, mutate_after_sign=other_method)
    assert refusal.reason == "algorithm_not_allowed", refusal.line


# Keys


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("kind", ["rsa2048", "rsa4096", "ec256"])
@pytest.mark.parametrize("shown", ["own", "idp", "none"])
def test_wrong_key(
    running: SamlSite, refusals: Refusals, keys: KeyStore, sign: str, kind: str, shown: str
) -> None:
    """SIG-WRONGKEY, SIG-KEYINFO: the attacker's certificate in KeyInfo counts for nothing."""
    attacker = keys.get("attacker", kind)
    certificate = {"own": True, "idp": running.idp.key, "none": False}[shown]
    refusal = refusals.answer(Browser(), sign=sign, key=attacker, certificate=certificate)
    assert refusal.reason == "signature_invalid", refusal.line


def test_the_key_of_another_idp_of_the_same_server(site: SamlSite, keys: KeyStore) -> None:
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
def test_our_own_key_is_not_the_idps(site: SamlSite, keys: KeyStore, signs_requests: str) -> None:
    ours = keys.get("sp")
    site.start(
        http=LOG_FORMAT,
        server=f"saml_certificate {ours.certificate_file}; saml_certificate_key {ours.key_file};"
        f" saml_sign_requests {signs_requests};",
    )
    assert Refusals(site).answer(Browser(), key=ours).reason == "signature_invalid"


def test_a_key_for_encryption_signs_nothing(site: SamlSite, keys: KeyStore) -> None:
    encryption = keys.get("idp-encryption")
    listed = [MetadataKey(site.idp.key), MetadataKey(encryption, "encryption")]
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml", keys=listed)
    site.start(idp_block=f"metadata {metadata};", http=LOG_FORMAT)
    assert Refusals(site).answer(Browser(), key=encryption).reason == "signature_invalid"


def test_key_rollover(site: SamlSite, keys: KeyStore) -> None:
    """KEY-ROLL: two keys, then the new one only: the old one counts no more in any worker."""
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


def test_an_expired_certificate_is_still_the_key(site: SamlSite, keys: KeyStore) -> None:
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
def test_changed_after_signing(refusals: Refusals, browser: Browser, sign: str, what: str) -> None:
    refusal = refusals.answer(browser, sign=sign, mutate_after_sign=TAMPERED[what])
    assert refusal.reason == "signature_invalid", refusal.line


@pytest.mark.parametrize("path", ["samlp:Status/samlp:StatusCode", "saml:Issuer", "saml:Assertion/saml:Subject"])
def test_a_signed_response_is_signed_whole(refusals: Refusals, browser: Browser, path: str) -> None:
    def mark(root: object) -> None:
        at(root, path).set("note", "x")

    assert refusals.answer(browser, sign="response", mutate_after_sign=mark).reason == "signature_invalid"

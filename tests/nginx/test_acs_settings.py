"""Directives that change what an answer must be: clock skew, maximum age, context asked for, the user's source."""

from __future__ import annotations

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.refusals import LOG_FORMAT, Refusals
from sallyport_testing.saml_response import Attribute, nil_value, now
from sallyport_testing.site import SamlSite

CLASSES = "urn:oasis:names:tc:SAML:2.0:ac:classes:"


def start(site: SamlSite, server: str = "", idp: str = "") -> Refusals:
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(http=LOG_FORMAT, server=server, idp_block=f"metadata {metadata}; {idp}")
    return Refusals(site)


def test_clock_skew(site: SamlSite) -> None:
    refusals = start(site, "saml_clock_skew 10s;")
    assert site.login(Browser(), not_on_or_after=now(-5)).status == 200
    assert site.login(Browser(), not_before=now(8)).status == 200
    assert refusals.answer(Browser(), not_before=None, not_on_or_after=now(-11)).reason == "expired"
    assert refusals.answer(Browser(), not_before=now(14)).reason == "not_yet_valid"
    refusal = refusals.answer(Browser(), confirmation_not_on_or_after=now(-11))
    assert refusal.reason == "expired" and "clock skew 10 s" in refusal.line


def test_no_clock_skew(site: SamlSite) -> None:
    refusals = start(site, "saml_clock_skew 0s;")
    a_moment_ago = dict.fromkeys(("response_instant", "assertion_instant", "authn_instant"), now(-1))
    assert site.login(Browser(), **a_moment_ago).status == 200
    assert refusals.answer(Browser(), not_before=None, not_on_or_after=now(-1)).reason == "expired"
    assert refusals.answer(Browser(), not_before=now(3)).reason == "not_yet_valid"


def test_maximum_age_of_assertions(site: SamlSite) -> None:
    refusals = start(site, "saml_max_assertion_age 10m;")
    assert site.login(Browser(), confirmation_not_on_or_after=now(600)).status == 200
    assert refusals.answer(Browser(), confirmation_not_on_or_after=now(800)).reason == "lifetime_too_long"
    assert refusals.answer(Browser(), assertion_instant=now(-800)).reason == "lifetime_too_long"
    assert refusals.answer(Browser(), response_instant=now(-800)).reason == "lifetime_too_long"
    assert site.login(Browser(), assertion_instant=now(-700)).status == 200


@pytest.mark.parametrize(
    ("asked", "accepted", "refused"),
    [
        (f"{CLASSES}X509 exact", ["X509"], ["SmartcardPKI", "Password", "X50", "X509x", "x509", None]),
        (f"{CLASSES}Password {CLASSES}X509", ["Password", "X509"], ["PasswordProtectedTransport"]),
        (
            f"{CLASSES}PasswordProtectedTransport minimum",
            ["PasswordProtectedTransport", "X509", "SmartcardPKI"],
            ["Password", "unspecified", "Unknown", None],
        ),
        (f"{CLASSES}PasswordProtectedTransport better", ["X509"], ["PasswordProtectedTransport", "Password"]),
        (f"{CLASSES}PasswordProtectedTransport maximum", ["Password"], ["X509"]),
    ],
    ids=["ACR-exact", "ACR-exact_by_default", "ACR-minimum", "ACR-better", "ACR-maximum"],
)
def test_authentication_context(
    site: SamlSite, asked: str, accepted: list[str], refused: list[str | None]
) -> None:
    refusals = start(site, idp=f"authn_context {asked};")
    for name in accepted:
        assert site.login(Browser(), authn_context=CLASSES + name).status == 200, name
    for name in refused:
        sent = None if name is None else CLASSES + name
        refusal = refusals.answer(Browser(), authn_context=sent)
        assert refusal.reason == "authn_context_mismatch", refusal.line
        assert f"expected <{CLASSES}" in refusal.line and f"received <{sent or ''}>" in refusal.line


def test_nameid_none_attr_dup_the_user_from_an_attribute(site: SamlSite) -> None:
    refusals = start(site, idp="user uid;")
    attributes = [Attribute("uid", ["e-1"]), Attribute("email", ["em@example.com"])]
    for name_id in ({"name_id_format": names.TRANSIENT}, {"name_id": None}, {}):
        echo = site.login(Browser(), attributes=attributes, **name_id).echo()
        assert echo.header("X-SSO-User") == "e-1"
    for values in ([], ["a", "b"], [""], ["  "], [nil_value()]):
        assert refusals.answer(Browser(), attributes=[Attribute("uid", values)]).reason == "no_user", values
    refusal = refusals.answer(Browser(), attributes=())
    assert refusal.reason == "no_user" and "user uid" in refusal.line
    by_friendly_name = [Attribute("urn:oid:1.2.3", ["e-1"], friendly_name="uid")]
    assert refusals.answer(Browser(), attributes=by_friendly_name).reason == "no_user"


def test_attr_dup_the_same_attribute_twice_is_one_with_all_values(site: SamlSite) -> None:
    refusals = start(site, idp="user uid;")
    twice = [Attribute("uid", ["a"]), Attribute("uid", ["b"], name_format=names.URI)]
    assert refusals.answer(Browser(), attributes=twice).reason == "no_user"
    groups = [Attribute("uid", ["a"]), Attribute("groups", ["x"]), Attribute("groups", ["y", "x"])]
    assert site.login(Browser(), attributes=groups).echo().header("X-SSO-Groups") == "x,y"


@pytest.mark.parametrize(
    ("limits", "attributes"),
    [
        ("saml_header_limit 100 16k;", [Attribute("display_name", ["x" * 101])]),
        ("saml_header_limit 100 16k;", [Attribute("groups", ["group%d" % n for n in range(30)])]),
        ("saml_header_limit 100 100;", [Attribute(name, ["x" * 60]) for name in ("first_name", "last_name")]),
    ],
    ids=["value", "list", "total"],
)
def test_hdr_size_an_identity_that_is_too_large(site: SamlSite, limits: str, attributes: list[Attribute]) -> None:
    refusal = start(site, limits).answer(Browser(), attributes=attributes)
    assert refusal.reason == "identity_too_large", refusal.line


def test_a_message_over_the_limit(site: SamlSite) -> None:
    refusals = start(site, "saml_max_message_size 16k;")
    assert site.login(Browser(), attributes=[Attribute("note", ["x" * 8000])]).status == 200
    refusal = refusals.answer(Browser(), attributes=[Attribute("note", ["x" * 17000])])
    assert (refusal.reason, refusal.response.status) == ("too_large", 413)
    assert "16384" in refusal.line

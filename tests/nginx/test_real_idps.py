"""The real identity providers by themselves: they come up, and log in at a service provider made by hand."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest
from lxml import etree

from idps.child_process import ChildProcess, wait_until_accepts
from idps.provider import IdentityProvider
from idps.settings import ServiceProvider
from sallyport_testing import authn_request, saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.ports import accepts, free_port
from sallyport_testing.real_idp import log_in_at
from sallyport_testing.saml_names import tag
from sallyport_testing.saml_response import new_id
from sallyport_testing.xml_signature import sign, verify_with_command

pytestmark = pytest.mark.real_idp

SP = ServiceProvider("https://sp.example.com/metadata", "https://sp.example.com/acs?kept=1")
IDPS = ["simplesamlphp", "samlp_idp", "pysaml2_idp"]


@pytest.fixture(params=IDPS)
def real_idp(request: pytest.FixtureRequest) -> IdentityProvider:
    return request.getfixturevalue(request.param)


def made_request(idp: IdentityProvider) -> tuple[str, bytes]:
    identifier = new_id()
    xml = (
        f'<samlp:AuthnRequest xmlns:samlp="{names.SAMLP}" xmlns:saml="{names.SAML}" ID="{identifier}" Version="2.0"'
        f' IssueInstant="2026-01-01T00:00:00Z" Destination="{idp.sso_url}"'
        f' AssertionConsumerServiceURL="{SP.acs_url}" ProtocolBinding="{names.POST}">'
        f"<saml:Issuer>{SP.entity_id}</saml:Issuer></samlp:AuthnRequest>"
    )
    return identifier, xml.encode()


def redirect_to(idp: IdentityProvider, query: str) -> Response:
    return Response(SP.acs_url, "GET", 302, [("Location", f"{idp.sso_url}?{query}")], b"")


def test_metadata_names_entity_endpoint_and_key(real_idp: IdentityProvider) -> None:
    root = etree.fromstring(real_idp.metadata())
    assert root.get("entityID") == real_idp.entity_id
    services = list(root.iter(tag("md:SingleSignOnService")))
    assert {each.get("Location") for each in services} == {real_idp.sso_url}
    assert names.REDIRECT in {each.get("Binding") for each in services}
    shown = "".join(next(root.iter(tag("ds:X509Certificate"))).text.split())
    assert shown in "".join(real_idp.certificate_file.read_text().split())


@pytest.mark.parametrize("signed", ["both", "response", "assertion"])
def test_login(real_idp: IdentityProvider, browser: Browser, signed: str) -> None:
    sign_response, sign_assertion = signed != "assertion", signed != "response"
    real_idp.register(
        ServiceProvider(SP.entity_id, SP.acs_url, sign_response=sign_response, sign_assertion=sign_assertion)
    )
    identifier, xml = made_request(real_idp)
    page = log_in_at(browser, redirect_to(real_idp, authn_request.redirect_query(xml, relay_state="some state")))
    form = page.form(having="SAMLResponse")
    assert (form.action, form.method) == (SP.acs_url, "POST")
    assert form.fields["RelayState"] == "some state"
    answer = base64.b64decode(form.fields["SAMLResponse"])
    verify_with_command(answer, real_idp.certificate_file)
    root = etree.fromstring(answer)
    parents = {each.getparent().tag for each in root.iter(tag("ds:Signature"))}
    assert (tag("samlp:Response") in parents, tag("saml:Assertion") in parents) == (sign_response, sign_assertion)
    assert root.get("InResponseTo") == identifier
    assert root.findtext(".//" + tag("saml:Audience")) == SP.entity_id
    assert root.findtext(".//" + tag("saml:NameID")) == "student@example.com"
    spaces = root.findall(f".//{tag('saml:Attribute')}[@Name='space_name']/{tag('saml:AttributeValue')}")
    assert [each.text for each in spaces] == ["Trial", "DevOps"]


def test_login_by_post_binding_with_a_signed_request(
    samlp_idp: IdentityProvider, browser: Browser, sp_key: KeyPair
) -> None:
    certificate = sp_key.certificate_base64
    samlp_idp.register(ServiceProvider(SP.entity_id, SP.acs_url, certificate=certificate, validate_requests=True))
    identifier, xml = made_request(samlp_idp)
    root = etree.fromstring(xml)
    sign(root, sp_key)
    encoded = base64.b64encode(etree.tostring(root)).decode()
    page = browser.post_from(SP.acs_url, samlp_idp.sso_url, {"SAMLRequest": encoded, "RelayState": "state"})
    form = log_in_at(browser, page).form(having="SAMLResponse")
    assert f'InResponseTo="{identifier}"'.encode() in base64.b64decode(form.fields["SAMLResponse"])


@pytest.mark.parametrize("real_idp", IDPS[:2], indirect=True)
@pytest.mark.parametrize("wrong_key", [False, True])
def test_signed_redirects_are_checked_by_the_idp(
    real_idp: IdentityProvider, browser: Browser, sp_key: KeyPair, keys: KeyStore, wrong_key: bool
) -> None:
    certificate = sp_key.certificate_base64
    real_idp.register(ServiceProvider(SP.entity_id, SP.acs_url, certificate=certificate, validate_requests=True))
    key = keys.get("other") if wrong_key else sp_key
    _, xml = made_request(real_idp)
    response = redirect_to(real_idp, authn_request.redirect_query(xml, relay_state="a b&c", sign_with=key))
    if wrong_key:
        with pytest.raises(AssertionError, match="neither a login form nor an answer"):
            log_in_at(browser, response)
    else:
        assert log_in_at(browser, response).form(having="SAMLResponse").fields["RelayState"] == "a b&c"


def test_wrong_password_is_refused(real_idp: IdentityProvider, browser: Browser) -> None:
    real_idp.register(SP)
    _, xml = made_request(real_idp)
    with pytest.raises(AssertionError, match="no SAMLResponse"):
        log_in_at(browser, redirect_to(real_idp, authn_request.redirect_query(xml)), password="wrong")


def test_the_second_login_needs_no_form_at_simplesamlphp(simplesamlphp: IdentityProvider, browser: Browser) -> None:
    simplesamlphp.register(SP)
    pages = []
    for _ in range(2):
        browser.history.clear()
        _, xml = made_request(simplesamlphp)
        log_in_at(browser, redirect_to(simplesamlphp, authn_request.redirect_query(xml)))
        pages.append("".join(each.url for each in browser.history))
    assert "loginuserpass" in pages[0]
    assert "loginuserpass" not in pages[1]


def test_command_line_of_the_simplesamlphp_starter(tmp_path: Path) -> None:
    port, metadata = free_port(), tmp_path / "idp.xml"
    command = [sys.executable, "-m", "idps.simplesamlphp", "--port", str(port), "--metadata-out", str(metadata)]
    command += ["--sp-entity-id", SP.entity_id, "--acs-url", SP.acs_url, "--folder", str(tmp_path / "state")]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}
    child = ChildProcess(command, tmp_path / "output", env=environment)
    try:
        wait_until_accepts(child, port)
        while "SimpleSAMLphp: http://localhost" not in child.output.read_text():
            assert child.alive(), child.output.read_text()
        entity_id = etree.fromstring(metadata.read_bytes()).get("entityID")
        assert entity_id == f"http://localhost:{port}/saml2/idp/metadata.php"
        child.send_signal(15)
        assert child.wait(10)
        assert not accepts(port)
    finally:
        child.end_group()

"""Several identity and service providers in one nginx: an answer counts only for the pair it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sallyport_testing.authn_request import AuthnRequest
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx, module_under_test
from sallyport_testing.refusals import LOG_FORMAT, Refusals
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_response import SamlResponse
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream

SERVER = """
    server {
        listen 127.0.0.1:%%port:site%% ssl;
        server_name NAME.example.com;
        ssl_certificate %%crt%%;
        ssl_certificate_key %%key%%;
        saml_entity_id https://NAME.example.com/sp;
        location / { auth_saml alpha beta; proxy_pass http://%%upstream%%; }
        location /alpha/ { auth_saml alpha; proxy_pass http://%%upstream%%; }
        location /beta/ { auth_saml beta; proxy_pass http://%%upstream%%; }
    }
"""


class Tenants:
    """Servers one and two, each with the IdPs alpha and beta, on one zone."""

    def __init__(self, nginx: Nginx, upstream: EchoUpstream, keys: KeyStore) -> None:
        self.nginx, self.upstream = nginx, upstream
        self.alpha = TestIdp(keys.get("alpha"), "https://alpha.example.org/idp", "https://alpha.example.org/sso")
        self.beta = TestIdp(keys.get("beta"), "https://beta.example.org/idp", "https://beta.example.org/sso")
        blocks = "".join(
            f"saml_idp {name} {{ metadata {idp.write_metadata(nginx.folder / f'{name}.xml')}; }}"
            for name, idp in (("alpha", self.alpha), ("beta", self.beta))
        )
        tls = keys.tls("one.example.com", "two.example.com")
        nginx.configure(
            LOG_FORMAT + blocks + SERVER.replace("NAME", "one") + SERVER.replace("NAME", "two"),
            upstream=upstream.address, crt=tls.certificate_file, key=tls.key_file,
        ).start()  # fmt: skip
        self.one = self._site("one", tls)
        self.two = self._site("two", tls)
        self.refusals = Refusals(self.one)

    def _site(self, name: str, tls: object) -> SamlSite:
        return SamlSite(self.nginx, self.upstream, self.alpha, tls, host=f"{name}.example.com")

    def begin(self, browser: Browser, path: str, site: SamlSite | None = None) -> AuthnRequest:
        """Begin a login at the IdP that the path's first part names."""
        idp = self.alpha if path.startswith("/alpha/") else self.beta
        return idp.read_request(browser.get((site or self.one).url(path)))


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    with EchoUpstream() as upstream, Nginx(folder, module=module_under_test()) as nginx:
        yield Tenants(nginx, upstream, keys)


def refused(tenants: Tenants, browser: Browser, message: SamlResponse, **form: str) -> str:
    return tenants.refusals.message(browser, {**message.form, **form}, acs_url=message.acs_url).reason


def test_each_idp_lets_in_where_it_is_named(tenants: Tenants) -> None:
    browser = Browser()
    request = tenants.begin(browser, "/alpha/x")
    assert tenants.alpha.post(browser, tenants.alpha.answer(request)).status == 303
    assert browser.get(tenants.one.url("/alpha/x")).echo().header("X-SSO-Idp") == "alpha"
    assert browser.get(tenants.one.url("/")).echo().header("X-SSO-Idp") == "alpha"
    # The location that names only the other one starts a login there, even with a session.
    assert tenants.begin(browser, "/beta/x").destination == tenants.beta.sso_url


def test_idp_mix_an_answer_of_the_other_idp(tenants: Tenants) -> None:
    """The request went to beta, alpha answers with its own name and key."""
    browser = Browser()
    request = tenants.begin(browser, "/beta/x")
    assert refused(tenants, browser, tenants.alpha.answer(request)) == "signature_invalid"


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_idp_mix_an_answer_in_the_other_idps_name(tenants: Tenants, sign: str) -> None:
    """Alpha signs what claims to be beta's."""
    browser = Browser()
    request = tenants.begin(browser, "/beta/x")
    message = tenants.beta.answer(request, sign=sign, key=tenants.alpha.key)
    assert refused(tenants, browser, message) == "signature_invalid"


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_idp_mix_the_others_name_under_ones_own_key(tenants: Tenants, sign: str) -> None:
    """The request went to alpha, which answers as beta."""
    browser = Browser()
    request = tenants.begin(browser, "/alpha/x")
    beta = tenants.beta.entity_id
    for changes in ({"issuer": beta}, {"response_issuer": beta}, {"issuer": beta, "response_issuer": beta}):
        message = tenants.alpha.answer(request, sign=sign, **changes)
        assert refused(tenants, browser, message) == "issuer_mismatch"


def test_idp_mix_an_answer_under_the_handle_of_another_attempt(tenants: Tenants) -> None:
    """A good answer of alpha posted with the RelayState of the attempt at beta, and the other way."""
    browser = Browser()
    to_alpha, to_beta = tenants.begin(browser, "/alpha/x"), tenants.begin(browser, "/beta/x")
    good = tenants.alpha.answer(to_alpha)
    assert refused(tenants, browser, good, RelayState=to_beta.relay_state) == "signature_invalid"
    again = tenants.begin(browser, "/alpha/y")
    assert refused(tenants, browser, good, RelayState=again.relay_state) == "in_response_to_mismatch"
    assert tenants.alpha.post(browser, good).status == 303


def test_unsol_answers(tenants: Tenants) -> None:
    browser = Browser()
    for relay_state in (None, "", "/alpha/x", "https://evil.example.net/", "x" * 80):
        message = tenants.alpha.unsolicited(
            tenants.one.acs_url, "https://one.example.com/sp", relay_state=relay_state
        )
        assert refused(tenants, browser, message) == "unsolicited", relay_state


def test_unsol_an_answer_in_a_pending_attempt(tenants: Tenants) -> None:
    browser = Browser()
    request = tenants.begin(browser, "/alpha/x")
    message = tenants.alpha.unsolicited(
        tenants.one.acs_url, "https://one.example.com/sp", relay_state=request.relay_state
    )
    assert refused(tenants, browser, message) == "in_response_to_mismatch"


def test_idp_mix_each_idp_names_its_own_users_only(tenants: Tenants) -> None:
    """Alpha says the name that beta's user has, in every part that it signs: it stays a user of alpha's."""
    browser = Browser()
    request = tenants.begin(browser, "/alpha/x")
    beta = tenants.beta.entity_id
    message = tenants.alpha.answer(request, sign="both", name_id="user@beta.example.org", name_qualifier=beta)
    assert tenants.alpha.post(browser, message).status == 303
    echo = browser.get(tenants.one.url("/alpha/x")).echo()
    assert (echo.header("X-SSO-Idp"), echo.header("X-SSO-User")) == ("alpha", "user@beta.example.org")
    assert tenants.begin(browser, "/beta/x").destination == tenants.beta.sso_url, "no user of beta's"


def test_idp_mix_an_unsolicited_answer_in_the_others_attempt(tenants: Tenants) -> None:
    browser = Browser()
    request = tenants.begin(browser, "/beta/x")
    message = tenants.alpha.unsolicited(
        tenants.one.acs_url, "https://one.example.com/sp", relay_state=request.relay_state
    )
    assert refused(tenants, browser, message) == "signature_invalid"


# Two service providers


def test_multi_sp_other_sp_an_answer_for_the_other_service_provider(tenants: Tenants) -> None:
    """MULTI-SP, OTHER-SP: as it is, and re-addressed as far as a malicious SP or its user can."""
    browser = Browser()
    for_one = tenants.begin(browser, "/alpha/x", tenants.one)
    for_two = tenants.begin(browser, "/alpha/x", tenants.two)
    assert (for_one.issuer, for_two.issuer) == ("https://one.example.com/sp", "https://two.example.com/sp")
    good = tenants.alpha.answer(for_one)
    moved = replace(good, acs_url=tenants.two.acs_url, relay_state=for_two.relay_state)
    assert refused(tenants, browser, moved) == "destination_mismatch"
    two = {"destination": for_two.acs_url, "response_in_response_to": for_two.id}
    for changes, reason in [
        ({"destination": None}, "in_response_to_mismatch"),
        (two, "audience_mismatch"),
        ({**two, "audiences": [for_two.issuer]}, "recipient_mismatch"),
        ({**two, "audiences": [for_two.issuer], "recipient": for_two.acs_url}, "in_response_to_mismatch"),
    ]:
        message = replace(
            tenants.alpha.answer(for_one, **changes), acs_url=tenants.two.acs_url, relay_state=for_two.relay_state
        )
        assert refused(tenants, browser, message) == reason, changes
    assert tenants.alpha.post(browser, good).status == 303


def test_state_forge_an_attempt_of_the_other_service_provider(tenants: Tenants) -> None:
    """The attempt's cookie of one server, copied to the other one."""
    browser = Browser()
    request = tenants.begin(browser, "/alpha/x", tenants.one)
    cookie = browser.cookies.named("saml_session.")[0]
    browser.cookies.put(tenants.two.url(), f"{cookie.name}={cookie.value}; Path=/; Secure; SameSite=None")
    message = replace(tenants.alpha.answer(request, destination=None), acs_url=tenants.two.acs_url)
    assert refused(tenants, browser, message) == "attempt_lost"


# Sessions of one zone


def log_in(tenants: Tenants, browser: Browser, path: str, site: SamlSite) -> None:
    idp = tenants.alpha if path.startswith("/alpha/") else tenants.beta
    assert idp.post(browser, idp.answer(tenants.begin(browser, path, site))).status == 303


def test_multi_sp_a_session_of_the_other_service_provider(tenants: Tenants) -> None:
    """mod_auth_mellon CVE-2017-6807: the cookie, copied by hand."""
    browser = Browser()
    log_in(tenants, browser, "/alpha/x", tenants.one)
    session = browser.cookies.get("__Host-saml_session", "one.example.com")
    assert session is not None
    before = len(tenants.upstream.requests)
    other = Browser()
    other.cookies.put(tenants.two.url(), f"{session.name}={session.value}; Path=/; Secure; HttpOnly")
    for path in ("/", "/alpha/x", "/beta/x"):
        assert other.get(tenants.two.url(path)).status == (200 if path == "/" else 302), "the login"
    assert other.fetch(tenants.two.url("/saml/session")).status == 401
    assert len(tenants.upstream.requests) == before
    # At its own place it still counts.
    assert browser.get(tenants.one.url("/alpha/x")).echo().header("X-SSO-User") == "student@example.com"


def test_idp_mix_the_same_name_at_both_idps_is_two_users(tenants: Tenants) -> None:
    """What the application sees tells them apart."""
    seen = []
    for path in ("/alpha/x", "/beta/x"):
        browser = Browser()
        log_in(tenants, browser, path, tenants.one)
        echo = browser.get(tenants.one.url(path)).echo()
        seen.append((echo.header("X-SSO-Idp"), echo.header("X-SSO-User")))
    assert seen == [("alpha", "student@example.com"), ("beta", "student@example.com")]

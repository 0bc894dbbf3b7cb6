"""The main job: a browser logs in through nginx, comes back to its page, and the application reads who it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from idps.provider import IdentityProvider
from idps.settings import ServiceProvider, User
from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.real_idp import log_in, log_in_at
from sallyport_testing.saml_names import tag
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite
from sallyport_testing.xml_writer import STYLES


def sp_key_lines(key: KeyPair, sign_requests: str) -> str:
    return (
        f"saml_certificate {key.certificate_file}; saml_certificate_key {key.key_file};"
        f" saml_sign_requests {sign_requests};"
    )


# The way there and back


def test_the_smallest_configuration(site: SamlSite, browser: Browser) -> None:
    site.start()
    started = browser.get(site.url("/page"))
    assert started.status == 302
    assert started.header("Cache-Control") == "no-store"
    assert not site.upstream.requests, "an unauthenticated request reached the upstream"
    request = site.idp.read_request(started)
    assert request.issuer == site.entity_id
    assert request.acs_url == site.acs_url
    assert request.destination == site.idp.sso_url
    assert request.protocol_binding == names.POST
    assert not request.signed
    assert not request.force_authn
    assert request.authn_contexts == []
    assert len((request.relay_state or "").encode()) <= 80

    answered = site.idp.post(browser, site.idp.answer(request))
    assert answered.status == 303
    assert answered.location == site.url("/page")
    assert answered.header("Cache-Control") == "no-store"
    echo = browser.follow(answered).echo()
    assert echo.uri == "/page"
    assert echo.header("X-SSO-User") == "student@example.com"
    assert browser.get(site.url("/other")).echo().header("X-SSO-User") == "student@example.com"
    assert site.idp.read_request(Browser().get(site.url("/page"))).id != request.id


def test_cookie_attr_of_the_session(site: SamlSite, browser: Browser) -> None:
    site.start()
    answered = site.idp.login(browser, site.url("/"))
    assert browser.cookies.refused == []
    session = browser.cookies.get("__Host-saml_session", site.host)
    assert session is not None
    assert session.http_only and session.secure and session.host_only
    assert (session.path, session.same_site) == ("/", "lax")
    assert len(session.value) >= 43, "256 bits in base64url"
    assert answered.status == 303
    before = session.value
    site.idp.login(browser.new_tab(), site.url("/saml/login?return=/"))
    after = browser.cookies.get("__Host-saml_session", site.host)
    assert after is not None and after.value != before, "a login must make a new session id"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?",
        "/deep/link?a=b&c=d",
        "/a%2Fb/c%20d?e=%20f+g&h=%C3%A9",
        "/x?next=https://other.example.com/y&again=%2Fz",
        "/semi;colon?x=1;y=2&z",
        "/odata/Products('1')?$filter=id&x=(a,b)!*~|{}^[]@:",
        "/long?" + "q" * (1500 - len("/long?")),
    ],
    ids=lambda path: path[:30],
)
def test_deep_links_come_back_exactly(site: SamlSite, browser: Browser, path: str) -> None:
    site.start()
    assert site.login(browser, path).echo().uri == path


def test_what_browsers_do_not_send_raw_in_a_query_comes_back_encoded(site: SamlSite, browser: Browser) -> None:
    site.start()
    assert site.login(browser, "/page?a=<b>&c=\"d\"").echo().uri == "/page?a=%3Cb%3E&c=%22d%22"


@pytest.mark.parametrize(
    ("path", "cut"),
    [
        ("/long?" + "q" * (1501 - len("/long?")), "/long"),
        ("/" + "p" * 1499, "/" + "p" * 1499),
        ("/" + "p" * 1500 + "?q", "/"),
    ],
    ids=["query", "path_at_the_limit", "path"],
)
def test_return_addresses_over_the_limit_are_cut(site: SamlSite, browser: Browser, path: str, cut: str) -> None:
    site.start()
    assert site.login(browser, path).echo().uri == cut


@pytest.mark.parametrize("path", ["//other.example.com/x", "/\\other.example.com/", "//other.example.com@/", "/%09/x"])
def test_odd_paths_never_lead_to_another_host(site: SamlSite, browser: Browser, path: str) -> None:
    site.start(server="merge_slashes off;")
    answered = site.idp.login(browser, site.url("") + path)
    assert answered.status == 303
    assert (answered.location or "").startswith(site.url("/"))
    assert browser.follow(answered).status == 200


def test_tabs_end_at_their_own_pages(site: SamlSite, browser: Browser) -> None:
    site.start()
    tabs = [browser.new_tab() for _ in range(4)]
    requests = [
        site.idp.read_request(tab.get(site.url(f"/tab/{number}?n={number}"))) for number, tab in enumerate(tabs)
    ]
    assert len({each.id for each in requests}) == 4
    for number in (2, 0, 3, 1):
        answered = site.idp.post(tabs[number], site.idp.answer(requests[number]))
        assert answered.status == 303, f"tab {number}"
        assert tabs[number].follow(answered).echo().uri == f"/tab/{number}?n={number}"


def test_two_browsers_have_their_own_sessions(site: SamlSite) -> None:
    site.start()
    first, second = Browser(), Browser()
    site.login(first, name_id="first@example.com", attributes=())
    site.login(second, name_id="second@example.com", attributes=())
    for browser, user in ((first, "first@example.com"), (second, "second@example.com")):
        for _ in range(4):  # whichever worker answers
            assert browser.get(site.url("/")).echo().header("X-SSO-User") == user


def test_over_http2(site: SamlSite) -> None:
    site.start(listen="http2")
    browser = Browser(http2=True)
    assert site.login(browser, "/page?x=y").echo().header("X-SSO-User") == "student@example.com"


def test_over_plain_http(http_site: SamlSite, browser: Browser) -> None:
    http_site.configure()
    result = http_site.nginx.test()
    assert result.ok and "[warn]" in result.output, result.output
    http_site.nginx.start()
    assert http_site.login(browser, "/page").echo().header("X-SSO-User") == "student@example.com"
    session = browser.cookies.get("saml_session")
    assert session is not None and session.http_only and not session.secure


def test_what_cannot_follow_a_login_is_told_where_to_log_in(site: SamlSite, browser: Browser) -> None:
    site.start()
    answer = browser.fetch(site.url("/data?x=1"))
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == "SAML"
    assert answer.header("X-SSO-Login") == site.url("/saml/login")
    assert answer.header("Set-Cookie") is None
    assert answer.header("Cache-Control") == "no-store"
    assert not site.upstream.requests
    site.login(browser, "/")
    assert browser.fetch(site.url("/data?x=1")).echo().header("X-SSO-User") == "student@example.com"


# What is sent


def test_post_binding_is_a_form_that_posts_itself(site: SamlSite, browser: Browser) -> None:
    site.idp.bindings = [names.POST]
    site.start()
    page = browser.get(site.url("/page?x=1"))
    assert page.status == 200
    assert page.header("Cache-Control") == "no-store"
    assert "<noscript>" in page.text.lower()
    assert "script" in (page.header("Content-Security-Policy") or "")
    assert "unsafe-inline" not in (page.header("Content-Security-Policy") or "")
    request = site.idp.read_request(page)
    assert (request.issuer, request.acs_url, request.signed) == (site.entity_id, site.acs_url, False)
    answered = site.idp.post(browser, site.idp.answer(request))
    assert browser.follow(answered).echo().uri == "/page?x=1"


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_idp_by_hand(site: SamlSite, browser: Browser, binding: str) -> None:
    site.start(
        idp_block=f"""
            entity_id {site.idp.entity_id};
            sso_url {site.idp.sso_url} {binding};
            certificate {site.idp.key.certificate_file};
        """
    )
    started = browser.get(site.url("/page"))
    request = site.idp.read_request(started)
    assert request.binding == {"redirect": names.REDIRECT, "post": names.POST}[binding]
    assert browser.follow(site.idp.post(browser, site.idp.answer(request))).echo().uri == "/page"


@pytest.mark.parametrize("kind", ["rsa2048", "ec256"])
@pytest.mark.parametrize("binding", [names.REDIRECT, names.POST], ids=["redirect", "post"])
def test_requests_are_signed(site: SamlSite, browser: Browser, keys: KeyStore, kind: str, binding: str) -> None:
    key = keys.get("sp", kind)
    site.idp.bindings = [binding]
    site.start(server=sp_key_lines(key, "on"))
    request = site.idp.read_request(browser.get(site.url("/page")))
    assert request.binding == binding
    request.verify_signature(key)
    assert request.signature_algorithm == (names.ECDSA_SHA256 if kind == "ec256" else names.RSA_SHA256)
    assert browser.follow(site.idp.post(browser, site.idp.answer(request))).echo().uri == "/page"


@pytest.mark.parametrize(
    ("setting", "wanted", "signed"),
    [("auto", True, True), ("auto", False, False), ("auto", None, False), ("off", True, False), ("on", False, True)],
)
def test_when_requests_are_signed(
    site: SamlSite, browser: Browser, sp_key: KeyPair, setting: str, wanted: bool | None, signed: bool
) -> None:
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml", want_requests_signed=wanted)
    site.start(server=sp_key_lines(sp_key, setting), idp_block=f"metadata {metadata};")
    assert site.idp.read_request(browser.get(site.url("/"))).signed is signed


def test_what_the_request_asks(site: SamlSite, browser: Browser) -> None:
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(
        idp_block=f"""
            metadata {metadata};
            name_id_format {names.PERSISTENT};
            authn_context {names.PASSWORD_TRANSPORT} {names.X509} minimum;
            force_authn on;
        """
    )
    request = site.idp.read_request(browser.get(site.url("/")))
    assert request.name_id_format == names.PERSISTENT
    assert request.authn_contexts == [names.PASSWORD_TRANSPORT, names.X509]
    assert request.comparison == "minimum"
    assert request.force_authn


# What is answered


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("indent", [False, True], ids=["one_line", "indented"])
def test_signed_parts_and_prefixes(site: SamlSite, browser: Browser, sign: str, style: str, indent: bool) -> None:
    site.start()
    page = site.login(browser, "/page", sign=sign, style=style, indent=indent, declaration=indent)
    assert page.echo().header("X-SSO-User") == "student@example.com"
    assert page.echo().header("X-SSO-Groups") == "Engineering,Platform"


@pytest.mark.parametrize(
    ("kind", "algorithm", "digest"),
    [
        ("rsa2048", names.RSA_SHA256, names.SHA256),
        ("rsa2048", names.RSA_SHA384, names.SHA384),
        ("rsa2048", names.RSA_SHA512, names.SHA512),
        ("rsa3072", names.RSA_SHA256, names.SHA512),
        ("rsa2048", names.PSS_SHA256, names.SHA256),
        ("rsa2048", names.PSS_SHA384, names.SHA384),
        ("rsa2048", names.PSS_SHA512, names.SHA512),
        ("ec256", names.ECDSA_SHA256, names.SHA256),
        ("ec384", names.ECDSA_SHA384, names.SHA384),
        ("ec521", names.ECDSA_SHA512, names.SHA512),
    ],
    ids=lambda value: value.rpartition("#")[2],
)
def test_signature_algorithms(
    site: SamlSite, browser: Browser, keys: KeyStore, kind: str, algorithm: str, digest: str
) -> None:
    site.idp.key = keys.get("idp", kind)
    site.start()
    page = site.login(browser, sign="both", signature_algorithm=algorithm, digest_algorithm=digest)
    assert page.echo().header("X-SSO-User") == "student@example.com"


@pytest.mark.parametrize("use", ["signing", None])
def test_meta_key_any_signing_key_of_the_metadata_will_do(
    site: SamlSite, browser: Browser, keys: KeyStore, use: str | None
) -> None:
    second = keys.get("idp-second", "ec256")
    listed = [MetadataKey(site.idp.key, use), MetadataKey(second, use)]
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml", keys=listed)
    site.start(idp_block=f"metadata {metadata};")
    for key in (site.idp.key, second):
        assert site.login(Browser(), key=key).echo().header("X-SSO-User") == "student@example.com"


# What the application sees

EVERYTHING = (
    Attribute("email", ["Employee@example.com"]),
    Attribute("first_name", ["Em"]),
    Attribute("last_name", ["Ployée"]),
    Attribute("display_name", ["Em Ployée, 100%"]),
    Attribute("picture", ["https://example.com/em.png?size=1"]),
    Attribute("timezone", ["Europe/Berlin"]),
    Attribute("space_name", ["Trial", "DevOps"]),
    Attribute("space_role", ["Space Member", "Space Developer"]),
    Attribute("groups", ["Engineering", "R&D, worldwide", "a=b", " padded "]),
    Attribute("department", ["R&D"]),
)
HEADERS = {
    "User": "e-1",
    "Email": "Employee@example.com",
    "First-Name": "Em",
    "Last-Name": "Ploy%C3%A9e",
    "Display-Name": "Em Ploy%C3%A9e, 100%25",
    "Picture": "https://example.com/em.png?size=1",
    "Timezone": "Europe/Berlin",
    "Spaces": "Trial=Space Member,DevOps=Space Developer",
    "Roles": "Space Member,Space Developer",
    "Groups": "Engineering,R&D%2C worldwide,a%3Db,%20padded%20",
    "Idp": "test",
}
PERSISTENT_ID = {"name_id": "e-1", "name_id_format": names.PERSISTENT}


def test_all_headers(site: SamlSite, browser: Browser) -> None:
    site.start()
    echo = site.login(browser, "/", attributes=EVERYTHING, **PERSISTENT_ID).echo()
    assert echo.with_prefix("X-SSO-") == {f"X-SSO-{name}": value for name, value in HEADERS.items()}
    assert echo.cookies() == {}, "our cookies must not reach the upstream"


def test_headers_with_another_prefix(site: SamlSite, browser: Browser) -> None:
    site.start(location="saml_headers Remote-;")
    echo = site.login(browser, "/", attributes=EVERYTHING, **PERSISTENT_ID).echo()
    assert echo.with_prefix("Remote-") == {f"Remote-{name}": value for name, value in HEADERS.items()}
    assert echo.with_prefix("X-SSO-") == {}


def test_headers_as_json(site: SamlSite, browser: Browser) -> None:
    site.start(location="saml_header_format json;")
    attributes = [*EVERYTHING[:-2], Attribute("groups", ["Engineering", 'R&D, "é" \u20ac'])]
    echo = site.login(browser, "/", attributes=attributes, **PERSISTENT_ID).echo()
    assert echo.header("X-SSO-Spaces") == '{"Trial":"Space Member","DevOps":"Space Developer"}'
    assert echo.header("X-SSO-Roles") == '["Space Member","Space Developer"]'
    groups = echo.header("X-SSO-Groups") or ""
    assert groups.isascii() and "\\u00e9" in groups
    assert json.loads(groups) == ["Engineering", 'R&D, "é" \u20ac']
    assert echo.header("X-SSO-User") == "e-1"


def test_headers_of_ones_own(site: SamlSite, browser: Browser) -> None:
    site.start(
        location="""
            saml_headers off;
            saml_header X-Name "$saml_first_name $saml_last_name";
            saml_header X-Department $saml_attr_department;
            saml_header X-Nothing $saml_attr_no_such;
            saml_header X-Who $saml_idp:$saml_user;
        """
    )
    echo = site.login(browser, "/", attributes=EVERYTHING, **PERSISTENT_ID).echo()
    assert echo.with_prefix("X-SSO-") == {}
    assert echo.header("X-Name") == "Em Ploy%C3%A9e"
    assert echo.header("X-Department") == "R&D"
    assert echo.header("X-Nothing") is None
    assert echo.header("X-Who") == "test:e-1"


def test_only_what_was_sent_becomes_a_header(site: SamlSite, browser: Browser) -> None:
    site.start()
    echo = site.login(browser, "/", attributes=(), name_id="student@example.com").echo()
    assert echo.with_prefix("X-SSO-") == {
        "X-SSO-User": "student@example.com",
        "X-SSO-Email": "student@example.com",
        "X-SSO-Idp": "test",
    }


SPOOFED = [
    ("X-SSO-User", "admin"),
    ("x-sso-user", "admin"),
    ("X_SSO_User", "admin"),
    ("X.SSO.User", "admin"),
    ("X-SSO-Space", "admin"),
    ("X-SSO-Account-Role", "admin"),
    ("X-SSO-Overflow", "admin"),
    ("X-SSO-Assertion", "admin"),
    ("X-SSO-Login", "admin"),
    ("X-Extra", "admin"),
]


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_hdr_spoof_copies_sent_by_the_client_are_removed(site: SamlSite, http2: bool) -> None:
    site.start(
        http="underscores_in_headers on; ignore_invalid_headers off;",
        listen="http2",
        location="saml_header X-Extra $saml_idp;",
        locations="location /public/ { proxy_pass http://%%upstream%%; }",
    )
    headers = [(name.lower(), value) if http2 else (name, value) for name, value in SPOOFED]
    browser = Browser(http2=http2)
    public = browser.get(site.url("/public/"), headers=headers).echo()
    assert "admin" not in dict(public.headers).values()
    site.login(browser, "/")
    echo = browser.get(site.url("/page"), headers=headers).echo()
    assert "admin" not in dict(echo.headers).values()
    assert echo.header("X-SSO-User") == "student@example.com"
    assert echo.header("X-Extra") == "test"


def test_variables_in_the_access_log(site: SamlSite, browser: Browser) -> None:
    log = site.nginx.folder / "who.log"
    site.start(http=f"log_format who '$uri $saml_user $saml_groups $saml_error'; access_log {log} who;")
    site.login(browser, "/page")
    site.nginx.stop()
    assert "/page student@example.com Engineering,Platform -" in log.read_text().splitlines()


def test_login_is_logged(site: SamlSite, browser: Browser) -> None:
    site.start()
    site.login(browser, "/page")
    line = r"\[notice\].* saml: valid login idp=test user=student@example\.com .*groups=Engineering,Platform"
    site.nginx.wait_for_log(line)


# Real identity providers


def start_with(
    site: SamlSite, idp: IdentityProvider, server: str = "", lines: str = "", **changes: object
) -> None:
    """Start the site with this IdP's metadata, and register the site with the metadata that it serves."""
    metadata: Path = idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(idp_block=f"metadata {metadata}; {lines}", server=server)
    document = Browser().get(site.url("/saml/metadata"))
    assert document.status == 200
    idp.register(ServiceProvider.from_metadata(document.body, **changes))


@pytest.mark.real_idp
@pytest.mark.parametrize("name", ["simplesamlphp", "samlp_idp", "pysaml2_idp"])
@pytest.mark.parametrize("signed", ["both", "response", "assertion"])
def test_login_at_a_real_idp(
    site: SamlSite, browser: Browser, request: pytest.FixtureRequest, name: str, signed: str
) -> None:
    idp: IdentityProvider = request.getfixturevalue(name)
    start_with(site, idp, sign_response=signed != "assertion", sign_assertion=signed != "response")
    page = log_in(browser, site.url("/deep/link?a=b&c=%20d"), "employee")
    echo = page.echo()
    assert echo.uri == "/deep/link?a=b&c=%20d"
    assert echo.with_prefix("X-SSO-") == {
        "X-SSO-User": "employee@example.com",
        "X-SSO-Email": "employee@example.com",
        "X-SSO-First-Name": "Em",
        "X-SSO-Last-Name": "Ploy%C3%A9e",
        "X-SSO-Groups": "Engineering,Platform,R&D%2C worldwide",
        "X-SSO-Spaces": "Trial=Space Admin",
        "X-SSO-Roles": "Space Admin",
        "X-SSO-Idp": "test",
    }
    assert browser.get(site.url("/again")).echo().header("X-SSO-User") == "employee@example.com"


@pytest.mark.real_idp
@pytest.mark.parametrize(
    ("name", "algorithms"), [("simplesamlphp", "encryption_algorithms aes128-cbc;"), ("samlp_idp", "")]
)
@pytest.mark.parametrize("signed", ["both", "response", "assertion"])
def test_encrypted_login_at_a_real_idp(
    site: SamlSite, browser: Browser, sp_key: KeyPair, request: pytest.FixtureRequest, name: str, algorithms: str,
    signed: str,
) -> None:  # fmt: skip
    idp: IdentityProvider = request.getfixturevalue(name)
    options = {"sign_response": signed != "assertion", "sign_assertion": signed != "response"}
    start_with(
        site, idp, sp_key_lines(sp_key, "off"), f"require_encrypted on; {algorithms}", encrypt_assertion=True, **options
    )
    echo = log_in(browser, site.url("/page"), "employee").echo()
    assert echo.header("X-SSO-User") == "employee@example.com"
    assert echo.header("X-SSO-Last-Name") == "Ploy%C3%A9e"


@pytest.mark.real_idp
def test_a_real_idp_that_encrypts_with_cbc_unasked(
    site: SamlSite, browser: Browser, sp_key: KeyPair, simplesamlphp: IdentityProvider
) -> None:
    """The log names what to write, or to turn off at the IdP."""
    start_with(site, simplesamlphp, sp_key_lines(sp_key, "off"), encrypt_assertion=True)
    page = log_in_at(browser, browser.get(site.url("/")))
    assert browser.submit(page.form(having="SAMLResponse")).status == 403
    line = site.nginx.wait_for_log("reason=algorithm_not_allowed.*")[0]
    assert "xmlenc#aes128-cbc" in line and "encryption_algorithms" in line


@pytest.mark.real_idp
@pytest.mark.parametrize("name", ["simplesamlphp", "samlp_idp"])
def test_a_real_idp_accepts_our_signed_requests(
    site: SamlSite, browser: Browser, sp_key: KeyPair, request: pytest.FixtureRequest, name: str
) -> None:
    idp: IdentityProvider = request.getfixturevalue(name)
    start_with(site, idp, sp_key_lines(sp_key, "on"), validate_requests=True)
    assert log_in(browser, site.url("/page?x=1")).echo().uri == "/page?x=1"


@pytest.mark.real_idp
@pytest.mark.parametrize("name", ["simplesamlphp", "samlp_idp"])
def test_tabs_at_a_real_idp(
    site: SamlSite, browser: Browser, request: pytest.FixtureRequest, name: str
) -> None:
    idp: IdentityProvider = request.getfixturevalue(name)
    start_with(site, idp)
    tabs = [browser.new_tab() for _ in range(3)]
    started = [tab.get(site.url(f"/tab/{number}")) for number, tab in enumerate(tabs)]
    pages = [log_in_at(tab, response) for tab, response in zip(tabs, started, strict=True)]
    for number in (1, 2, 0):
        answered = tabs[number].submit(pages[number].form(having="SAMLResponse"))
        assert tabs[number].follow(answered).echo().uri == f"/tab/{number}"


@pytest.mark.real_idp
def test_changes_at_the_idp_arrive_with_the_next_login(site: SamlSite, samlp_idp: IdentityProvider) -> None:
    start_with(site, samlp_idp)
    for groups in (["Engineering"], ["Engineering", "Platform"], ["Platform"]):
        samlp_idp.set_user("changing", User("secret", {"email": ["changing@example.com"], "groups": groups}))
        browser = Browser()
        page = log_in_at(browser, browser.get(site.url("/")), "changing", "secret")
        echo = browser.follow(browser.submit(page.form(having="SAMLResponse"))).echo()
        assert echo.header("X-SSO-Groups") == ",".join(groups)


# The service provider's own metadata


def test_metadata_of_the_service_provider(site: SamlSite, browser: Browser, keys: KeyStore) -> None:
    rsa, ec = keys.get("sp"), keys.get("sp", "ec256")
    lines = "".join(
        f"saml_certificate {key.certificate_file}; saml_certificate_key {key.key_file};" for key in (ec, rsa)
    )
    site.start(server=lines)
    answer = browser.get(site.url("/saml/metadata"))
    assert answer.status == 200
    assert (answer.header("Content-Type") or "").startswith("application/samlmetadata+xml")
    root = etree.fromstring(answer.body)
    assert root.get("entityID") == site.entity_id
    service = root.find(f".//{tag('md:AssertionConsumerService')}")
    assert (service.get("Location"), service.get("Binding")) == (site.acs_url, names.POST)
    shown = {
        ("".join(each.findtext(f".//{tag('ds:X509Certificate')}").split()), each.get("use"))
        for each in root.iter(tag("md:KeyDescriptor"))
    }
    assert shown == {(ec.certificate_base64, "signing"), (rsa.certificate_base64, None)}

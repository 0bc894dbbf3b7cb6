"""The module's own pages in a real browser, under the strict policy that each carries, and cookies as browsers
keep them between an IdP and a site of different domains."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chromium import Chromium
from demo.app import Application
from demo.page import DEEP_LINK
from demo.stack import Stack
from idps.settings import ServiceProvider
from idps.simplesamlphp import SimpleSamlPhp
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx

HTTPS_HOST = "app.example.com"


@pytest.fixture
def application() -> Iterator[Application]:
    app = Application()
    yield app
    app.stop()


def start_site(
    nginx: Nginx, idp: SimpleSamlPhp, app: Application, *, server: str = "", binding: str = "redirect",
    host: str = "localhost", keys: KeyStore | None = None, more_http: str = "", auth: str = "campus",
) -> str:  # fmt: skip
    """A protected site in front of the sample application; returns its address."""
    tls = ""
    if keys is not None:
        pair = keys.tls(host)
        tls = f"ssl_certificate {pair.certificate_file}; ssl_certificate_key {pair.key_file};"
    base = f"{'https' if keys else 'http'}://{host}:{nginx.port()}"
    nginx.configure(
        f"""
        saml_idp campus {{
            display_name "Campus";
            entity_id {idp.entity_id};
            sso_url {idp.sso_url} {binding};
            certificate {idp.certificate_file};
        }}
        {more_http}
        server {{
            listen 127.0.0.1:%%port:site%% {"ssl" if keys else ""};
            server_name {host};
            {tls}
            saml_entity_id {base}/saml/metadata;
            {server}
            location / {{
                auth_saml {auth};
                proxy_pass http://127.0.0.1:{app.port};
            }}
        }}
        """
    )
    idp.register(ServiceProvider(f"{base}/saml/metadata", f"{base}/saml/acs"))
    nginx.start()
    return base


def is_at(url: str) -> Callable[[Chromium], bool]:
    return lambda chromium: chromium.url == url


def test_the_request_form_submits_itself(
    nginx: Nginx, demo: Stack, application: Application, chromium: Chromium
) -> None:
    base = start_site(nginx, demo.idp, application, binding="post", server="saml_cookie post_session;")
    chromium.open(base + DEEP_LINK)
    chromium.wait_for(lambda each: each.url.startswith(demo.idp.base_url), "the identity provider")
    assert chromium.console() == []
    chromium.log_in()
    chromium.wait_for(is_at(base + DEEP_LINK), "the deep link")
    assert chromium.text("#user") == "student@example.com"


def test_the_request_form_has_a_button_without_javascript(
    nginx: Nginx, demo: Stack, application: Application, open_chromium: Callable[..., Chromium]
) -> None:
    base = start_site(nginx, demo.idp, application, binding="post", server="saml_cookie post_session;")
    chromium = open_chromium(javascript=False)
    chromium.open(base + DEEP_LINK)
    assert chromium.url == base + DEEP_LINK
    assert "JavaScript is off" in chromium.text("main")
    chromium.take_pictures("request-form")
    chromium.click("form button")
    assert chromium.url.startswith(demo.idp.base_url)
    chromium.log_in()
    # The identity provider's answer waits for its own button.
    chromium.click("form button")
    chromium.wait_for(is_at(base + DEEP_LINK), "the deep link")
    assert chromium.text("#user") == "student@example.com"


def test_error_page(demo: Stack, chromium: Chromium) -> None:
    chromium.open(demo.base_url + "/saml/login?idp=nobody")
    assert chromium.text("h1") == "There is no login for this address"
    assert len(chromium.text(".reference code")) == 8
    # The status of the page itself is the only thing to complain about.
    assert [each for each in chromium.console() if "403" not in each] == []
    chromium.take_pictures("error")


def test_choice_of_identity_providers(
    nginx: Nginx, demo: Stack, application: Application, chromium: Chromium
) -> None:
    second = f"""
        saml_idp partner {{
            display_name "Partner & Söhne";
            entity_id https://partner.example.net/metadata;
            sso_url https://partner.example.net/sso;
            certificate {demo.idp.certificate_file};
        }}
    """
    base = start_site(
        nginx, demo.idp, application, more_http=second, auth="campus partner", server="saml_cookie choice_session;"
    )
    chromium.open(base + DEEP_LINK)
    links = chromium.driver.find_elements("css selector", "main a")
    assert [each.text for each in links] == ["Log in using Campus SSO", "Log in using Partner & Söhne SSO"]
    assert chromium.console() == []
    chromium.take_pictures("login")
    chromium.click("main a")
    chromium.log_in()
    chromium.wait_for(is_at(base + DEEP_LINK), "the deep link")


def many(count: int, certificate: object) -> str:
    return "".join(
        f"""
        saml_idp org{number} {{
            display_name "Organisation {number}";
            entity_id https://org{number}.example.net/metadata;
            sso_url https://org{number}.example.net/sso;
            certificate {certificate};
            email_domains org{number}.example.net;
        }}
        """
        for number in range(count)
    )


def test_the_last_choice_comes_first(
    nginx: Nginx, demo: Stack, application: Application, chromium: Chromium
) -> None:
    base = start_site(nginx, demo.idp, application, more_http=many(2, demo.idp.certificate_file),
                      auth="org0 campus org1", server="saml_cookie last_session;")  # fmt: skip
    chromium.open(base + DEEP_LINK)
    chromium.driver.find_element("link text", "Log in using Campus SSO").click()
    chromium.log_in()
    chromium.wait_for(is_at(base + DEEP_LINK), "the deep link")
    chromium.driver.delete_cookie("last_session")
    chromium.open(base + DEEP_LINK)
    links = [each.text for each in chromium.driver.find_elements("css selector", "main a")]
    others = ["Log in using Organisation 0 SSO", "Log in using Organisation 1 SSO"]
    assert links == ["Log in using Campus SSO\nUsed last time", *others]
    assert chromium.console() == []
    chromium.take_pictures("login-last")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no_script"])
def test_the_email_address_finds_the_idp(
    nginx: Nginx, demo: Stack, application: Application, open_chromium: Callable[..., Chromium], javascript: bool
) -> None:
    """With the keyboard alone: the field has a label, an error is announced, Enter sends the form."""
    idps = many(9, demo.idp.certificate_file).replace("email_domains org3.", "email_domains .org3.")
    names = "campus " + " ".join(f"org{number}" for number in range(9))
    base = start_site(nginx, demo.idp, application, more_http=idps, auth=names, server="saml_cookie many_session;")
    chromium = open_chromium(javascript=javascript)
    chromium.open(base + DEEP_LINK)
    assert not chromium.driver.find_elements("css selector", "main a")
    field = chromium.find("input[type=email]")
    assert field.accessible_name == "Your work e-mail address"
    chromium.take_pictures("login-email")
    field.send_keys("ada@nowhere.example\n")
    chromium.wait_for(lambda each: bool(each.driver.find_elements("css selector", "[role=alert]")), "the page again")
    assert "No login was found" in chromium.text("[role=alert]")
    field = chromium.find("input[type=email]")
    assert field.get_attribute("value") == "ada@nowhere.example"
    chromium.take_pictures("login-email-unknown")
    assert chromium.console() == []
    field.clear()
    field.send_keys("ada@mail.org3.example.net\n")
    chromium.wait_for(lambda each: "org3.example.net" in each.url, "the identity provider")


def test_logout_asks_before_it_is_done(demo: Stack, chromium: Chromium) -> None:
    chromium.open(demo.base_url + "/")
    chromium.log_in()
    chromium.wait_for(is_at(demo.base_url + "/"), "the application")
    chromium.open(demo.base_url + "/saml/logout?return=/public")
    assert chromium.text("h1") == "Log out?"
    chromium.take_pictures("logout")
    chromium.click("form button")
    assert chromium.url == demo.base_url + "/public"
    assert chromium.console() == []
    assert chromium.text("h1") == "Nobody is logged in"


def test_logout_form_over_plain_http(nginx: Nginx, demo: Stack, application: Application, chromium: Chromium) -> None:
    """Without https browsers send no Fetch Metadata: the form's Origin alone tells that it is ours."""
    host = "plain.example.com"
    base = start_site(nginx, demo.idp, application, host=host)
    chromium.open(base + "/saml/logout")
    chromium.click("form button")
    assert chromium.text("h1") == "You are logged out"


@pytest.mark.parametrize("same_site", ["lax", "strict", "none"])
def test_an_identity_provider_of_another_domain(
    nginx: Nginx, demo: Stack, application: Application, chromium: Chromium, keys: KeyStore, same_site: str
) -> None:
    cookie = f"saml_cookie saml_session samesite={same_site};"
    base = start_site(nginx, demo.idp, application, host=HTTPS_HOST, keys=keys, server=cookie)
    chromium.open(base + DEEP_LINK)
    chromium.log_in()
    chromium.wait_for(is_at(base + DEEP_LINK), "the deep link")
    assert chromium.text("#user") == "student@example.com"
    cookies = {each["name"]: each for each in chromium.driver.get_cookies()}
    session = cookies["__Host-saml_session"]
    assert (session["httpOnly"], session["secure"], session["sameSite"]) == (True, True, same_site.capitalize())
    assert chromium.console() == []

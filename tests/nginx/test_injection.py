"""What a client or an IdP sends stays text: on our pages, in our headers, and within frames of nobody."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator

import lxml.html
import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import raw_request
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite

HTML = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"
# An IdP by POST binding, one with markup in its name, and a server for each page that there is.
SERVERS = """
    saml_idp posting {
        entity_id https://idp.example.com/metadata; sso_url "https://idp.example.com/sso?a=1&lt=2&copy" post;
        certificate %%certificate%%; display_name "<b>Acme</b> & 'Co' </title><script>x()</script>";
    }
    server {
        listen 127.0.0.1:%%port:site%%; server_name post.example.com; saml_entity_id https://post.example.com/;
        location / { auth_saml posting; proxy_pass http://%%upstream%%; }
    }
    server {
        listen 127.0.0.1:%%port:site%%; server_name choice.example.com; saml_entity_id https://choice.example.com/;
        location / { auth_saml test posting; proxy_pass http://%%upstream%%; }
    }
    server {
        listen 127.0.0.1:%%port:site%%; server_name strict.example.com; saml_entity_id https://strict.example.com/;
        saml_cookie saml_session samesite=strict;
        location / { auth_saml test; proxy_pass http://%%upstream%%; }
    }
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    servers = SERVERS.replace("%%certificate%%", str(keys.get("idp").certificate_file))
    with running_site(tmp_path_factory.mktemp("injection"), keys, tls=False, http=servers) as running:
        yield running


def ask(site: SamlSite, server: str, target: str, *, method: str = "GET") -> Response:
    """A navigation to this very target, byte for byte."""
    port = site.nginx.port("site")
    head = f"{method} {target} HTTP/1.1\r\nHost: {server}.example.com:{port}\r\n{HTML}"
    if method == "POST":
        head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n"
    return raw_request(f"http://{server}.example.com:{port}/", head + "\r\n" + ("a=b" if method == "POST" else ""))


def browser_of(answer: Response) -> Browser:
    browser = Browser()
    for cookie in answer.all("Set-Cookie"):
        browser.cookies.store(answer.url, cookie)
    return browser


# Where a target comes back


def redirect(site: SamlSite, target: str) -> list[Response]:
    started = ask(site, "app", target)
    browser = browser_of(started)
    request = site.idp.read_request(started)
    refused = site.idp.post(browser, site.idp.answer(request, status=[names.RESPONDER], status_message=target))
    return [started, refused, site.idp.post(browser, site.idp.answer(request))]


def posting_page(site: SamlSite, target: str) -> list[Response]:
    return [ask(site, "post", target)]


def choice_page(site: SamlSite, target: str) -> list[Response]:
    return [ask(site, "choice", target)]


def form_not_sent(site: SamlSite, target: str) -> list[Response]:
    return [ask(site, "app", target, method="POST")]


def strict_page(site: SamlSite, target: str) -> list[Response]:
    started = ask(site, "strict", target)
    return [site.idp.post(browser_of(started), site.idp.answer(site.idp.read_request(started)))]


def argument(target: str) -> str:
    return "".join(each if each.isalnum() else f"%{ord(each):02x}" for each in target)


def logout_pages(site: SamlSite, target: str) -> list[Response]:
    asked = f"/saml/logout?return={argument(target)}"
    return [ask(site, "app", asked), ask(site, "app", asked, method="POST")]


def chosen_idp(site: SamlSite, target: str) -> list[Response]:
    return [ask(site, "app", f"/saml/login?idp={argument(target)}&return={argument(target)}")]


PLACES: list[Callable[[SamlSite, str], list[Response]]] = [
    redirect, posting_page, choice_page, form_not_sent, strict_page, logout_pages, chosen_idp,
]  # fmt: skip

# Request targets, one byte a character.
LINES = [
    "/a%0d%0aX-Evil:%201", "/a%0aX-Evil:1", "/a%0dX-Evil:1", "/a?b=%0d%0aSet-Cookie:%20saml_session=evil",
    "/%0d%0a%0d%0a<script>x()</script>", "/a%E5%98%8A%E5%98%8DX-Evil:1", "/a\xe5\x98\x8a\xe5\x98\x8dX-Evil:1",
    "/a\xe2\x80\xa8x", "/a%e2%80%a8x", "/a\xc2\x85x", "/a\x80\x9f\xa0\xff", "/a?\xff\xfe=\x80", "/a?c=%00",
    "/a%1b[31m", "/a%7f", "/a?x=\xef\xbb\xbf", "/a\xf0\x9f\x98\x80",
]  # fmt: skip
MARKUP = [
    "/<script>x()</script>", "/?\"><script>x()</script>", "/?'><img/src=x/onerror=x()>", "/?</script><script>x()",
    "/?</title></style></textarea>--></noscript><script>x()</script>", "/?\"onfocus=x()/autofocus=\"", "/?'onclick='x()",
    "/?`onmouseover=x()", "/?&quot;&gt;&lt;script&gt;", "/?%22%3e%3cscript%3ex()%3c/script%3e", "/?<!--", "/?]]>",
    "/?{{7*7}}${7*7}<%=7*7%>", "/?a&lt=1&amp=2&copy=3", "/?\\u003cscript\\u003e", "/?+ADw-script+AD4-",
    "/?\"><meta/http-equiv=refresh/content=0;url=//evil.example>", "/?\"></form><form/action=//evil.example>",
    "/?\"><base/href=//evil.example/>",
]  # fmt: skip


def shape(page: Response) -> list[tuple[str, list[str]]]:
    """Elements and their attributes' names, scripts and styles with their text."""
    if not page.body.strip():
        return []
    parser = lxml.html.HTMLParser(encoding="utf-8")
    found = []
    for element in lxml.html.document_fromstring(page.body, parser=parser).iter(lxml.etree.Element):
        text = (element.text or "") if element.tag in ("script", "style", "title") else ""
        found.append((f"{element.tag} {text}", sorted(element.attrib)))
    return found


def check_headers(answer: Response) -> None:
    for name, value in answer.headers:
        assert name.lower() not in ("x-evil",) and "\n" not in value and value.isascii(), (name, value)
        assert all(" " <= each <= "~" for each in value), (name, value)
    for cookie in answer.all("Set-Cookie"):
        assert "evil" not in cookie, cookie


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"RELAY-CRLF-{place.__name__}")
def test_no_target_breaks_out_of_a_header(site: SamlSite, place: Callable[[SamlSite, str], list[Response]]) -> None:
    plain = [(answer.status, shape(answer)) for answer in place(site, "/plain?a=b")]
    for target in LINES:
        for answer, (status, usual) in zip(place(site, target), plain, strict=True):
            check_headers(answer)
            # A logout has nowhere to go when the address is not one of ours: then it is a page.
            if place is not logout_pages:
                assert (answer.status, shape(answer)) == (status, usual), target


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"POSTBACK-XSS-{place.__name__}")
def test_no_target_becomes_markup(site: SamlSite, place: Callable[[SamlSite, str], list[Response]]) -> None:
    plain = [(answer.status, shape(answer)) for answer in place(site, "/plain?a=b")]
    for target in MARKUP:
        for answer, (status, usual) in zip(place(site, target), plain, strict=True):
            check_headers(answer)
            if place is not logout_pages:
                assert (answer.status, shape(answer)) == (status, usual), target
            assert "<script>x()" not in answer.text and "evil.example>" not in answer.text, target


# Names and addresses of the IdP


def test_postback_xss_the_idps_own_names_are_text(site: SamlSite) -> None:
    choice = ask(site, "choice", "/page")
    assert "&lt;b&gt;Acme&lt;/b&gt; &amp; " in choice.text and "<b>Acme" not in choice.text
    assert "<script>" not in choice.text
    form = ask(site, "post", "/page").form()
    assert form.action == "https://idp.example.com/sso?a=1&lt=2&copy"
    assert set(form.fields) == {"SAMLRequest", "RelayState"}


# Frames and scripts


def own_pages(site: SamlSite) -> dict[str, Response]:
    started = ask(site, "app", "/page")
    lost = site.idp.answer(site.idp.read_request(started))
    return {
        "posting": ask(site, "post", "/page"),
        "choice": ask(site, "choice", "/page"),
        "form_not_sent": ask(site, "app", "/page", method="POST"),
        "strict": strict_page(site, "/page")[0],
        "logout": ask(site, "app", "/saml/logout"),
        "logged_out": ask(site, "app", "/saml/logout", method="POST"),
        "refused": redirect(site, "/page")[1],
        "unknown_idp": ask(site, "app", "/saml/login?idp=nobody"),
        "no_answer": ask(site, "app", "/saml/acs", method="POST"),
        "unsolicited": site.idp.post(Browser(), lost, RelayState="x"),
    }


PAGES = [
    "posting", "choice", "form_not_sent", "strict", "logout", "logged_out", "refused", "unknown_idp", "no_answer",
    "unsolicited",
]  # fmt: skip


@pytest.fixture(scope="module")
def pages(site: SamlSite) -> dict[str, Response]:
    return own_pages(site)


@pytest.mark.parametrize("name", PAGES, ids=[f"FRAME-{name}" for name in PAGES])
def test_no_frame_no_foreign_script_no_sniffing(pages: dict[str, Response], name: str) -> None:
    assert set(pages) == set(PAGES)
    page = pages[name]
    assert page.text.startswith("<!DOCTYPE html>"), f"{page.status} {page.text[:200]}"
    policy = page.header("Content-Security-Policy") or ""
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["frame-ancestors"] == "'none'" and rules["base-uri"] == "'none'"
    assert "unsafe" not in policy
    for script in re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules["script-src"]
    assert not re.findall(r"<script\s|<iframe|\son[a-z]+=", page.text)
    assert page.header("X-Content-Type-Options") == "nosniff"
    assert page.header("Cache-Control") == "no-store"
    assert page.header("Content-Type") == "text/html; charset=utf-8"

"""Pages of the operator's own (docs/templates.md)."""

from __future__ import annotations

import re

from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite

ERROR = """<style>p{}</style><p>{{what}} <b>{{reason}} {{reference}}</b>
{{#retry_url}}<a href="{{retry_url}}">Again</a>{{/retry_url}}"""


def documented_page() -> str:
    text = (REPOSITORY / "docs/templates.md").read_text()
    return re.search(r"```html\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]


def test_the_documented_login_page(site: SamlSite, browser: Browser, keys: KeyStore) -> None:
    folder = site.nginx.folder
    other = TestIdp(keys.get("other"), "https://other.example.org/idp", "https://other.example.org/sso")
    metadata = other.write_metadata(folder / "other.xml")
    (folder / "login.html").write_text(documented_page())
    site.start(
        http=f'saml_idp other {{ metadata {metadata}; display_name "A & <B>"; email_domains other.example.org; }}',
        auth_saml="test other", server=f"saml_login_template {folder}/login.html;",
    )  # fmt: skip
    page = browser.get(site.url("/page?x=1"))
    assert page.status == 200 and "<h1>Welcome</h1>" in page.text and "Log in using A &amp; &lt;B&gt; SSO" in page.text
    policy = page.header("Content-Security-Policy") or ""
    assert "sha256-" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    again = browser.submit(page.form(having="email"), {"email": '"><script>@nowhere.test'})
    assert "We do not know this address" in again.text and "<script>" not in again.text
    answer = browser.submit(again.form(having="email"), {"email": "ada@other.example.org"})
    assert other.read_request(answer).endpoint == other.sso_url


def test_the_error_page(site: SamlSite, browser: Browser) -> None:
    (site.nginx.folder / "error.html").write_text(ERROR)
    site.start(server=f"saml_error_template {site.nginx.folder}/error.html;")
    answer = site.refused(browser, "/page", audiences=["https://other.example.com"])
    reference = re.search(r"<b>audience_mismatch ([0-9a-f]{8})</b>", answer.text)
    assert answer.status == 403 and reference and f'href="{site.url("/saml/login?return=%2Fpage")}"' in answer.text
    site.nginx.wait_for_log(f"ref={reference[1]}")
    assert answer.header("Cache-Control") == "no-store"


def test_other_servers_keep_ours(site: SamlSite, browser: Browser) -> None:
    (site.nginx.folder / "error.html").write_text(ERROR)
    site.start(http=f"saml_error_template {site.nginx.folder}/error.html;")
    assert "<b>unknown_idp " in browser.get(site.url("/saml/login?idp=nobody")).text
    site.configure()
    site.nginx.reload()
    assert "Reference number" in browser.get(site.url("/saml/login?idp=nobody")).text

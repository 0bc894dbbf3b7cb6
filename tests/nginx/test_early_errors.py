"""Requests that nginx refuses while it reads their headers: they reach an `error_page` past the post-read phase."""

from __future__ import annotations

import pytest

from sallyport_testing.raw_http import raw_request
from sallyport_testing.site import SamlSite

# The rewrite module copies headers before any later phase could take them out.
LOCATIONS = """
    location = /sorry {
        set $copied $http_x_sso_user;
        proxy_set_header X-Copied "$copied";
        proxy_pass http://%%upstream%%;
    }
    location @sorry { proxy_pass http://%%upstream%%; }
"""
SPOOFED = b"X-SSO-User: admin\r\nX_SSO_Groups: root\r\nCookie: saml_session=AAAA; theme=dark\r\n"

EARLY = {
    "two_hosts": b"GET / HTTP/1.1\r\nHost: app.example.com\r\n" + SPOOFED + b"Host: b.example.com\r\n\r\n",
    "header_too_large": b"GET / HTTP/1.1\r\nHost: app.example.com\r\n" + SPOOFED + b"X-Large: "
    + b"x" * 40000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("page", ["/sorry", "@sorry"])
@pytest.mark.parametrize("request_bytes", EARLY.values(), ids=EARLY)
def test_hdr_spoof_nothing_reaches_an_error_page(
    http_site: SamlSite, page: str, request_bytes: bytes
) -> None:
    http_site.start(
        server=f"error_page 400 494 {page}; underscores_in_headers on;", locations=LOCATIONS
    )
    raw_request(http_site.base_url, request_bytes)
    for seen in http_site.upstream.requests:
        names = [name.lower().replace("_", "-") for name, _ in seen.headers]
        assert not [name for name in names if name.startswith("x-sso-")]
        assert "admin" not in str(seen.headers)
        assert "AAAA" not in str(seen.headers)
    assert http_site.upstream.requests

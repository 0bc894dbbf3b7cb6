"""Requests that fail while their headers are read reach error_page without nginx's post-read phase."""

from __future__ import annotations

import pytest

from sallyport_testing.raw_http import RawConnection
from sallyport_testing.site import SamlSite

LOCATIONS = """
            location = /too-large {{
                internal;
                {auth}
                proxy_pass http://%%upstream%%;
            }}
"""


@pytest.mark.parametrize("auth", ["auth_saml off;", "auth_saml test; auth_saml_mode optional;"])
def test_forged_headers_do_not_come_through_an_error_page(http_site: SamlSite, auth: str) -> None:
    http_site.start(
        http="ignore_invalid_headers off;",
        server="error_page 494 = /too-large; large_client_header_buffers 2 1k; client_header_buffer_size 1k;",
        locations=LOCATIONS.format(auth=auth),
    )
    request = (
        "GET /page HTTP/1.1\r\nHost: app.example.com\r\nX-SSO-User: forged\r\nx.sso.groups: admins\r\n"
        f"X-Kept: yes\r\nCookie: saml_session={'A' * 43}\r\nX-Long: {'a' * 3000}\r\n\r\n"
    )
    with RawConnection(http_site.url()) as connection:
        echoed = connection.send(request).response().echo()
    assert echoed.header("X-Kept") == "yes"
    assert echoed.header("X-SSO-User") is None
    assert echoed.header("x.sso.groups") is None
    assert echoed.header("Cookie") is None

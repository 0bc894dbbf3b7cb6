"""Logging in at a real identity provider through its own form, as a person does."""

from __future__ import annotations

from idps.settings import USERS

from .browser import Browser
from .http_response import Response

MAX_PAGES = 5


def log_in_at(browser: Browser, response: Response, user: str = "student", password: str | None = None) -> Response:
    """From the SP's answer that leads to the IdP to the IdP's page with the SAMLResponse form."""
    page = response
    for _ in range(MAX_PAGES):
        page = browser.follow(page)
        fields = [name for form in page.forms() for name in form.fields]
        if "SAMLResponse" in fields:
            return page
        if "SAMLRequest" in fields and "username" not in fields:
            page = browser.submit(page.form(having="SAMLRequest"))
        elif "username" in fields:
            secret = USERS[user].password if password is None else password
            page = browser.submit(page.form(having="username"), {"username": user, "password": secret})
        else:
            raise AssertionError(f"{page.url}: neither a login form nor an answer\n{page.text[:3000]}")
    raise AssertionError(f"no SAMLResponse after {MAX_PAGES} pages, now at {page.url}")


def log_in(browser: Browser, url: str, user: str = "student") -> Response:
    """Open a protected page, log in, and come back to where the SP leads."""
    page = log_in_at(browser, browser.get(url), user)
    return browser.follow(browser.submit(page.form(having="SAMLResponse")))

"""Metadata by URL: fetched, checked, kept, put in force in all workers without a reload."""

from __future__ import annotations

import datetime
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey, aggregate_xml, entity_descriptor
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.metadata_server import MetadataServer
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until
from sallyport_testing.xml_signature import sign

SECONDS = 10


@pytest.fixture
def server(keys: KeyStore, site: SamlSite) -> Iterator[MetadataServer]:
    with MetadataServer(keys.get("metadata-tls", "ec256", hosts=("localhost",))) as running:
        running.documents["/metadata"] = site.idp.metadata()
        yield running


class Fetched:
    """A site whose IdP's metadata is by URL; `cache` is the folder of copies."""

    def __init__(self, site: SamlSite, server: MetadataServer) -> None:
        self.site, self.server = site, server
        self.cache = site.nginx.folder / "cache"
        self.nginx = site.nginx

    def configure(self, lines: str = "metadata_refresh 1s;", *, path: str = "/metadata", http: str = "", **parts: str) -> "Fetched":
        self.site.configure(idp_block=f"metadata {self.server.url(path)}; {lines}",
                            http=f"saml_cache_path {self.cache}; {http}", **parts)  # fmt: skip
        file = self.nginx.config_file
        text = file.read_text()
        at = text.index("events {")
        file.write_text(f"{text[:at]}env SSL_CERT_FILE={self.server.tls.certificate_file};\n{text[at:]}")
        return self

    def start(self, lines: str = "metadata_refresh 1s;", **parts: str) -> "Fetched":
        self.configure(lines, **parts)
        self.nginx.start()
        return self

    def has_come(self) -> None:
        """In every worker: each looks once a second, and one of them says so."""
        wait_until(lambda: self.status() == 302, SECONDS, "the metadata to be in force")
        time.sleep(2.5)
        assert all(self.status() == 302 for _ in range(8))

    def status(self) -> int:
        return Browser().get(self.site.url("/page")).status

    def logs_in(self, **changes: object) -> bool:
        browser = Browser()
        request = self.site.idp.read_request(browser.get(self.site.url("/page")))
        answer = self.site.idp.post(browser, self.site.idp.answer(request, **changes))
        assert answer.status in (303, 403), answer.status
        return answer.status == 303

    def all_workers(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(lambda: all(condition() for _ in range(6)), SECONDS, what)

    def copies(self) -> list[Path]:
        return sorted(self.cache.glob("*.xml"))


@pytest.fixture
def fetched(site: SamlSite, server: MetadataServer) -> Fetched:
    return Fetched(site, server)


def in_time(seconds: float) -> datetime.datetime:
    """So long from now, in whole seconds as metadata says it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=seconds)


def signed(document: bytes, key: KeyPair) -> bytes:
    root = etree.fromstring(document)
    root.set("ID", "_metadata")
    sign(root, key)
    return etree.tostring(root)


def test_sdp_md01_it_comes_and_people_log_in(fetched: Fetched) -> None:
    fetched.start()
    fetched.has_come()
    assert fetched.logs_in()
    (copy,) = fetched.copies()
    assert copy.read_bytes() == fetched.server.documents["/metadata"]
    line = fetched.nginx.wait_for_log('saml: metadata of saml_idp "test" is in force: .*')[0]
    assert f"entity_id={fetched.site.idp.entity_id}" in line and "+certificate " in line
    assert fetched.nginx.error_log().count("is in force") == 1, "one worker says so"


def test_without_it_that_idp_alone_waits(fetched: Fetched, keys: KeyStore) -> None:
    """503 with a page; the other IdP and public pages work; and it comes by itself."""
    document = fetched.server.documents.pop("/metadata")
    other = TestIdp(keys.get("other"), "https://other.example.org/idp", "https://other.example.org/sso")
    file = other.write_metadata(fetched.nginx.folder / "other.xml")
    fetched.start(http=f"saml_idp other {{ metadata {file}; }}", locations="""
        location /other { auth_saml other; proxy_pass http://%%upstream%%; }
        location /public { return 200; }""")  # fmt: skip
    answer = Browser().get(fetched.site.url("/page"))
    assert answer.status == 503 and answer.header("Retry-After") and "Reference number" in answer.text
    assert not answer.all("Set-Cookie")
    assert Browser().get(fetched.site.url("/public")).status == 200
    assert Browser().get(fetched.site.url("/other")).status == 302
    fetched.nginx.wait_for_log('metadata of saml_idp "test" by .* is not taken: the server answered 404; there is none yet')
    fetched.nginx.wait_for_log("reason=idp_unavailable idp=test")
    fetched.server.documents["/metadata"] = document
    fetched.has_come()
    assert fetched.logs_in()


def test_sdp_md01_key_rollover_needs_nobodys_hands(fetched: Fetched, keys: KeyStore) -> None:
    """Two certificates, then the new one alone; sessions live on."""
    site, new = fetched.site, keys.get("idp-new")
    fetched.start()
    fetched.has_come()
    browser = Browser()
    site.login(browser)
    assert not fetched.logs_in(key=new)
    both = [MetadataKey(site.idp.key), MetadataKey(new)]
    fetched.server.documents["/metadata"] = site.idp.metadata(keys=both)
    fetched.all_workers(lambda: fetched.logs_in(key=new), "the new key to count")
    assert fetched.logs_in()
    fetched.server.documents["/metadata"] = site.idp.metadata(keys=[MetadataKey(new)])
    fetched.all_workers(lambda: not fetched.logs_in(), "the old key to count no more")
    assert fetched.logs_in(key=new)
    assert browser.get(site.url("/page")).status == 200
    log = fetched.nginx.error_log()
    assert len([line for line in log.splitlines() if "is in force: +certificate" in line]) == 1
    assert len([line for line in log.splitlines() if "is in force: -certificate" in line]) == 1


def test_a_new_address_of_the_idp(fetched: Fetched) -> None:
    fetched.start()
    fetched.has_come()
    fetched.site.idp.sso_url = "https://idp.example.com/elsewhere"
    fetched.server.documents["/metadata"] = fetched.site.idp.metadata()
    fetched.all_workers(lambda: "/elsewhere?" in (Browser().get(fetched.site.url("/")).location or ""), "the new address")
    time.sleep(2.5)
    assert fetched.logs_in()


def bad_documents(site: SamlSite, keys: KeyStore) -> dict[str, bytes]:
    idp = site.idp
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    return {
        "expired": idp.metadata(valid_until=past),
        "without_a_key": idp.metadata(keys=[]),
        "without_an_address": idp.metadata(sso=[]),
        "of_another_entity": TestIdp(keys.get("other"), "https://other.example.org/idp").metadata(),
        "no_xml": b"<html>Sorry</html>",
        "cut": idp.metadata()[:-30],
        "empty": b"",
        "with_a_doctype": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + idp.metadata().split(b"?>", 1)[1],
    }


def test_meta_sig_nothing_bad_replaces_a_good_one(fetched: Fetched, keys: KeyStore) -> None:
    """META-SIG: expired, emptied, foreign, broken, too large."""
    fetched.start()
    fetched.has_come()
    good = fetched.copies()[0].read_bytes()
    for name, document in bad_documents(fetched.site, keys).items():
        fetched.server.documents["/metadata"] = document
        before = fetched.nginx.error_log().count("is not taken")
        wait_until(lambda: fetched.nginx.error_log().count("is not taken") > before, 25, f"a refusal: {name}")
        assert fetched.copies()[0].read_bytes() == good, name
        assert fetched.logs_in(), name
        # Back-off would make the test slow: a reload asks again.
        fetched.nginx.reload()
    assert "the one before stays in force" in fetched.nginx.error_log()


def test_meta_sig_too_large(fetched: Fetched) -> None:
    """META-SIG"""
    fetched.server.documents["/metadata"] = fetched.site.idp.metadata() + b" " * 16384
    fetched.start(server="saml_max_metadata_size 16k;")
    fetched.nginx.wait_for_log(r"is not taken: it is larger than saml_max_metadata_size .16384 bytes")
    fetched.nginx.stop()
    fetched.configure(server="saml_max_metadata_size 64k;")
    fetched.nginx.start()
    fetched.has_come()


def test_meta_sig_signed_metadata(fetched: Fetched, keys: KeyStore) -> None:
    """META-SIG: unsigned, signed by another, changed."""
    federation, idp = keys.get("federation"), fetched.site.idp
    fetched.server.documents["/metadata"] = idp.metadata()
    fetched.start(f"metadata_refresh 1s; metadata_certificate {federation.certificate_file};")
    fetched.nginx.wait_for_log("is not taken: the signature of the metadata is no good .signature_missing")
    fetched.server.documents["/metadata"] = signed(idp.metadata(), idp.key)
    fetched.nginx.wait_for_log("is not taken: the signature of the metadata is no good .signature_invalid")
    assert fetched.status() == 503 and fetched.copies() == []
    fetched.server.documents["/metadata"] = signed(idp.metadata(), federation)
    fetched.has_come()
    assert fetched.logs_in()


def test_meta_sig_rolled_back(fetched: Fetched, keys: KeyStore) -> None:
    """META-SIG: an older document, with a key that was given up."""
    federation, idp, leaked = keys.get("federation"), fetched.site.idp, keys.get("idp-leaked")
    day = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    fetched.server.documents["/metadata"] = signed(idp.metadata(valid_until=day), federation)
    fetched.start(f"metadata_refresh 1s; metadata_certificate {federation.certificate_file};")
    fetched.has_come()
    older = idp.metadata(valid_until=day - datetime.timedelta(hours=1), keys=[MetadataKey(leaked), MetadataKey(idp.key)])
    fetched.server.documents["/metadata"] = signed(older, federation)
    fetched.nginx.wait_for_log("is not taken: the metadata is older than that in force")
    assert not fetched.logs_in(key=leaked) and fetched.logs_in()


def test_meta_sig_rolled_back_without_a_date(fetched: Fetched, keys: KeyStore) -> None:
    """META-SIG: the signer's older document may have had no validUntil. Whoever is trusted for TLS alone may drop it."""
    federation, idp, leaked = keys.get("federation"), fetched.site.idp, keys.get("idp-leaked")
    day = in_time(86400)
    fetched.server.documents["/metadata"] = signed(idp.metadata(valid_until=day), federation)
    fetched.start(f"metadata_refresh 1s; metadata_certificate {federation.certificate_file};")
    fetched.has_come()
    both = [MetadataKey(leaked), MetadataKey(idp.key)]
    fetched.server.documents["/metadata"] = signed(idp.metadata(keys=both), federation)
    fetched.nginx.wait_for_log("is not taken: the metadata has no validUntil, and that in force has")
    assert not fetched.logs_in(key=leaked) and fetched.logs_in()
    fetched.nginx.stop()
    fetched.server.documents["/metadata"] = idp.metadata(valid_until=day)
    fetched.start()
    fetched.has_come()
    fetched.server.documents["/metadata"] = idp.metadata(keys=both)
    fetched.all_workers(lambda: fetched.logs_in(key=leaked), "the document without validUntil to count")


class Expiring:
    """Metadata that has come, of which nothing newer comes before it expires; `asked` and `browser` begin their logins before."""

    def __init__(self, fetched: Fetched, lines: str = "", **parts: str) -> None:
        self.fetched, self.site = fetched, fetched.site
        self.end = in_time(9)
        fetched.server.documents["/metadata"] = self.site.idp.metadata(valid_until=self.end)
        fetched.start(f"metadata_refresh 2s; {lines}", **parts)
        fetched.has_come()
        self.user, self.browser = Browser(), Browser()
        self.site.login(self.user)
        self.asked = self.site.idp.read_request(self.browser.get(self.site.url("/page")))
        assert datetime.datetime.now(datetime.timezone.utc) < self.end, "this machine is too slow for this test"

    def wait(self) -> None:
        left = self.end - datetime.datetime.now(datetime.timezone.utc)
        time.sleep(max(left.total_seconds(), 0) + 0.5)


def test_meta_sig_expired_while_nginx_runs(fetched: Fetched) -> None:
    """META-SIG: the last good one counts until its own validUntil; then no login begins or ends, and sessions go on."""
    expiring = Expiring(fetched, "allow_unsolicited on;", locations="""
        location /any { satisfy any; auth_saml test; auth_basic off; deny all; proxy_pass http://%%upstream%%; }""")  # fmt: skip
    site, nginx = fetched.site, fetched.nginx
    expiring.wait()
    for _ in range(6):
        answer = Browser().get(site.url("/page"))
        assert answer.status == 503 and answer.header("Retry-After") and "Reference number" in answer.text
        assert not answer.all("Set-Cookie")
        assert site.idp.post(expiring.browser, site.idp.answer(expiring.asked)).status == 503
        tile = site.idp.unsolicited(site.acs_url, site.entity_id, relay_state="/page")
        assert site.idp.post(Browser(), tile).status == 503
        assert "/sso" not in (Browser().get(site.url("/any")).location or "")
        assert expiring.user.get(site.url("/page")).status == 200
    expired = expiring.end.strftime("%Y-%m-%dT%H:%M:%SZ")
    nginx.wait_for_log(f"reason=idp_unavailable idp=test ref=[0-9a-f]* detail: its metadata expired at {expired}")
    nginx.wait_for_log(f"is not taken: .*; the one before expired at {expired}, so nobody can log in there")
    assert nginx.error_log().count(f'saml: metadata of saml_idp "test" by {fetched.server.url()} expired at {expired}') == 1
    fetched.server.documents["/metadata"] = site.idp.metadata(valid_until=in_time(3600))
    fetched.has_come()
    assert fetched.logs_in() and expiring.user.get(site.url("/page")).status == 200
    nginx.wait_for_log('saml: metadata of saml_idp "test" is in force: valid until ')


def test_meta_sig_expired_and_the_workers_die(fetched: Fetched) -> None:
    """META-SIG: the next workers begin with what nginx once read, which counts no more; nor does a reload let anybody in."""
    expiring = Expiring(fetched)
    fetched.nginx.reload()
    assert fetched.logs_in()
    expiring.wait()
    for worker in fetched.nginx.workers():
        os.kill(worker, 9)
    fetched.nginx.allow_in_log(r"exited on signal 9")
    wait_until(lambda: Browser().get(fetched.site.url("/page")).status == 503, SECONDS, "the new workers")
    assert all(fetched.status() == 503 for _ in range(6))
    fetched.nginx.reload()
    assert all(fetched.status() == 503 for _ in range(6))


def test_one_entity_of_several(fetched: Fetched, keys: KeyStore) -> None:
    idp = fetched.site.idp
    other = TestIdp(keys.get("other"), "https://other.example.org/idp", "https://other.example.org/sso")
    redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    fetched.server.documents["/metadata"] = aggregate_xml(
        [entity_descriptor(each.entity_id, [(redirect, each.sso_url)], [MetadataKey(each.key)]) for each in (other, idp)]
    )
    fetched.start(f"metadata_refresh 1s; metadata_entity {idp.entity_id};")
    fetched.has_come()
    assert fetched.logs_in()


def test_nginx_starts_from_the_copy_when_the_url_is_down(fetched: Fetched) -> None:
    fetched.start()
    fetched.has_come()
    fetched.nginx.stop()
    fetched.server.stop()
    fetched.nginx.start()
    assert fetched.logs_in()
    fetched.nginx.wait_for_log("is not taken: .*the one before stays in force")
    assert fetched.logs_in()


def test_a_broken_copy_is_not_used(fetched: Fetched) -> None:
    fetched.start()
    fetched.has_come()
    fetched.nginx.stop()
    fetched.copies()[0].write_bytes(b"<broken")
    assert "is not used" in fetched.nginx.test().output
    fetched.nginx.start()
    fetched.has_come()
    assert fetched.logs_in()


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_a_copy_that_is_no_file_holds_nobody_up(fetched: Fetched, kind: str) -> None:
    """The folder is the workers' own: what else lies there must not make a reload wait, or read what it names."""
    fetched.start()
    fetched.has_come()
    fetched.nginx.stop()
    copy = fetched.copies()[0]
    good = copy.rename(fetched.nginx.folder / "good.xml")
    {"pipe": lambda: os.mkfifo(copy), "link": lambda: copy.symlink_to(good), "folder": copy.mkdir}[kind]()
    assert "is not used" in fetched.nginx.test().output


def test_another_url_has_another_copy(fetched: Fetched, keys: KeyStore) -> None:
    """What one URL said pins nothing of another."""
    fetched.start()
    fetched.has_come()
    fetched.site.idp.entity_id = "https://new.example.org/idp"
    fetched.server.documents["/new"] = fetched.site.idp.metadata()
    fetched.configure(path="/new")
    fetched.nginx.reload()
    fetched.has_come()
    assert fetched.logs_in() and len(fetched.copies()) == 2


def test_reload_and_a_workers_death_keep_it(fetched: Fetched) -> None:
    fetched.start("metadata_refresh 1h;")
    fetched.has_come()
    fetched.nginx.reload()
    assert all(fetched.logs_in() for _ in range(4))
    for worker in fetched.nginx.workers():
        os.kill(worker, 9)
    fetched.nginx.allow_in_log(r"exited on signal 9")
    fetched.has_come()
    assert all(fetched.logs_in() for _ in range(4))


def test_other_traffic_does_not_wait(fetched: Fetched) -> None:
    """A server that hangs, and a worker that ends meanwhile."""
    fetched.server.delay = 8
    fetched.start(locations="location /public { return 200; }")
    wait_until(lambda: bool(fetched.server.requests), 5, "a request")
    slowest = 0.0
    for _ in range(20):
        begin = time.monotonic()
        assert Browser().get(fetched.site.url("/public")).status == 200
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 1
    begin = time.monotonic()
    fetched.nginx.stop()
    assert time.monotonic() - begin < 5


def test_only_https_and_few_redirections(fetched: Fetched) -> None:
    server = fetched.server
    server.redirects = {"/a": "/b", "/b": server.url("/metadata"), "/plain": "http://localhost:1/", "/file": "file:///etc/passwd",
                        "/loop": "/loop"}  # fmt: skip
    for path in ("/plain", "/file", "/loop"):
        fetched.configure(path=path)
        fetched.nginx.start()
        fetched.nginx.wait_for_log("is not taken: ")
        assert fetched.status() == 503 and fetched.copies() == []
        fetched.nginx.stop()
    fetched.configure(path="/a")
    fetched.nginx.start()
    fetched.has_come()


def test_sdp_md01_the_servers_certificate_counts(fetched: Fetched, keys: KeyStore) -> None:
    other = keys.get("metadata-other", "ec256", hosts=("localhost",))
    fetched.configure()
    text = fetched.nginx.config_file.read_text()
    fetched.nginx.config_file.write_text(text.replace(str(fetched.server.tls.certificate_file), str(other.certificate_file)))
    fetched.nginx.start()
    fetched.nginx.wait_for_log("is not taken: .*certificate")
    assert fetched.status() == 503


_REFUSING = r"""
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#undef curl_easy_setopt

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  va_list rest;
  va_start(rest, option);
  void *value = va_arg(rest, void *);
  va_end(rest);
  if (option == CURLOPT_REFUSED) return CURLE_UNKNOWN_OPTION;
  CURLcode (*genuine)(CURL *, CURLoption, ...) = (CURLcode (*)(CURL *, CURLoption, ...))dlsym(RTLD_NEXT, "curl_easy_setopt");
  return genuine(easy, option, value);
}
"""


@pytest.mark.parametrize("option", ["PROTOCOLS_STR", "REDIR_PROTOCOLS_STR", "SSL_VERIFYPEER", "SSL_VERIFYHOST", "CAINFO"])
def test_a_libcurl_that_does_not_keep_to_https(fetched: Fetched, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """One that is too old for an option, or made without it, fetches nothing."""
    source, library = fetched.nginx.folder / "refusing.c", fetched.nginx.folder / "refusing.so"
    source.write_text(_REFUSING.replace("REFUSED", option))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-lcurl", "-ldl"], check=True, timeout=60)
    monkeypatch.setenv("SALLYPORT_PRELOAD", f"{os.environ.get('SALLYPORT_PRELOAD', '')} {library}".strip())
    fetched.start()
    fetched.nginx.wait_for_log(f"is not taken: libcurl does not take its option {option}: ")
    assert fetched.status() == 503 and fetched.server.requests == []


def test_sdp_md01_the_cache_duration_of_the_document(fetched: Fetched) -> None:
    """It makes refreshes more frequent, not less, and never more than once a minute unless metadata_refresh is shorter."""
    fetched.server.documents["/metadata"] = fetched.site.idp.metadata(cache_duration="PT1S")
    fetched.start("metadata_refresh 1h;")
    fetched.has_come()
    time.sleep(3)
    assert len(fetched.server.requests) == 1

"""What scripts/bench stands on: its IdP's signatures, its page, and its parts."""

from __future__ import annotations

import subprocess

import pytest
from lxml import etree

from bench.sallyport_bench import __main__ as bench
from bench.sallyport_bench.client import Client, status_of
from bench.sallyport_bench.fixture_idp import FIXTURE, FixtureIdp
from bench.sallyport_bench.logins import Attempt, Signer, begin, log_in
from bench.sallyport_bench.report import Report, write_into
from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_names import tag
from sallyport_testing.site import SamlSite
from sallyport_testing.xml_signature import verify


def test_answers_are_signed_twice(keys: KeyStore) -> None:
    key = keys.get("idp")
    answer = FixtureIdp(key, "https://idp.example.com/metadata").answer("_r", "http://app/saml/acs", "http://app/")
    response = etree.fromstring(answer)
    assertion = response.find(tag("saml:Assertion"))
    verify(response, key.certificate_pem)
    verify(assertion, key.certificate_pem)
    assert len(assertion.findall(f".//{tag('saml:Attribute')}")) == len(FIXTURE) == 10
    assert max(len(values) for _, values in FIXTURE) == 20


def test_a_prepared_login_is_taken(http_site: SamlSite) -> None:
    http_site.start()
    signer = Signer(FixtureIdp(http_site.idp.key, http_site.idp.entity_id), http_site.base_url, http_site.entity_id)
    with Client(http_site.nginx.port()) as client:
        attempt: Attempt = begin(client)
        cookie = log_in(client, signer.post(attempt))
        head, _ = client.ask(f"GET / HTTP/1.1\r\nHost: {http_site.host}\r\nCookie: {cookie}\r\n\r\n".encode())
    assert status_of(head) == 200


@pytest.mark.parametrize("part", sorted(bench.PARTS))
def test_the_page_keeps_a_table_of_each_part(part: str, tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_bytes(bench.PAGE.read_bytes())
    report = Report(part)
    report.table(["a", "b"], [["1", "2"]])
    write_into(page, report)
    assert f"<!-- bench:{part} -->\n| a | b |\n| --- | --- |\n| 1 | 2 |\n<!-- /bench:{part} -->" in page.read_text()


def test_the_command_says_what_it_does() -> None:
    command = bench.PAGE.parents[1] / "scripts/bench"
    text = subprocess.run([command, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout
    assert all(part in text for part in bench.PARTS)

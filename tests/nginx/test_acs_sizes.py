"""Large and odd shapes: at the limits of size, depth and width, below them accepted, above them refused cheaply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.refusals import Refusals
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import tag
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import Edit, at, behind
from sallyport_testing.worker_cpu import cheap


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("sizes"), keys, listen="http2") as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(scope="module")
def generous(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    """A site that takes messages of up to 16 MB."""
    folder = tmp_path_factory.mktemp("generous")
    with running_site(folder, keys, server="saml_max_message_size 16m;") as site, PendingAttempt(site) as attempt:
        yield attempt


def refused(pending: PendingAttempt, message: bytes) -> str:
    with cheap(pending.site.nginx):
        return pending.refuse_bytes(message)


def deep(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def wide(attributes: int) -> bytes:
    return b"<a " + b" ".join(b'a%d=""' % number for number in range(attributes)) + b"/>"


def many(elements: int) -> bytes:
    return b"<x>" + b"<a/>" * elements + b"</x>"


def declarations(count: int) -> bytes:
    return b"<x " + b" ".join(b'xmlns:a%d="urn:a%d"' % (number, number) for number in range(count)) + b"/>"


def namespaces_in_levels(levels: int, each: int) -> bytes:
    opened = b"".join(
        b"<a " + b" ".join(b'xmlns:n%d_%d="urn:%d"' % (level, number, number) for number in range(each)) + b">"
        for level in range(levels)
    )
    return opened + b"<b/>" * 20_000 + b"</a>" * levels


LARGE = {
    "HUGE-a_megabyte": (b"<x>" + b"y" * 1_000_000 + b"</x>", "too_large"),
    "HUGE-one_byte_over": (b"<x>" + b"y" * (262_144 - 6) + b"</x>", "too_large"),
    "HUGE-at_the_limit": (b"<x>" + b"y" * (262_144 - 7) + b"</x>", "structure_invalid"),
    "XML-DEPTH-100": (deep(100), "xml_limits"),
    "XML-DEPTH-unclosed": (b"<a>" * 20_000, "xml_limits"),
    "XML-DEPTH-closed_only": (b"</a>" * 20_000, "xml_invalid"),
    "XML-DEPTH-33": (deep(33), "xml_limits"),
    "XML-DEPTH-257": (deep(257), "xml_limits"),
    "XML-DEPTH-30000": (deep(30_000), "xml_limits"),
    "XML-WIDE-1000": (wide(1000), "xml_limits"),
    "XML-WIDE-33": (wide(33), "xml_limits"),
    "XML-WIDE-20000": (wide(20_000), "xml_limits"),
    "XML-WIDE-elements": (many(20_001), "xml_limits"),
    "XML-WIDE-elements_65000": (many(65_000), "xml_limits"),
    "XML-WIDE-declarations": (declarations(17), "xml_limits"),
    "XML-WIDE-declarations_10000": (declarations(10_000), "xml_limits"),
    "XML-WIDE-declarations_of_one_prefix": (
        b"<a>" + b"".join(b'<b xmlns:p="urn:%d"/>' % n for n in range(5000)) + b"</a>", "structure_invalid",
    ),
    "XML-ENTITY-megabyte_of_ampersands": (b"<x>" + b"&amp;" * 200_000 + b"</x>", "too_large"),
    "DOS-C14N-levels": (namespaces_in_levels(20, 12), "xml_limits"),
    "XML-ENTITY-ampersands": (b"<x>" + b"&amp;" * 50_000 + b"</x>", "structure_invalid"),
    "XML-WIDE-long_name": (b"<" + b"a" * 200_000 + b"/>", "xml_limits"),
    "XML-WIDE-long_attribute": (b"<x a='" + b"a" * 200_000 + b"'/>", "structure_invalid"),
}


@pytest.mark.parametrize("name", LARGE)
def test_large(pending: PendingAttempt, name: str) -> None:
    message, reason = LARGE[name]
    assert refused(pending, message) == reason


VERY_LARGE = {
    "XML-WIDE-ten_megabytes_of_text": (b"<x>" + b"y" * 10_000_000 + b"</x>", "structure_invalid"),
    "XML-WIDE-million_attributes": (wide(1_000_000), "xml_limits"),
    "XML-DEPTH-100000": (deep(100_000), "xml_limits"),
    "XML-WIDE-million_elements": (many(1_000_000), "xml_limits"),
    "XML-WIDE-half_a_million_declarations": (declarations(500_000), "xml_limits"),
    "XML-WIDE-attribute_of_9_MB": (b"<x a='" + b"a" * 9_000_000 + b"'/>", "structure_invalid"),
}


@pytest.mark.parametrize("name", VERY_LARGE)
def test_very_large(pending: PendingAttempt, generous: PendingAttempt, name: str) -> None:
    """With the usual limit on size, and where an operator allows as much."""
    message, reason = VERY_LARGE[name]
    assert refused(pending, message) == "too_large"
    assert refused(generous, message) == reason


def test_memory_does_not_stay(generous: PendingAttempt) -> None:
    def resident() -> int:
        return max(
            int(line.split()[1]) for pid in generous.site.nginx.workers()
            for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")
        )  # fmt: skip

    def once() -> None:
        refused(generous, b"<x>" + b"y" * 5_000_000 + b"</x>")

    def growth() -> int:
        before = resident()
        for _ in range(6):
            once()
        return resident() - before

    # A sanitizer holds some hundred megabytes of what was freed back before it reuses any.
    grown = [growth()]
    while grown[-1] >= 20_000 and len(grown) < 10:
        grown.append(growth())
    assert grown[-1] < 20_000, f"kB, each time of six messages: {grown}"


# Bodies


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("megabytes", [1, 10])
def test_huge_bodies(site: SamlSite, http2: bool, megabytes: int) -> None:
    body = b"SAMLResponse=" + b"A" * (megabytes << 20)
    with cheap(site.nginx):
        refusal = Refusals(site, logged=False).message(Browser(http2=http2), body)
    assert (refusal.reason, refusal.response.status) == ("too_large", 413)


# At the limits, inside of a signed message


def values(count: int) -> Edit:
    """One attribute with so many values."""
    return lambda root: at(root, "saml:Assertion/saml:AttributeStatement/saml:Attribute").extend(
        _value(f"v{number}") for number in range(count)
    )


def _value(text: str) -> etree._Element:
    value = etree.Element(tag("saml:AttributeValue"), nsmap={"saml": names.SAML})
    value.text = text
    return value


def in_extensions(xml: str) -> Edit:
    return behind("saml:Issuer", f"<samlp:Extensions>{xml}</samlp:Extensions>")


def nested(levels: int) -> str:
    return '<x xmlns="urn:x">' + "<x>" * (levels - 1) + "</x>" * levels


def attributes(count: int) -> str:
    return '<x xmlns="urn:x" ' + " ".join(f'a{number}=""' for number in range(count)) + "/>"


def prefixes(count: int) -> str:
    return "<x " + " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(count)) + "/>"


# Response and Extensions are two levels; the fragment's own declarations are not repeated.
AT_LIMITS: dict[str, tuple[Edit, Edit]] = {
    "XML-DEPTH": (in_extensions(nested(30)), in_extensions(nested(31))),
    "XML-WIDE-attributes": (in_extensions(attributes(32)), in_extensions(attributes(33))),
    "XML-WIDE-declarations": (in_extensions(prefixes(16)), in_extensions(prefixes(17))),
    "XML-WIDE-elements": (in_extensions("<x/>" * 19_000), in_extensions("<x/>" * 20_000)),
}


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("name", AT_LIMITS)
def test_at_the_limits(site: SamlSite, pending: PendingAttempt, name: str, sign: str) -> None:
    """Up to the limit it is a login, one more is refused."""
    below, above = AT_LIMITS[name]
    assert site.login(Browser(), sign=sign, mutate_before_sign=below).status == 200
    with cheap(site.nginx):
        assert pending.refuse(sign=sign, mutate_before_sign=above) == "xml_limits"


def test_xml_wide_thousands_of_groups(site: SamlSite) -> None:
    """A user of many groups is no attack; what does not fit into headers is told as such."""
    request = site.idp.read_request((browser := Browser()).get(site.url("/")))
    few = site.idp.answer(request, attributes=[Attribute("note", [f"v{number}" for number in range(1000)])])
    assert site.idp.post(browser, few).status == 303
    with cheap(site.nginx):
        many = [Attribute("groups", [f"v{number}" for number in range(1000)])]
        assert site.idp.login(Browser(), site.url("/"), attributes=many).status == 403
    site.nginx.wait_for_log("reason=identity_too_large")

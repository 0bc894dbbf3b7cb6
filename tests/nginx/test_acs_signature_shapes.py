"""The shape of a Signature: each message is signed by the IdP's key, over a shape that no SAML signature has."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable, Iterator
from xml.sax.saxutils import quoteattr

import pytest
from lxml import etree

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.hand_signature import (
    METHOD, PLACES, REFERENCE, SIGNED_INFO, TRANSFORMS, Place, hand_signed, place, reference_xml, transform_xml,
)  # fmt: skip
from sallyport_testing.keys import KeyStore
from sallyport_testing.message_parts import digest_of, wrapped
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import DS, ENVELOPED, EXCLUSIVE_C14N, INCLUSIVE_C14N, tag
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import (
    Edit, added, at, attribute, behind, doubled, edits, fragment, removed, renamed,
)  # fmt: skip

C14N_METHOD = "ds:SignedInfo/ds:CanonicalizationMethod"
DIGEST_VALUE = "ds:SignedInfo/ds:Reference/ds:DigestValue"
EMPTY_DIGEST = base64.b64encode(hashlib.sha256(b"").digest()).decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("shapes"), keys) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(params=PLACES)
def signed(request: pytest.FixtureRequest, keys: KeyStore) -> Place:
    """The path of the element whose signature is tried."""
    return place(request.param, keys.get("idp"))


def test_signed_by_hand_is_signed(site: SamlSite) -> None:
    """What the cases below are made of is good by itself."""
    for name in PLACES:
        signing = hand_signed(place(name, site.idp.key), site.idp.key)
        page = site.login(Browser(), sign="none", mutate_before_sign=signing)
        assert page.echo().header("X-SSO-User") == "student@example.com"


# References

URIS: dict[str, str | None] = {
    "SIG-EMPTYURI": "",
    "SIG-EMPTYURI-absent": None,
    "SIG-REFMISS": "#_missing",
    "SIG-REFMISS-hash": "#",
    "SIG-REFMISS-no_hash": "{id}",
    "SIG-REFMISS-blank": "#{id} ",
    "SIG-REFMISS-blank_first": " #{id}",
    "SIG-REFMISS-twice": "#{id}#{id}",
    "SIG-REFMISS-case": "#{upper}",
    "SIG-REFMISS-other": "#{other}",
    "SIG-XPOINTER-id": "#xpointer(id('{id}'))",
    "SIG-XPOINTER-root": "#xpointer(/)",
    "SIG-XPOINTER-namespaces": "#xmlns(a=urn:x)xpointer(id('{id}'))",
    "SIG-XPATHINJ": "#{id}')|id('{other}",
    "SIG-XPOINTER-element": "#element(/1/2)",
    "SIG-XPOINTER-percent": "#%5f{rest}",
    "SIG-XPOINTER-range": "#xpointer(id('{id}')/range-to(id('{other}')))",
    "SIG-XPOINTER-bare_and_pointer": "#{id}xpointer(id('{other}'))",
    "SIG-XPATHINJ-double_quote": '#{id}")|id("{other}',
    "SIG-XPATHINJ-or": "#{id}' or '1'='1",
    "SIG-EXTREF-http": "http://{upstream}/leak",
    "SIG-EXTREF-host": "//{upstream}/leak",
    "SIG-EXTREF-fragment": "http://{upstream}/leak#{id}",
    "SIG-EXTREF-file": "file:///etc/passwd",
    "SIG-EXTREF-cid": "cid:part@example.com",
}


@pytest.mark.parametrize("name", URIS)
def test_references(pending: PendingAttempt, signed: str, name: str) -> None:
    uri = URIS[name]

    def point_elsewhere(root: etree._Element) -> None:
        element = at(root, signed)
        other = at(root, "saml:Assertion" if not signed else "").get("ID")
        own = element.get("ID")
        places = {
            "id": own, "rest": own[1:], "upper": own.upper(), "other": other, "upstream": pending.site.upstream.address,
        }  # fmt: skip
        made = None if uri is None else uri.format(**places)
        hand_signed(signed, pending.site.idp.key, attribute(REFERENCE, "URI", made))(root)

    assert pending.refuse(sign="none", mutate_before_sign=point_elsewhere) == "signature_malformed"


def test_sig_refmiss_child(pending: PendingAttempt, signed: str) -> None:
    """The digest is that of a child, which the Reference names, and the value is good."""

    def sign_child(root: etree._Element) -> None:
        child = at(root, "saml:Assertion/saml:Subject")
        child.set("ID", "_child")

        def point_there(signature: etree._Element) -> None:
            at(signature, REFERENCE).set("URI", "#_child")
            at(signature, DIGEST_VALUE).text = digest_of(child)

        hand_signed(signed, pending.site.idp.key, point_there)(root)

    assert pending.refuse(sign="none", mutate_before_sign=sign_child) == "signature_malformed"


def with_info(edit: Edit) -> Callable[[PendingAttempt, str], str]:
    """Refused when the Signature is changed so, before its value is made."""

    def refuse(pending: PendingAttempt, path: str) -> str:
        return pending.refuse(sign="none", mutate_before_sign=hand_signed(path, pending.site.idp.key, edit))

    return refuse


def copy_of_info(signature: etree._Element) -> etree._Element:
    return copy.deepcopy(at(signature, SIGNED_INFO))


def bad_info(signature: etree._Element) -> etree._Element:
    info = copy_of_info(signature)
    at(info, "ds:Reference/ds:DigestValue").text = EMPTY_DIGEST
    return info


OTHER_REFERENCE = reference_xml("#_other", EMPTY_DIGEST)
SHAPES: dict[str, Edit] = {
    "SIG-MULTIREF-twice": doubled(REFERENCE),
    "SIG-MULTIREF-other_behind": behind(REFERENCE, OTHER_REFERENCE),
    "SIG-MULTIREF-other_first": added(SIGNED_INFO, OTHER_REFERENCE, 2),
    "SIG-MULTIREF-none": removed(REFERENCE),
    "SIG-MULTIREF-type": attribute(REFERENCE, "Type", f"{DS}Manifest"),
    "SIG-2SIGNEDINFO": doubled(SIGNED_INFO),
    "SIG-2SIGNEDINFO-with_KeyInfo": edits(doubled(SIGNED_INFO), added("", "<ds:KeyInfo/>")),
    "SIG-2SIGNEDINFO-in_Object": lambda signature: signature.append(wrapped(tag("ds:Object"), copy_of_info(signature))),
    "SIG-2SIGNEDINFO-in_KeyInfo": lambda signature: signature.append(wrapped(tag("ds:KeyInfo"), bad_info(signature))),
    "SIG-2SIGNEDINFO-in_X509Data": lambda signature: signature.append(
        wrapped(tag("ds:KeyInfo"), wrapped(tag("ds:X509Data"), copy_of_info(signature)))
    ),
    "SIG-2SIGNEDINFO-bad_first": lambda signature: signature.insert(0, bad_info(signature)),
    "SIG-2SIGNEDINFO-bad_last": lambda signature: signature.append(bad_info(signature)),
    "SIG-2SIGNEDINFO-nested": lambda signature: at(signature, SIGNED_INFO).append(bad_info(signature)),
    "SIG-OBJECT": added("", "<ds:Object/>"),
    "SIG-OBJECT-first": added("", "<ds:Object/>", 0),
    "SIG-OBJECT-manifest": added("", f"<ds:Object><ds:Manifest>{OTHER_REFERENCE}</ds:Manifest></ds:Object>"),
    "SIG-OBJECT-properties": added(
        "",
        '<ds:Object><ds:SignatureProperties><ds:SignatureProperty Target="#x"/></ds:SignatureProperties></ds:Object>',
    ),
    "SIG-MALFORMED-no_SignedInfo": removed(SIGNED_INFO),
    "SIG-MALFORMED-no_SignatureValue": removed("ds:SignatureValue"),
    "SIG-MALFORMED-two_SignatureValues": doubled("ds:SignatureValue"),
    "SIG-MALFORMED-SignedInfo_last": lambda signature: signature.append(signature[0]),
    "SIG-MALFORMED-no_CanonicalizationMethod": removed(C14N_METHOD),
    "SIG-MALFORMED-two_CanonicalizationMethods": doubled(C14N_METHOD),
    "SIG-MALFORMED-no_SignatureMethod": removed(METHOD),
    "SIG-MALFORMED-two_SignatureMethods": doubled(METHOD),
    "SIG-MALFORMED-no_Transforms": removed(TRANSFORMS),
    "SIG-MALFORMED-no_DigestMethod": removed(f"{REFERENCE}/ds:DigestMethod"),
    "SIG-MALFORMED-no_DigestValue": removed(DIGEST_VALUE),
    "SIG-MALFORMED-two_DigestValues": doubled(DIGEST_VALUE),
    "SIG-MALFORMED-order": lambda signature: at(signature, SIGNED_INFO).append(at(signature, METHOD)),
    "SIG-MALFORMED-reference_order": lambda signature: at(signature, REFERENCE).append(at(signature, TRANSFORMS)),
    "SIG-MALFORMED-namespace": renamed(REFERENCE, "{urn:x}Reference"),
    "SIG-MALFORMED-no_namespace": renamed(SIGNED_INFO, "SignedInfo"),
    "SIG-MALFORMED-value_namespace": renamed("ds:SignatureValue", f"{{{names.SAML}}}SignatureValue"),
    "SIG-MALFORMED-two_KeyInfos": edits(added("", "<ds:KeyInfo/>"), added("", "<ds:KeyInfo/>")),
    "SIG-MALFORMED-KeyInfo_first": added("", "<ds:KeyInfo/>", 0),
    "SIG-MALFORMED-foreign_child": added("", '<x xmlns="urn:x"/>'),
    "SIG-MALFORMED-attribute": attribute(SIGNED_INFO, "note", "x"),
    "SIG-MALFORMED-two_Transforms": doubled(TRANSFORMS),
    "SIG-MALFORMED-two_DigestMethods": doubled(f"{REFERENCE}/ds:DigestMethod"),
    "SIG-MALFORMED-method_namespace": renamed(METHOD, "{urn:x}SignatureMethod"),
    "SIG-MALFORMED-c14n_namespace": renamed(C14N_METHOD, "{urn:x}CanonicalizationMethod"),
    "SIG-MALFORMED-transforms_namespace": renamed(TRANSFORMS, "{urn:x}Transforms"),
    "SIG-MALFORMED-digest_method_namespace": renamed(f"{REFERENCE}/ds:DigestMethod", "{urn:x}DigestMethod"),
    "SIG-MALFORMED-digest_value_namespace": renamed(DIGEST_VALUE, "{urn:x}DigestValue"),
    "SIG-MALFORMED-key_info_namespace": added("", '<KeyInfo xmlns="urn:x"/>'),
    "SIG-MALFORMED-text": lambda signature: setattr(signature, "text", "x"),
    "SIG-MALFORMED-text_in_reference": lambda signature: setattr(at(signature, REFERENCE), "text", "x"),
    "SIG-MALFORMED-nothing": lambda signature: signature.clear(),
    "SIG-MALFORMED-no_algorithm": attribute(METHOD, "Algorithm", None),
    "SIG-HMAC-output_length": added(METHOD, "<ds:HMACOutputLength>1</ds:HMACOutputLength>"),
    "SIG-MALFORMED-child_of_digest_method": added(f"{REFERENCE}/ds:DigestMethod", "<x xmlns='urn:x'/>"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(pending: PendingAttempt, signed: str, name: str) -> None:
    assert with_info(SHAPES[name])(pending, signed) == "signature_malformed"


def usual_transforms(*others: str, behind_the_usual: bool = True) -> Edit:
    usual = [transform_xml(ENVELOPED), transform_xml(EXCLUSIVE_C14N)]
    return transforms(*(usual + list(others) if behind_the_usual else list(others) + usual))


def transforms(*texts: str) -> Edit:
    def apply(signature: etree._Element) -> None:
        holder = at(signature, TRANSFORMS)
        for each in list(holder):
            holder.remove(each)
        holder.extend(fragment(each) for each in texts)

    return apply


XSLT = "<stylesheet xmlns='http://www.w3.org/1999/XSL/Transform' version='1.0'/>"
XSLT_LOOP = (
    "<x:stylesheet xmlns:x='http://www.w3.org/1999/XSL/Transform' version='1.0'><x:template match='/'>"
    "<x:call-template name='a'/></x:template><x:template name='a'><x:call-template name='a'/></x:template>"
    "</x:stylesheet>"
)
TRANSFORM_LISTS: dict[str, Edit] = {
    "SIG-TRANSFORMS-none": transforms(),
    "SIG-TRANSFORMS-enveloped_alone": transforms(transform_xml(ENVELOPED)),
    "SIG-TRANSFORMS-c14n_alone": transforms(transform_xml(EXCLUSIVE_C14N)),
    "SIG-TRANSFORMS-turned": transforms(transform_xml(EXCLUSIVE_C14N), transform_xml(ENVELOPED)),
    "SIG-TRANSFORMS-enveloped_twice": transforms(*[transform_xml(ENVELOPED)] * 2),
    "SIG-TRANSFORMS-three": usual_transforms(transform_xml(EXCLUSIVE_C14N)),
    "SIG-TRANSFORMS-hundred": usual_transforms(*[transform_xml(EXCLUSIVE_C14N)] * 98),
    "SIG-TRANSFORMS-base64": usual_transforms(transform_xml(f"{DS}base64")),
    "SIG-TRANSFORMS-base64_first": usual_transforms(transform_xml(f"{DS}base64"), behind_the_usual=False),
    "SIG-TRANSFORMS-xpath": transforms(
        transform_xml("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>not(self::x)</ds:XPath>"),
        transform_xml(EXCLUSIVE_C14N),
    ),
    "SIG-TRANSFORMS-xpath_filter2": transforms(
        transform_xml("http://www.w3.org/2002/06/xmldsig-filter2", '<x xmlns="urn:x" Filter="subtract">/</x>'),
        transform_xml(EXCLUSIVE_C14N),
    ),
    "SIG-TRANSFORMS-xslt": transforms(
        transform_xml(ENVELOPED), transform_xml("http://www.w3.org/TR/1999/REC-xslt-19991116", XSLT)
    ),
    "SIG-TRANSFORMS-decrypt": transforms(
        transform_xml("http://www.w3.org/2002/07/decrypt#XML"), transform_xml(EXCLUSIVE_C14N)
    ),
    "SIG-TRANSFORMS-relationship": usual_transforms(
        transform_xml("http://schemas.openxmlformats.org/package/2006/RelationshipTransform")
    ),
    "C14N-ALG-inclusive": transforms(transform_xml(ENVELOPED), transform_xml(INCLUSIVE_C14N)),
    "C14N-ALG-with_comments": transforms(transform_xml(ENVELOPED), transform_xml(EXCLUSIVE_C14N + "WithComments")),
    "C14N-ALG-c14n11": transforms(transform_xml(ENVELOPED), transform_xml("http://www.w3.org/2006/12/xml-c14n11")),
    "C14N-ALG-inclusive_with_comments": transforms(
        transform_xml(ENVELOPED), transform_xml(INCLUSIVE_C14N + "#WithComments")
    ),
    "C14N-ALG-both": transforms(transform_xml(INCLUSIVE_C14N), transform_xml(EXCLUSIVE_C14N)),
    "SIG-TRANSFORMS-xpointer": transforms(
        transform_xml("http://www.w3.org/2001/04/xmldsig-more/xptr", "<ds:XPointer>xpointer(/)</ds:XPointer>"),
        transform_xml(EXCLUSIVE_C14N),
    ),
    "SIG-TRANSFORMS-xslt_with_loop": transforms(
        transform_xml(ENVELOPED), transform_xml("http://www.w3.org/TR/1999/REC-xslt-19991116", XSLT_LOOP)
    ),
    "SIG-TRANSFORMS-xslt_first": usual_transforms(
        transform_xml("http://www.w3.org/TR/1999/REC-xslt-19991116", XSLT_LOOP), behind_the_usual=False
    ),
    "C14N-EMPTY-xpath_of_nothing": transforms(
        transform_xml("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>false()</ds:XPath>"),
        transform_xml(EXCLUSIVE_C14N),
    ),
    "SIG-TRANSFORMS-unknown": transforms(transform_xml(ENVELOPED), transform_xml("urn:x")),
    "SIG-TRANSFORMS-no_algorithm": transforms(transform_xml(ENVELOPED), "<ds:Transform/>"),
    "SIG-TRANSFORMS-enveloped_with_child": transforms(
        transform_xml(ENVELOPED, '<x xmlns="urn:x"/>'), transform_xml(EXCLUSIVE_C14N)
    ),
}


@pytest.mark.parametrize("name", TRANSFORM_LISTS)
def test_transforms(pending: PendingAttempt, signed: str, name: str) -> None:
    assert with_info(TRANSFORM_LISTS[name])(pending, signed) == "signature_malformed"


def test_sig_transforms_ten_thousand(pending: PendingAttempt, signed: str) -> None:
    many = usual_transforms(*[transform_xml(EXCLUSIVE_C14N)] * 10_000)
    assert with_info(many)(pending, signed) in ("signature_malformed", "too_large", "xml_limits")


@pytest.mark.parametrize(
    "uri",
    [
        INCLUSIVE_C14N, INCLUSIVE_C14N + "#WithComments", EXCLUSIVE_C14N + "WithComments",
        "http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/TR/1999/REC-xslt-19991116", "urn:x", "", None,
    ],
)  # fmt: skip
def test_c14n_alg_of_signed_info(pending: PendingAttempt, signed: str, uri: str | None) -> None:
    assert with_info(attribute(C14N_METHOD, "Algorithm", uri))(pending, signed) == "signature_malformed"


def prefix_list(path: str, prefixes: str) -> Edit:
    xml = f'<e:InclusiveNamespaces xmlns:e="{EXCLUSIVE_C14N}" PrefixList={quoteattr(prefixes)}/>'
    return lambda signature: at(signature, path)[-1].append(fragment(xml)) if path == TRANSFORMS else at(
        signature, path
    ).append(fragment(xml))


@pytest.mark.parametrize("path", [TRANSFORMS, C14N_METHOD], ids=["reference", "signed_info"])
@pytest.mark.parametrize("count", [17, 30, 1000, 10_000])
def test_sig_prefixlist_too_long(pending: PendingAttempt, signed: str, path: str, count: int) -> None:
    listed = " ".join(f"p{number}" for number in range(count))
    assert with_info(prefix_list(path, listed))(pending, signed) == "xml_limits"


@pytest.mark.parametrize("path", [TRANSFORMS, C14N_METHOD], ids=["reference", "signed_info"])
@pytest.mark.parametrize("listed", ["p1", "#default p1", " ".join(f"p{n}" for n in range(16)), "p1 p1"])
def test_sig_prefixlist(site: SamlSite, signed: str, listed: str, path: str) -> None:
    signing = hand_signed(signed, site.idp.key, prefix_list(path, listed))
    assert site.login(Browser(), sign="none", mutate_before_sign=signing).status == 200

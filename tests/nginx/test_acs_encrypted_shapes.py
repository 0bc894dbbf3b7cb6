"""Encrypted answers of other shapes, for other keys, with other algorithms, changed: none opens a session."""

from __future__ import annotations

import copy
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from sallyport_testing import encryption as enc
from sallyport_testing.encryption import Encryption, EncryptedAnswer, Wrapping, encrypted
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import SAML, tag
from sallyport_testing.tree_edits import Edit
from sallyport_testing.worker_cpu import cheap

SIGNS = ("assertion", "response", "both")
NAME_ID = "saml:Assertion/saml:Subject/saml:NameID"
ENCRYPTED = tag("saml:EncryptedAssertion")


@pytest.fixture(scope="module")
def own(keys: KeyStore) -> KeyPair:
    return keys.get("sp")


@pytest.fixture(scope="module")
def answer(keys: KeyStore) -> EncryptedAnswer:
    return EncryptedAnswer(keys.get("idp"))


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore, own: KeyPair) -> Iterator[PendingAttempt]:
    """A site with one RSA key and the default algorithms; in the end it takes the honest encrypted answer."""
    folder = tmp_path_factory.mktemp("encrypted-shapes")
    server = f"saml_certificate {own.certificate_file}; saml_certificate_key {own.key_file};"
    honest = EncryptedAnswer(keys.get("idp"))(enc.to(own))
    with running_site(folder, keys, recipients=[own], server=server) as site, PendingAttempt(site, honest=honest) as attempt:
        yield attempt


# Ciphertexts


@pytest.mark.parametrize("sign", SIGNS)
def test_gcm_that_was_changed_enc_gcmtag(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, sign: str
) -> None:
    changes: dict[str, Callable[[bytes], bytes]] = {
        **{f"tag_of_{size}": lambda value, size=size: value[: len(value) - 16 + size] for size in range(16)},
        "tag_flipped": lambda value: value[:-1] + bytes([value[-1] ^ 1]),
        "tag_zero": lambda value: value[:-16] + bytes(16),
        "tag_alone": lambda value: value[-16:],
        "iv_alone": lambda value: value[:12],
        "iv_and_tag": lambda value: value[:12] + value[-16:],
        "no_iv": lambda value: value[12:],
        "iv_flipped": lambda value: bytes([value[0] ^ 1]) + value[1:],
        "longer_iv": lambda value: bytes(4) + value,
        "one_byte": lambda value: value[:1],
    }
    for cipher in ("aes128-gcm", "aes256-gcm"):
        for name, change in changes.items():
            reason = pending.refuse(**answer(enc.to(own, cipher=cipher, change=change), sign))
            assert reason == "decryption_failed", f"{cipher} {name}"


@pytest.mark.parametrize("sign", SIGNS)
def test_every_byte_counts_enc_tamper(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, sign: str
) -> None:
    """A byte here and there of the ciphertext; each byte of the wrapped key's beginning and end."""
    for place in (12, 13, 100, 500, 1000, -17, -1):
        def flip(value: bytes, place: int = place) -> bytes:
            at_ = place % len(value)
            return value[:at_] + bytes([value[at_] ^ 0x80]) + value[at_ + 1 :]

        assert pending.refuse(**answer(enc.to(own, change=flip), sign)) == "decryption_failed"
        spoiled = Wrapping(own, value=lambda secret, flip=flip: flip(Wrapping(own).wrapped(secret)))
        assert pending.refuse(**answer(Encryption([spoiled]), sign)) == "decryption_failed"


@pytest.mark.parametrize("sign", SIGNS)
def test_for_another_key_enc_wrongkey(
    pending: PendingAttempt, answer: EncryptedAnswer, keys: KeyStore, own: KeyPair, sign: str
) -> None:
    idp_key = keys.get("idp")
    for other in (keys.get("other-sp"), keys.get("other-sp", "rsa3072"), keys.get("other-sp", "rsa4096"), idp_key):
        lying = Wrapping(other, key_info=enc.certificate_info(own))
        for how in (enc.to(other), Encryption([lying]), enc.to(other, beside=True)):
            assert pending.refuse(**answer(how, sign)) == "decryption_failed"


Make = Callable[[KeyPair], Encryption]


def key_method(method: str, said: str) -> Make:
    return lambda own: Encryption([Wrapping(own, method, said=said)])


def data(**changes: object) -> Make:
    return lambda own: enc.to(own, **changes)


def key(**changes: object) -> Make:
    return lambda own: Encryption([Wrapping(own, **changes)])  # type: ignore[arg-type]


def in_key_info(xml: str, **changes: object) -> Make:
    return key(key_info=f"<ds:KeyInfo>{xml}</ds:KeyInfo>", **changes)


def key_in_key(own: KeyPair) -> Encryption:
    return in_key_info(Wrapping(own).xml(bytes(32)))(own)


def thousand(beside: bool) -> Make:
    return lambda own: Encryption([Wrapping(own, value=lambda _: b"x")] * 1000, beside=beside)


BAD, UNKNOWN = "structure_invalid", "algorithm_not_allowed"
MD5 = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5"/>'
MASK = f'<m:MGF xmlns:m="{enc.XENC11}" Algorithm="urn:x"/>'
SHAPES: dict[str, tuple[Make, str]] = {
    "ENC-MALFORMED-no_KeyInfo": (lambda _: Encryption([]), BAD),
    "ENC-MALFORMED-KeyName_only": (lambda _: Encryption([], key_info="<ds:KeyName>sp</ds:KeyName>"), BAD),
    "ENC-MALFORMED-Content": (data(attributes=f' Type="{enc.XENC}Content"'), BAD),
    "ENC-MALFORMED-Encoding": (data(attributes=' Encoding="http://www.w3.org/2000/09/xmldsig#base64"'), BAD),
    "ENC-ALG-3des": (data(uri=f"{enc.XENC}tripledes-cbc"), UNKNOWN),
    "ENC-ALG-des": (data(uri="http://www.w3.org/2001/04/xmldsig-more#des-cbc"), UNKNOWN),
    "ENC-ALG-cbc": (data(cipher="aes256-cbc"), UNKNOWN),
    "ENC-ALG-192": (data(cipher="aes192-gcm"), UNKNOWN),
    "ENC-ALG-null": (data(uri="urn:null"), UNKNOWN),
    "ENC-ALG-blank": (data(uri=" "), UNKNOWN),
    "ENC-ALG-key_wrap_for_data": (data(uri=f"{enc.XENC}kw-aes256"), UNKNOWN),
    "ENC-ALG-rsa15": (key(method=enc.RSA_15), UNKNOWN),
    "ENC-ALG-symmetric_transport": (key_method(f"{enc.XENC}kw-aes128", ""), UNKNOWN),
    "ENC-ALG-other_size_said": (data(uri=enc.CIPHERS["aes128-gcm"][0]), "decryption_failed"),
    "ENC-ALG-cbc_said_gcm": (data(cipher="aes256-cbc", uri=enc.CIPHERS["aes256-gcm"][0]), "decryption_failed"),
    "ENC-ALG-KeySize_lie": (data(method="<xenc:KeySize>128</xenc:KeySize>"), BAD),
    "ENC-ALG-KeySize_zero": (data(method="<xenc:KeySize>0</xenc:KeySize>"), BAD),
    "ENC-ALG-parameters": (data(method="<xenc:OAEPparams>AAAA</xenc:OAEPparams>"), BAD),
    "ENC-ALG-md5": (key(said=MD5), UNKNOWN),
    "ENC-ALG-unknown_mask": (key_method(enc.OAEP_11, MASK), UNKNOWN),
    "ENC-ALG-mask_of_mgf1p": (key_method(enc.OAEP_MGF1P, MASK), BAD),
    "ENC-BLEICH-digest": (key(digest="sha256", said=""), "decryption_failed"),
    "ENC-BLEICH-mask": (key(method=enc.OAEP_11, mask="sha256", said=""), "decryption_failed"),
    "ENC-BLEICH-label": (key(label=b"x", said=""), "decryption_failed"),
    "ENC-KEYLOOP-key_in_key": (key_in_key, BAD),
    "ENC-KEYLOOP-retrieval_to_itself": (data(key_info='<ds:RetrievalMethod Id="_r" URI="#_r"/>'), BAD),
    "ENC-KEYLOOP-retrieval_in_key": (in_key_info('<ds:RetrievalMethod URI="#_k"/>', attributes=' Id="_k"'), BAD),
    "ENC-KEYLOOP-retrieval_to_data": (data(attributes=' Id="_d"', key_info='<ds:RetrievalMethod URI="#_d"/>'), BAD),
    "ENC-KEYLOOP-xpointer": (data(key_info="<ds:RetrievalMethod URI=\"#xpointer(id('_k'))\"/>"), BAD),
    "ENC-KEYLOOP-agreement": (in_key_info("<xenc:AgreementMethod/>"), BAD),
    "ENC-KEYLOOP-CarriedKeyName": (
        lambda own: Encryption(
            [Wrapping(own, behind="<xenc:CarriedKeyName>a</xenc:CarriedKeyName>")],
            key_info="<ds:KeyName>b</ds:KeyName>",
        ),
        BAD,
    ),
    "ENC-KEYLOOP-five": (lambda own: enc.to(*[own] * 5), "xml_limits"),
    "ENC-KEYLOOP-thousand": (thousand(beside=False), "xml_limits"),
    "ENC-KEYLOOP-thousand_beside": (thousand(beside=True), "xml_limits"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes(pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, case: str) -> None:
    make, reason = SHAPES[case]
    for sign in SIGNS:
        assert pending.refuse(**answer(make(own), sign)) == reason


EDITS: dict[str, Edit] = {
    "ENC-MALFORMED-no_method": lambda data: data.remove(data[0]),
    "ENC-MALFORMED-no_algorithm": lambda data: data[0].attrib.clear(),
    "ENC-MALFORMED-no_cipher_data": lambda data: data.remove(data[2]),
    "ENC-MALFORMED-two_methods": lambda data: data.insert(0, copy.deepcopy(data[0])),
    "ENC-MALFORMED-two_values": lambda data: data[2].append(copy.deepcopy(data[2][0])),
    "ENC-MALFORMED-two_cipher_data": lambda data: data.append(copy.deepcopy(data[2])),
    "ENC-MALFORMED-order": lambda data: data.insert(0, data[2]),
    "ENC-MALFORMED-properties": lambda data: data.append(etree.Element(f"{{{enc.XENC}}}EncryptionProperties")),
    "ENC-MALFORMED-empty_value": lambda data: setattr(data[2][0], "text", ""),
    "ENC-MALFORMED-not_base64": lambda data: setattr(data[2][0], "text", "*" + (data[2][0].text or "")),
    "ENC-MALFORMED-element_in_value": lambda data: data[2][0].append(etree.Element("x")),
    "ENC-MALFORMED-text_between": lambda data: setattr(data[0], "tail", "text"),
    "ENC-MALFORMED-element_renamed": lambda data: setattr(data, "tag", f"{{{enc.XENC}}}EncryptedKey"),
    "ENC-MALFORMED-second_data": lambda data: data.addnext(copy.deepcopy(data)),
    "ENC-MALFORMED-element_beside": lambda data: data.addnext(etree.Element("x")),
    "ENC-MALFORMED-text_beside": lambda data: setattr(data, "tail", "text"),
    "ENC-MALFORMED-nothing": lambda data: data.getparent().remove(data),
}


@pytest.mark.parametrize("case", EDITS)
def test_elements(pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, case: str) -> None:
    def edit(root: etree._Element) -> None:
        EDITS[case](root.find(f"{ENCRYPTED}/{{{enc.XENC}}}EncryptedData"))

    for sign in SIGNS:
        assert pending.refuse(**answer(enc.to(own), sign, edit=edit)) == "structure_invalid"


def test_private_key_work_is_bounded_dos_crypto(
    pending: PendingAttempt, answer: EncryptedAnswer, keys: KeyStore, own: KeyPair
) -> None:
    """As many wrapped keys as are taken, none of them ours, or all of them and then nothing usable: 15 such messages
    cost a worker less than what 25 of 10 ms would, the rest being for a busy machine (the bound is higher under sanitizers)."""
    other = keys.get("other-sp")
    useless = {
        "others": enc.to(*[other] * 4),
        "ours": enc.to(*[own] * 4),
        "one_of_many": enc.to(other, other, other, own, beside=True),
    }
    for how in useless.values():
        form = pending.site.idp.answer(
            pending.request, **answer(how, "none", plaintext=lambda _: b"<a>" + b"<b c='d'/>" * 9000 + b"</a>")
        ).form
        with cheap(pending.site.nginx):
            for _ in range(15):
                assert pending.refusals.message(pending.browser, form).reason == "decryption_failed"


# References


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port, and the connections to it."""
    seen: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    seen.append(server.accept())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], seen
        stop.set()
        thread.join()


TRANSFORMS = (
    '<xenc:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></xenc:Transforms>',
    '<xenc:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"/></xenc:Transforms>',
    "",
)


@pytest.mark.parametrize("of_key", [False, True], ids=["ENC-CIPHERREF-data", "ENC-CIPHERREF-key"])
def test_nothing_is_fetched(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, listener: tuple[int, list[object]], of_key: bool
) -> None:
    port, seen = listener
    for uri in (f"http://127.0.0.1:{port}/x", "file:///etc/passwd", "#_data", "", f"//127.0.0.1:{port}/", "cid:x"):
        for transforms in TRANSFORMS:

            def edit(root: etree._Element) -> None:
                values = list(root.iter(f"{{{enc.XENC}}}CipherValue"))
                value = values[0 if of_key else -1]
                reference = etree.fromstring(
                    f'<xenc:CipherReference xmlns:xenc="{enc.XENC}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
                    f'URI="{uri}">{transforms}</xenc:CipherReference>'
                )
                value.getparent().replace(value, reference)

            how = enc.to(own, attributes=' Id="_data"')
            assert pending.refuse(**answer(how, "response", edit=edit)) == "structure_invalid"
    assert not seen


# Parts of a signed assertion


@pytest.mark.parametrize("sign", SIGNS)
def test_parts_that_cannot_be_opened_enc_id_attr(
    pending: PendingAttempt, keys: KeyStore, own: KeyPair, sign: str
) -> None:
    """Never an empty identity, and nothing else in its place."""
    attribute = "saml:Assertion/saml:AttributeStatement/saml:Attribute"
    parts = {"saml:EncryptedID": NAME_ID, "saml:EncryptedAttribute": attribute}
    other_element = f'<saml:Audience xmlns:saml="{SAML}">x</saml:Audience>'.encode()
    for name, path in parts.items():
        edits = {
            "other_key": encrypted(enc.to(keys.get("other-sp")), path=path, name=name),
            "changed": encrypted(enc.to(own, change=lambda value: value[:-1] + bytes([value[-1] ^ 1])), path=path, name=name),
            "text": encrypted(enc.to(own), path=path, name=name, plaintext=lambda _: b"text"),
            "another_element": encrypted(enc.to(own), path=path, name=name, plaintext=lambda _: other_element),
        }
        for case, edit in edits.items():
            reason = pending.refuse(sign=sign, mutate_before_sign=edit)
            assert reason == "decryption_failed", f"{name} {case}"
        empty = encrypted(Encryption([]), path=path, name=name)
        assert pending.refuse(sign=sign, mutate_before_sign=empty) == "structure_invalid"


@pytest.mark.parametrize("sign", SIGNS)
def test_more_parts_than_a_message_may_hold_enc_id_attr(pending: PendingAttempt, own: KeyPair, sign: str) -> None:
    """Each costs a private-key operation: four of them, and no fifth."""
    attribute = "saml:Assertion/saml:AttributeStatement/saml:Attribute"

    def hide(root: etree._Element) -> None:
        encrypted(enc.to(own), path=NAME_ID, name="saml:EncryptedID")(root)
        for _ in range(4):
            encrypted(enc.to(own), path=attribute, name="saml:EncryptedAttribute")(root)

    assert pending.refuse(sign=sign, mutate_before_sign=hide) == "decryption_failed"

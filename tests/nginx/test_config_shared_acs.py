"""`nginx -t` and the server that carries out the logins of others (DESIGN 5.2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sallyport_testing.config_case import Case, accepted, ids, refused
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.saml_idp import TestIdp

ENTITY = "saml_entity_id https://auth.example.com/saml/metadata;"
BASE = "saml_base_url https://auth.example.com;"
LISTEN = "listen 127.0.0.1:%%port:site%%;"
APP = f"{LISTEN} server_name *.example.com; {BASE} {ENTITY}"


def acs(lines: str = "") -> str:
    return f"server {{ # HERE\n{LISTEN} server_name auth.example.com; {lines} }}"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    TestIdp(keys.get("idp")).write_metadata(folder / "idp.xml")
    for name in ("one", "two"):
        (folder / name).write_text(name * 20)
        (folder / name).chmod(0o600)
    return folder


ACCEPTED = [
    Case("once_in_http", base=f"{LISTEN} server_name *.example.com;", http=f"{ENTITY} {BASE}\n{acs()}"),
    Case("at_each_server", base=APP, http=acs(f"{ENTITY} {BASE}")),
    Case("nobody_has_that_name", base=APP.replace("*.example.com", "app.internal")),
    Case("with_a_location", base=APP, http=acs(f"{ENTITY} {BASE} location /saml/ {{ saml_endpoints; }}")),
    Case("same_secret", base=APP, server="saml_secret_file %%files%%/one;",
         http=acs(f"{ENTITY} {BASE} saml_secret_file %%files%%/one;")),
    Case("its_own_wildcard", base=APP.replace("*.example.com", ".example.com")),
]  # fmt: skip

REFUSED = [
    Case("without_entity_id", ('no "saml_entity_id"', "saml_base_url of the server at", "once in http"),
         base=APP, http=acs(BASE)),
    Case("other_entity_id",
         ('"saml_entity_id" is "https://auth.example.com/saml/metadata" there and "https://x.example.com" here',),
         base=APP, http=acs(f"{BASE} saml_entity_id https://x.example.com;")),
    Case("other_base_url",
         ('"saml_base_url" is "https://auth.example.com" there and "https://auth.example.com:8443" here',
          "write the directive once, in http"),
         base=APP, http=acs(f"{ENTITY} saml_base_url https://auth.example.com:8443;")),
    Case("other_endpoint", ('"saml_endpoint" is "/saml" there and "/sso" here',),
         base=APP, http=acs(f"{ENTITY} {BASE} saml_endpoint /sso;")),
    Case("other_secret", ('"saml_secret_file" differs',), base=APP, server="saml_secret_file %%files%%/one;",
         http=acs(f"{ENTITY} {BASE} saml_secret_file %%files%%/two;")),
    Case("no_secret", ('"saml_secret_file" differs',),
         base=APP, server="saml_secret_file %%files%%/one;", http=acs(f"{ENTITY} {BASE}")),
]  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED, ids=ids)
def test_accepted(nginx: Nginx, files: Path, case: Case) -> None:
    accepted(nginx, files, case)


@pytest.mark.parametrize("case", REFUSED, ids=ids)
def test_refused(nginx: Nginx, files: Path, case: Case) -> None:
    refused(nginx, files, case)

"""The documents keep up with the code: every reason, directive, variable and header, and no dead link."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite

README = (REPOSITORY / "README.md").read_text("utf-8")


def source(path: str) -> str:
    return (REPOSITORY / path).read_text("utf-8")


def table_cells() -> list[str]:
    """The first cell of every table row of the README."""
    return first_cells(README)


def first_cells(text: str) -> list[str]:
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    return [re.split(r"(?<!\\)\|", row)[1].strip() for row in rows]


def names_in(cells: list[str], pattern: str) -> set[str]:
    return {found for cell in cells for code in re.findall(r"`([^`]*)`", cell) for found in re.findall(pattern, code)}


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_reason_word_is_explained() -> None:
    words = set(re.findall(r'X\(k\w+, "(\w+)",', source("src/base/error.h")))
    assert len(words) > 40
    rows = re.findall(r"^\| `(\w+)` \|", section("When a login is refused"), re.MULTILINE)
    assert set(rows) == words
    assert len(rows) == len(words), "a reason is explained twice"


def test_every_directive_has_a_row() -> None:
    table = source("ngx_module/directives.cpp")
    directives = set(re.findall(r'ngx_string\("(\w+)"\)', table))
    assert "auth_saml" in directives
    assert names_in(table_cells(), r"^((?:auth_saml|saml_)\w*)\b") == directives - set(BLOCKS)


BLOCKS = {"saml_idp": ("idp_lines.cpp", "metadata"), "saml_policy": ("policy_lines.cpp", "map_group"),
          "saml_redis": ("redis_lines.cpp", "cache_time")}


@pytest.mark.parametrize("directive", BLOCKS)
def test_every_line_of_a_block_has_a_row(directive: str) -> None:
    """In the table under the block's own title, which has no other rows."""
    table, known = BLOCKS[directive]
    lines = set(re.findall(r'^      \{"(\w+)", (?!.*\bread_later\b)\d', source(f"ngx_module/{table}"), re.MULTILINE))
    assert known in lines
    block = re.search(rf"^### [^\n]*`{directive} name {{ }}`\n(.*?)^##", README, re.DOTALL | re.MULTILINE)[1]
    assert names_in(first_cells(block), r"^(\w+)\b") == lines


def test_every_variable_is_listed() -> None:
    variables = set(re.findall(r'ngx_string\("(saml_\w+)"\)', source("ngx_module/variables.cpp")))
    listed = set(re.findall(r"`\$(saml_\w+)`", section("Headers and variables")))
    assert {name.replace("saml_attr_NAME", "saml_attr_") for name in listed} == variables


def test_every_standard_header_is_listed() -> None:
    suffixes = set(re.findall(r'\{"([A-Z][A-Za-z-]+)", ', source("ngx_module/conf_headers.cpp")))
    suffixes |= set(re.findall(r'\{[\w:]+, "([A-Z][A-Za-z-]+)"', source("src/login/standard_headers.h")))
    assert {"User", "Groups"} <= suffixes
    listed = set(re.findall(r"`X-SSO-([A-Za-z-]+)`", section("Headers and variables")))
    assert suffixes <= listed, suffixes - listed


def anchors_of(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{each.name}" for each in (REPOSITORY / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    here = REPOSITORY / page
    for target in re.findall(r"\]\(([^)\s]+)\)", here.read_text("utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        there: Path = here.parent / name if name else here
        assert there.exists(), target
        if anchor:
            assert anchor in anchors_of(there), target


HEADERS = {
    "X-SSO-Last-Name": "Ploy%C3%A9e",
    "X-SSO-Groups": "Engineering,R&D%2C worldwide,100%25",
    "X-SSO-Spaces": "Trial=Space Member,A%3DB=,Caf%C3%A9=Gast",
}
GROUPS = ["Engineering", "R&D, worldwide", "100%"]
SPACES = {"Trial": "Space Member", "A=B": "", "Café": "Gast"}


def example(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", section("Headers and variables"), re.DOTALL)[1]


@pytest.mark.parametrize("headers", [HEADERS, {}], ids=["sent", "absent"])
def test_the_python_example_decodes(headers: dict[str, str]) -> None:
    found: dict[str, object] = {"headers": headers}
    exec(example("python"), found)
    wanted = ("Ployée", GROUPS, SPACES) if headers else ("", [], {})
    assert (found["name"], found["groups"], found["spaces"]) == wanted


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("headers", [HEADERS, {}], ids=["sent", "absent"])
def test_the_javascript_example_decodes(headers: dict[str, str]) -> None:
    lowered = {name.lower(): value for name, value in headers.items()}
    script = f"const req = {{headers: {json.dumps(lowered)}}};\n{example('js')}\n"
    script += "console.log(JSON.stringify([groups, spaces]))"
    done = subprocess.run(["node", "-e", script], check=True, capture_output=True, timeout=30)
    assert json.loads(done.stdout) == ([GROUPS, SPACES] if headers else [[], {}])


def nginx_blocks(page: str) -> list[str]:
    return re.findall(r"```nginx\n(.*?)```", source(page), re.DOTALL)


def test_the_smallest_configuration_is_one(nginx: Nginx, idp: TestIdp, keys: KeyStore) -> None:
    block = nginx_blocks("README.md")[0]
    http = re.search(r"^http \{\n(.*)^\}", block, re.DOTALL | re.MULTILINE)[1]
    tls = keys.tls("app.example.com")
    metadata = idp.write_metadata(nginx.folder / "okta-metadata.xml")
    http = http.replace("/etc/nginx/okta-metadata.xml", str(metadata)).replace(
        "listen 443 ssl;",
        f"listen 127.0.0.1:%%port:site%% ssl; ssl_certificate {tls.certificate_file};"
        f" ssl_certificate_key {tls.key_file};",
    )
    nginx.configure("upstream app { server 127.0.0.1:1; }" + http)
    done = nginx.test()
    assert done.ok, done.output
    assert "warn" not in done.output


def test_an_idp_by_hand_as_in_the_readme(nginx: Nginx, idp: TestIdp, keys: KeyStore) -> None:
    block = next(each for each in nginx_blocks("README.md") if "saml_idp legacy" in each)
    block = block.replace("/etc/nginx/idp-signing.pem", str(idp.key.certificate_file))
    nginx.configure(
        f"""{block}
        server {{
            listen 127.0.0.1:%%port:site%%; server_name app.example.com; saml_base_url https://app.example.com;
            saml_entity_id urn:app; location / {{ auth_saml legacy; }}
        }}"""
    )
    done = nginx.test()
    assert done.ok, done.output


def mapping_policy() -> str:
    """The first example of the page."""
    return nginx_blocks("docs/mapping.md")[0]


def test_the_examples_of_the_mapping_page_are_configurations(nginx: Nginx, idp: TestIdp) -> None:
    blocks = nginx_blocks("docs/mapping.md")
    by_path = next(each for each in blocks if each.startswith("location"))
    by_cookie = next(each for each in blocks if each.startswith("map"))
    domains = next(each for each in blocks if each.startswith("email_domains"))
    metadata = idp.write_metadata(nginx.folder / "okta-metadata.xml")
    shutil.copy(REPOSITORY / "conf-examples/users.conf", nginx.folder)
    server = f"""server {{
        listen 127.0.0.1:%%port:site%%; saml_entity_id urn:app; saml_base_url https://app.example.com; auth_saml okta;
        {by_path}"""
    text = f"""upstream app {{ server 127.0.0.1:1; }}
        {mapping_policy().replace("email_domains example.com;", domains)}
        {by_cookie.replace("server {", server)}"""
    text = text.replace("/etc/nginx/okta-metadata.xml", str(metadata)).replace("/etc/nginx", str(nginx.folder))
    nginx.configure(text)
    done = nginx.test()
    assert done.ok, done.output
    assert "warn" not in done.output


def test_the_worked_table_of_spaces_and_roles(site: SamlSite, idp: TestIdp) -> None:
    section_text = source("docs/mapping.md").split("\n## Spaces and roles\n")[1].split("\n## ")[0]
    table = section_text.split("| `space_name` | `space_role` |")[1].splitlines()[2:]
    rows = [[cell.strip().strip("`") for cell in row.split("|")[1:-1]] for row in table if row.startswith("|")]
    assert {number for row in rows for number in row[3].split(", ")} == set("1234567")
    policy = re.search(r"saml_policy .*?\n}\n", mapping_policy(), re.DOTALL)[0]
    metadata = idp.write_metadata(site.nginx.folder / "idp-metadata.xml")
    site.start(http=re.sub(r" *users .*\n", "", policy), idp_block=f"metadata {metadata}; policy main;")
    for spaces, roles, expected, _ in rows:
        sent = [Attribute("space_name", [spaces])] + ([Attribute("space_role", [roles])] if roles else [])
        echo = site.login(Browser(), attributes=sent).echo()
        assert echo.header("X-SSO-Spaces") == expected, (spaces, roles)


def test_ngx_cve_the_docs_name_an_nginx_with_its_fixes() -> None:
    """NGX-CVE: and it is such a one that these tests run with, where it is Debian's."""
    text = (REPOSITORY / "docs/operations.md").read_text("utf-8")
    upstream = re.search(r"fixes of \w+ 20\d\d: (1\.\d+\.\d+) or later", text)
    debian = re.search(r"package (1\.22\.1-9\+deb12u\d+) or later", text)
    assert upstream and debian
    installed = subprocess.run(
        ["dpkg-query", "-W", "-f=${Version}", "nginx"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout
    if not installed or "SALLYPORT_NGINX" in os.environ:
        pytest.skip("not Debian's nginx")
    compared = subprocess.run(["dpkg", "--compare-versions", installed, "ge", debian[1]], check=False)
    if compared.returncode != 0:
        pytest.skip(f"nginx {installed} lacks fixes")

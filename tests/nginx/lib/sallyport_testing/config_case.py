"""One configuration for `nginx -t`, and what it must say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .nginx import ConfigTest, Nginx

IDP = "saml_idp okta { metadata %%files%%/idp.xml; }"
SERVER = """
    listen 127.0.0.1:%%port:site%%;
    server_name app.example.com;
    saml_entity_id https://app.example.com/saml/metadata;
    saml_base_url https://app.example.com;
"""


@dataclass(frozen=True)
class Case:
    """One configuration. `says` must all be in the output; the line that ends in `# HERE`, where there
    is one, must be the place that is named."""

    name: str
    says: tuple[str, ...] = ()
    idp: str = IDP
    http: str = ""
    server: str = ""
    location: str = "auth_saml okta;"
    locations: str = ""
    base: str = SERVER
    at_server: bool = False  # the place is the server block's first line

    def text(self) -> str:
        return f"""
{self.idp}
{self.http}
server {{{" # HERE" if self.at_server else ""}
{self.base}
{self.server}
location / {{
{self.location}
return 200 "";
}}
{self.locations}
}}
"""


def ids(case: Case) -> str:
    return case.name


def run(nginx: Nginx, files: Path, case: Case) -> ConfigTest:
    nginx.configure(case.text(), files=files)
    result = nginx.test()
    # nginx itself leaks a pool when it refuses a configuration; a leak of ours names our code.
    for trouble in ("ERROR: AddressSanitizer", "runtime error:", "internal failure", "sallyport::"):
        assert trouble not in result.output, result.output
    return result


def check_place(nginx: Nginx, case: Case, output: str) -> None:
    """The line marked HERE is named."""
    lines = nginx.config_file.read_text().splitlines()
    marked = [number for number, line in enumerate(lines, 1) if line.endswith("# HERE")]
    if marked:
        assert f"{nginx.config_file}:{marked[0]}" in output, output


def accepted(nginx: Nginx, files: Path, case: Case) -> None:
    """`nginx -t` has nothing to say."""
    result = run(nginx, files, case)
    assert result.ok, result.output
    for level in ("[emerg]", "[alert]", "[error]", "[warn]"):
        assert level not in result.output, result.output


def refused(nginx: Nginx, files: Path, case: Case) -> None:
    """`nginx -t` fails, names the place and says what the case wants said."""
    result = run(nginx, files, case)
    assert not result.ok, "nginx -t accepted it"
    assert "[emerg]" in result.output
    check_says(nginx, case, result.output)


def warned(nginx: Nginx, files: Path, case: Case) -> None:
    """`nginx -t` is content, but warns."""
    result = run(nginx, files, case)
    assert result.ok, result.output
    assert "[warn]" in result.output
    check_says(nginx, case, result.output)


def check_says(nginx: Nginx, case: Case, output: str) -> None:
    for text in case.says:
        assert text in output, output
    check_place(nginx, case, output)

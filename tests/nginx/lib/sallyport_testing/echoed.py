"""A request as an upstream saw it: recorded there, and sent back as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class EchoedRequest:
    """What reached the upstream: headers in order and as spelled, or CGI-like parameters. `connection` counts those of an
    HTTP upstream from 1."""

    method: str
    uri: str
    protocol: str
    headers: list[tuple[str, str]]
    body_length: int = 0
    body: str = ""
    params: list[tuple[str, str]] = field(default_factory=list)
    connection: int = 0

    def all(self, name: str) -> list[str]:
        """Every value of this header, compared without case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The header's only value, None when absent; more than one is an error."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} reached the upstream {len(values)} times: {values}"
        return values[0] if values else None

    def with_prefix(self, prefix: str) -> dict[str, str]:
        """Headers whose name starts so, names as spelled; none may come twice."""
        found = [(key, value) for key, value in self.headers if key.lower().startswith(prefix.lower())]
        assert len({key.lower() for key, _ in found}) == len(found), f"doubled headers: {found}"
        return dict(found)

    def cookies(self) -> dict[str, str]:
        """The cookies in the Cookie headers."""
        pairs = [pair.strip() for value in self.all("Cookie") for pair in value.split(";")]
        return dict(pair.partition("=")[::2] for pair in pairs if pair)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii")

    @classmethod
    def from_json(cls, text: str | bytes) -> "EchoedRequest":
        values = json.loads(text)
        for name in ("headers", "params"):
            values[name] = [tuple(pair) for pair in values[name]]
        return cls(**values)


def from_cgi_params(params: list[tuple[str, str]], body: bytes) -> EchoedRequest:
    """FastCGI, SCGI and uwsgi parameters; HTTP_* become headers spelled as the gateway spells them."""
    first = dict(reversed(params))
    return EchoedRequest(
        method=first.get("REQUEST_METHOD", ""),
        uri=first.get("REQUEST_URI", ""),
        protocol=first.get("SERVER_PROTOCOL", ""),
        headers=[(name[5:].replace("_", "-"), value) for name, value in params if name.startswith("HTTP_")],
        body_length=len(body),
        body=body[:4096].decode("latin-1"),
        params=params,
    )

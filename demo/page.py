"""The page that the sample application shows to people."""

from __future__ import annotations

from html import escape

from .identity import PREFIX, Identity

DEEP_LINK = "/reports/2026?quarter=3&x=a%20b"

_STYLE = """
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#1b1f24;--soft:#545d68;--line:#d0d7de;
--accent:#0b57d0;--on-accent:#fff;--chip:#e8f0fe;--on-chip:#0b3a8f}
@media(prefers-color-scheme:dark){:root{--page:#12151a;--card:#1b2027;--text:#e8eaed;--soft:#a9b3be;
--line:#39414b;--accent:#8ab4f8;--on-accent:#0b1a33;--chip:#223350;--on-chip:#c6dafc}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
header,main{max-width:56rem;margin:0 auto;padding:1rem}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between}
header b{font-size:1.0625rem}
main{display:grid;gap:1rem;padding-top:0}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem;min-width:0;
overflow-wrap:anywhere}
h1{margin:0;font-size:1.5rem;line-height:1.3}
h2{margin:0 0 .75rem;font-size:1rem}
p{margin:.25rem 0 0}
.soft{color:var(--soft)}
.person{display:flex;gap:1rem;align-items:center}
.initials{flex:none;width:3.5rem;height:3.5rem;border-radius:50%;display:grid;place-items:center;
background:var(--accent);color:var(--on-accent);font-size:1.25rem;font-weight:600}
.columns{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr))}
ul{margin:0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:.5rem}
.chip{background:var(--chip);color:var(--on-chip);border-radius:1rem;padding:.125rem .75rem}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
th,td{text-align:left;vertical-align:top;padding:.375rem .75rem .375rem 0;border-bottom:1px solid var(--line)}
tr:last-child>*{border-bottom:0}
th{font-weight:600}
th[scope=row]{white-space:nowrap}
code{font:.875rem/1.5 ui-monospace,monospace}
a{color:var(--accent)}
nav ul{gap:.25rem 1.25rem}
button{min-height:2.75rem;padding:.5rem 1.25rem;border:0;border-radius:.5rem;background:var(--accent);
color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
@media(max-width:30rem){.headers,.headers tbody,.headers tr,.headers th,.headers td{display:block}
.headers thead{display:none}.headers th{padding-bottom:0;border-bottom:0}}
"""

_LINKS = (
    (DEEP_LINK, "A deep link with a query"),
    ("/platform", "Only for the group Platform"),
    ("/hello", "Login optional"),
    ("/public", "Public"),
    ("/saml/session", "Session as JSON"),
    ("/saml/metadata", "Metadata of this site"),
)


def render(request_line: str, path: str, identity: Identity, received: list[tuple[str, str]]) -> str:
    """The whole page; `received` are the request's X- headers as they came."""
    parts = [_person(identity)]
    if identity.user:
        parts.append(f'<div class="columns">{_spaces(identity)}{_list("Groups", identity.groups)}</div>')
    parts += [_request(request_line), _headers(received), _links(path)]
    action = _logout() if identity.user else f'<a href="{DEEP_LINK.replace("&", "&amp;")}">Log in</a>'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(identity.name or 'Nobody')} - Sallyport demo</title>\n"
        f'<link rel="icon" href="data:,">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        f"<header><b>Sallyport demo</b>{action}</header>\n"
        f"<main>{''.join(parts)}</main>\n</body>\n</html>\n"
    )


def _person(identity: Identity) -> str:
    if not identity.user:
        return (
            '<section><h1>Nobody is logged in</h1><p class="soft">This request carries no identity. '
            f"A <code>{PREFIX}User</code> header that the client sends is removed by nginx.</p></section>"
        )
    initials = "".join(word[0] for word in identity.name.split()[:2]).upper()
    return (
        f'<section class="person"><div class="initials" aria-hidden="true">{escape(initials)}</div><div>'
        f'<h1>{escape(identity.name)}</h1><p class="soft"><span id="user">{escape(identity.user)}</span>'
        f", logged in through <code>{escape(identity.idp)}</code></p></div></section>"
    )


def _spaces(identity: Identity) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(space)}</th><td>{escape(role)}</td></tr>'
        for space, role in identity.spaces.items()
    )
    table = f"<table>{rows}</table>" if rows else '<p class="soft">none</p>'
    return f"<section><h2>Spaces and roles</h2>{table}</section>"


def _list(title: str, items: list[str]) -> str:
    chips = "".join(f'<li class="chip">{escape(item)}</li>' for item in items)
    shown = f"<ul>{chips}</ul>" if chips else '<p class="soft">none</p>'
    return f"<section><h2>{title}</h2>{shown}</section>"


def _request(request_line: str) -> str:
    return f'<section><h2>Request</h2><code id="request">{escape(request_line)}</code></section>'


def _headers(received: list[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td><code>{escape(value)}</code></td></tr>'
        for name, value in received
    )
    if not rows:
        return '<section><h2>Headers from nginx</h2><p class="soft">none</p></section>'
    return (
        '<section><h2>Headers from nginx, as received</h2><table class="headers"><thead><tr><th>Header</th>'
        f"<th>Value</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _links(path: str) -> str:
    items = "".join(
        f'<li><a href="{escape(url)}"{" aria-current=page" if url == path else ""}>{escape(label)}</a></li>'
        for url, label in _LINKS
    )
    return f'<section><h2>Try</h2><nav aria-label="Try"><ul>{items}</ul></nav></section>'


def _logout() -> str:
    return '<form method="post" action="/saml/logout"><button type="submit">Log out</button></form>'

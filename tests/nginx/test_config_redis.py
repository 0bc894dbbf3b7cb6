"""What `nginx -t` says of saml_redis, saml_session_store redis= and saml_secret_file: the place and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from sallyport_testing.config_case import Case, accepted, ids, refused, warned
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.saml_idp import TestIdp

SECRET = "saml_secret_file %%files%%/secret;"
STORE = "saml_session_store redis=main;"
SERVER = "server 127.0.0.1:6379;"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Path:
    """The files that the cases name."""
    folder = tmp_path_factory.mktemp("conf_redis")
    TestIdp(keys.get("idp")).write_metadata(folder / "idp.xml")
    for name, text in {
        "secret": "0123456789abcdef0123456789abcdef\n", "old-secret": "abcdef0123456789abcdef0123456789\n", "short": "too short\n",
        "same-secret": "0123456789abcdef0123456789abcdef", "open-secret": "0123456789abcdef0123456789abcdef\n",
        "password": "a secret word\n", "open-password": "word\n", "empty-password": "\n", "two-lines": "a\nb\n",
        "text": "no certificate\n",
    }.items():  # fmt: skip
        (folder / name).write_text(text)
        (folder / name).chmod(0o644 if name.startswith("open") else 0o600)
    (folder / "lines.conf").write_text(SERVER + " cache_time 1s;\n")
    pair = keys.get("sp")
    (folder / "sp.crt").write_bytes(Path(pair.certificate_file).read_bytes())
    (folder / "sp.key").write_bytes(Path(pair.key_file).read_bytes())
    return folder


def block(*lines: str, name: str = "main", store: str = STORE + SECRET) -> str:
    return f"saml_redis {name} {{\n" + "\n".join(lines) + "\n}\n" + store


def line(name: str, text: str, *says: str) -> Case:
    """A line that is a mistake."""
    return Case(name, ('saml_redis "main"', *says), http=block(SERVER, f"{text} # HERE"))


TLS = "ssl on;"

ACCEPTED = [
    Case("smallest", http=block(SERVER)),
    Case("unix", http=block("server unix:/run/redis.sock;")),
    Case("ipv6", http=block("server [::1]:6380;")),
    Case("default_port", http=block("server 127.0.0.1;")),
    Case("included", http=block("include %%files%%/lines.conf;")),
    Case("every_line", http=block(
        SERVER, "mode single; database 15; username u; password_file %%files%%/password;", TLS,
        "ssl_trusted_certificate %%files%%/sp.crt; ssl_name redis.example.com;",
        "ssl_certificate %%files%%/sp.crt; ssl_certificate_key %%files%%/sp.key;",
        "connect_timeout 60s; timeout 1ms; keepalive 256; key_prefix app:sso:; cache_time 0; grace 0;",
    )),
    Case("sentinels", http=block(
        "server 127.0.0.1; server [::1]:26380;", "mode sentinel mymaster; database 1;",
        "sentinel_username s; sentinel_password_file %%files%%/password;",
    )),
    Case("cluster", http=block(SERVER, "server 127.0.0.1:6380;", "mode cluster; database 0;")),
    Case("rotation", http=block(SERVER, store=STORE + "saml_secret_file %%files%%/secret %%files%%/old-secret;")),
    Case("secret_in_the_server", http=block(SERVER, store=STORE), server=SECRET),
    Case("secret_without_redis", http=SECRET),
]

REFUSED = [
    Case("no_server", ('saml_redis "main"', '"server HOST:PORT;"'), http=STORE + SECRET + "saml_redis main { # HERE\n}"),
    Case("unknown_store", ('unknown Redis "other"', 'known: "main"', 'saml_redis other {'),
         http=block(SERVER, store=SECRET) + "saml_session_store redis=other; # HERE"),
    Case("store_without_name", ('takes "shm" or "redis=NAME"',), http="saml_session_store redis=; # HERE"),
    Case("twice", ("stands already at", "choose another name"),
         http=block(SERVER) + "saml_redis main { server 127.0.0.1:1; } # HERE"),
    Case("no_secret", ("saml_secret_file FILE", "openssl rand -hex 32", "the same file on all nodes"),
         http=block(SERVER, store="") + STORE + " # HERE"),
    Case("short_secret", ('"saml_secret_file"', "less than 32 bytes", "openssl rand -hex 32"),
         http="saml_secret_file %%files%%/short; # HERE"),
    Case("secret_not_there", ('"saml_secret_file"', "cannot read", "check the path"),
         http="saml_secret_file %%files%%/nosuch; # HERE"),
    Case("old_secret_not_there", ('"saml_secret_file"', "cannot read"),
         http="saml_secret_file %%files%%/secret %%files%%/nosuch; # HERE"),
    Case("same_secret_twice", ("both files hold the same secret",),
         http="saml_secret_file %%files%%/secret %%files%%/same-secret; # HERE"),
    Case("secret_twice", ("is duplicate",), http="saml_secret_file %%files%%/secret;\nsaml_secret_file %%files%%/old-secret; # HERE"),
    line("unknown_line", "servers 127.0.0.1;", 'unknown line "servers"'),
    line("second_server", "server 127.0.0.1:6380;", 'several "server" lines', '"mode sentinel MASTER;"', '"mode cluster;"'),
    line("sentinel_without_name", "mode sentinel;", '"mode sentinel MASTER;"'),
    line("cluster_with_a_name", "mode cluster main;", '"sentinel MASTER" or "cluster"'),
    line("mode_word", "mode master;", '"mode" takes "single"'),
    line("database_of_a_cluster", "mode cluster; database 1;", "a cluster has one database"),
    line("sentinel_password_alone", "sentinel_password_file %%files%%/password;", 'without "mode sentinel MASTER;"'),
    line("sentinel_user_alone", "mode sentinel m; sentinel_username u;", '"sentinel_password_file FILE;"'),
    line("database", "database main;", '"database" wants a number'),
    line("timeout_0", "timeout 0;", '"timeout" wants a time between 1ms and 60s'),
    line("timeout_long", "connect_timeout 61s;", '"connect_timeout" wants a time between 1ms and 60s'),
    line("keepalive_0", "keepalive 0;", "1 to 256"),
    line("keepalive_many", "keepalive 257;", "1 to 256"),
    line("prefix_braces", "key_prefix '{sso}:';", '"key_prefix"', "without blanks, braces"),
    line("prefix_blank", 'key_prefix "a b";', '"key_prefix"'),
    line("prefix_glob", "key_prefix sso*;", '"key_prefix"'),
    line("prefix_variable", "key_prefix $host:;", '"key_prefix"', '"$"'),
    line("prefix_long", f"key_prefix {'x' * 65};", '"key_prefix"', "at most 64"),
    line("username_alone", "username u;", '"password_file FILE;"'),
    line("password_not_there", "password_file %%files%%/nosuch;", "cannot read"),
    line("password_empty", "password_file %%files%%/empty-password;", "the password in one line"),
    line("password_lines", "password_file %%files%%/two-lines;", "the password in one line"),
    line("trusted_without_tls", "ssl_trusted_certificate %%files%%/sp.crt;", '"ssl on;"'),
    line("name_without_tls", "ssl_name a;", '"ssl on;"'),
    line("certificate_without_key", TLS + " ssl_certificate %%files%%/sp.crt;", '"ssl_certificate_key FILE;"'),
    line("key_without_certificate", TLS + " ssl_certificate_key %%files%%/sp.key;", '"ssl_certificate FILE;"'),
    line("trusted_is_text", TLS + " ssl_trusted_certificate %%files%%/text;", "no certificates in PEM"),
    line("certificate_is_text", TLS + " ssl_certificate_key %%files%%/sp.key; ssl_certificate %%files%%/text;", "no certificate in PEM"),
    Case("ssl_word", ('takes "on" or "off", not "yes"',), http=block(SERVER, "ssl yes; # HERE")),
    Case("bad_server", ('saml_redis "main"', "is no server"), http=block("server 127.0.0.1:port; # HERE")),
    Case("unix_of_a_cluster", ("instead of the unix socket",), http=block("server unix:/run/r.sock; # HERE", "mode cluster;")),
    Case("tls_over_unix", ('"ssl_name NAME;"',), http=block("server unix:/run/r.sock; # HERE", TLS)),
]  # fmt: skip

WARNED = [
    Case("unused", ('saml_redis "main" is not used', "saml_session_store redis=main;"),
         http="saml_redis main { server 127.0.0.1:6379; } # HERE"),
    Case("unknown_host", ('saml_redis "main"', '"nosuch.invalid" cannot be resolved now', '"resolver ADDRESS;"'),
         http=block("server nosuch.invalid:6379; # HERE")),
    Case("secret_for_everybody", ("every user of this machine can read", "chmod 600"),
         http="saml_secret_file %%files%%/open-secret; # HERE"),
    Case("password_for_everybody", ('saml_redis "main"', "every user of this machine can read"),
         http=block(SERVER, "password_file %%files%%/open-password; # HERE")),
]


@pytest.mark.parametrize("case", ACCEPTED, ids=ids)
def test_accepted(nginx: Nginx, files: Path, case: Case) -> None:
    accepted(nginx, files, case)


@pytest.mark.parametrize("case", REFUSED, ids=ids)
def test_refused(nginx: Nginx, files: Path, case: Case) -> None:
    refused(nginx, files, case)


@pytest.mark.parametrize("case", WARNED, ids=ids)
def test_warned(nginx: Nginx, files: Path, case: Case) -> None:
    warned(nginx, files, case)

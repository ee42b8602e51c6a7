"""What travels in headers and addresses is known as a secret, and libraries' logs are without it."""

from __future__ import annotations

import logging

import pytest

from agentopic.concealment import masked
from agentopic.ext._wire_secrets import conceal_headers, conceal_url, is_secret_header


@pytest.mark.parametrize(
    "name",
    ["Authorization", "proxy-authorization", "api-key", "X-API-Key", "x-goog-api-key", "Cookie", "X-Auth-Token",
     "Ocp-Apim-Subscription-Key"],
)  # fmt: skip
def test_headers_with_credentials_are_known_by_name(name: str) -> None:
    assert is_secret_header(name)


@pytest.mark.parametrize(
    "name", ["Content-Type", "Idempotency-Key", "X-Team", "anthropic-version", "Authorization-Info"]
)
def test_other_headers_are_left_alone(name: str) -> None:
    assert not is_secret_header(name)


def test_credentials_are_hidden_with_and_without_their_scheme() -> None:
    conceal_headers({"Authorization": "Bearer wire-secret-4711", "X-Team": "wire-team-blue"})

    assert masked("wire-secret-4711 of wire-team-blue") == "******** of wire-team-blue"


def test_credentials_of_addresses_are_hidden() -> None:
    conceal_url("https://host/mcp?token=wire-query-4711")
    conceal_url(None)

    assert masked("tried wire-query-4711") == "tried ********"


@pytest.mark.parametrize(
    ("logger", "said", "shown"),
    [
        ("httpcore.http11", "headers=[(b'Set-Cookie', b'k=4711'), (b'Server', b'x')]", "(b'Server', b'x')"),
        ("anthropic._base_client", "Headers({'set-cookie': 'k=4711', 'server': 'x'})", "'server': 'x'"),
        ("mcp.client.streamable_http", "Received session ID: 4711", "Received session ID: ********"),
        ("httpx2", "HTTP Request: GET http://h/sse?api_key=4711 done", "GET http://h/sse?api_key=******** done"),
    ],
)
def test_libraries_log_without_what_servers_hand_out(
    logger: str, said: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger=logger):
        logging.getLogger(logger).debug("%s", said)

    assert "4711" not in caplog.text
    assert shown in caplog.text

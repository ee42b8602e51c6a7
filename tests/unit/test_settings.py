from __future__ import annotations

from pathlib import Path

import pytest

from agentopic.errors import ConfigError
from agentopic.settings import Settings, masked, unknown_variables


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import os

    for name in list(os.environ):
        if name.startswith(("AGENTOPIC_", "AUTOGEN_", "OPENAI_", "AZURE_OPENAI_", "ANTHROPIC_", "GEMINI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AGENTOPIC_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def origin(settings: Settings, name: str) -> str:
    return next(each.source for each in settings.origins() if each.setting == name)


def test_defaults_are_the_embedded_mesh():
    settings = Settings()

    assert settings.transport == "sqlite:///.agentopic/agentopic.db"
    assert settings.journal_url() == settings.transport
    assert settings.runtime_type == "distributed"
    assert settings.max_concurrent_agents == 100
    assert settings.message_queue_size == 10_000
    assert settings.grpc_port == 50051


def test_an_autogen_variable_is_accepted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTOGEN_MAX_CONCURRENT_AGENTS", "7")

    assert Settings().max_concurrent_agents == 7


def test_our_variable_wins_over_autogens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTOGEN_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("AGENTOPIC_LOG_LEVEL", "ERROR")

    assert Settings().log_level == "ERROR"


def test_a_real_autogen_variable_beats_our_line_in_dotenv(monkeypatch: pytest.MonkeyPatch, folder: Path):
    (folder / ".env").write_text("AGENTOPIC_LOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("AUTOGEN_LOG_LEVEL", "WARNING")

    settings = Settings()

    assert settings.log_level == "WARNING"
    assert origin(settings, "log_level") == "environment AUTOGEN_LOG_LEVEL"


def test_sources_are_taken_in_order_of_strength(monkeypatch: pytest.MonkeyPatch, folder: Path):
    layers = [
        lambda: _write(folder / "config" / "agentopic" / "config.toml", 'namespace = "user"'),
        lambda: _write(folder / "pyproject.toml", '[tool.agentopic]\nnamespace = "pyproject"'),
        lambda: _write(folder / "agentopic.toml", 'namespace = "toml"'),
        lambda: _write(folder / ".env", "AGENTOPIC_NAMESPACE=dotenv"),
        lambda: _write(folder / "secrets" / "AGENTOPIC_NAMESPACE", "secret"),
        lambda: monkeypatch.setenv("AGENTOPIC_NAMESPACE", "environment"),
    ]

    seen: list[str] = []
    for layer in layers:
        layer()
        seen.append(Settings().namespace)

    assert seen == ["user", "pyproject", "toml", "dotenv", "secret", "environment"]
    assert Settings(namespace="argument").namespace == "argument"


def test_an_argument_of_none_counts_as_not_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_NAMESPACE", "shop")

    assert Settings(namespace=None).namespace == "shop"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_JOURNAL", "")

    assert Settings().journal is None


def test_none_switches_the_request_deadline_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_REQUEST_TIMEOUT_SECONDS", "none")

    assert Settings().request_timeout_seconds is None


def test_namespaces_of_components_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTOGEN_ALLOWED_PROVIDER_NAMESPACES", "shop, warehouse")

    assert Settings().allowed_provider_namespaces == ("shop", "warehouse")


def test_settings_never_change():
    settings = Settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.namespace = "other"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("AGENTOPIC_TOPICS", "maybe", "'create' or 'verify'"),
        ("AGENTOPIC_PARTITIONS", "many", "integer"),
        ("AGENTOPIC_PARTITIONS", "0", "greater than or equal to 1"),
        ("AGENTOPIC_NAMESPACE", "a b", "pattern"),
        ("AGENTOPIC_START_FROM", "yesterday", "'earliest', 'registration' or a time"),
        ("AGENTOPIC_START_FROM", "2026-01-01T00:00:00", "'earliest', 'registration' or a time"),
        ("AGENTOPIC_LOG_LEVEL", "loud", "'DEBUG'"),
    ],
)
def test_a_wrong_value_is_one_line_with_variable_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, allowed: str
):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError) as caught:
        Settings()

    message = str(caught.value)
    assert variable in message
    assert repr(value).lower() in message.lower()
    assert allowed in message
    assert "\n" not in message


def test_an_error_names_the_autogen_variable_it_came_from(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTOGEN_RUNTIME_TYPE", "cloud")

    with pytest.raises(ConfigError, match=r"environment AUTOGEN_RUNTIME_TYPE.*'local' or 'distributed'"):
        Settings()


def test_an_unknown_key_of_a_file_is_refused_with_the_likely_one(folder: Path):
    (folder / "agentopic.toml").write_text('transprt = "memory://"')

    with pytest.raises(ConfigError, match="did you mean 'transport'"):
        Settings()


def test_a_broken_file_is_a_configuration_error(folder: Path):
    (folder / "agentopic.toml").write_text("namespace = ")

    with pytest.raises(ConfigError, match=r"agentopic\.toml cannot be read as TOML"):
        Settings()


def test_a_dotenv_that_is_no_text_is_a_configuration_error(folder: Path):
    (folder / ".env").write_bytes(b"AGENTOPIC_NAMESPACE=\xff\xfe")

    with pytest.raises(ConfigError, match=r"cannot be read from \.env"):
        Settings()


@pytest.mark.parametrize("transport", ["sqlite:///here.db", "memory://", "memory://shared"])
def test_the_journal_follows_an_embedded_transport(transport: str):
    assert Settings(transport=transport).journal_url() == transport


def test_kafka_needs_a_journal():
    settings = Settings(transport="kafka://localhost:9092")

    with pytest.raises(ConfigError, match="AGENTOPIC_JOURNAL is not set"):
        settings.journal_url()


def test_secrets_are_masked_everywhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    monkeypatch.setenv("AGENTOPIC_JOURNAL", "postgresql://agent:pass-word@db/agents")

    settings = Settings()

    shown = repr(settings) + repr(settings.origins())
    assert "very-secret" not in shown
    assert "pass-word" not in shown
    assert "postgresql://agent:********@db/agents" in shown


def test_a_password_does_not_appear_in_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_NAMESPACE", "kafka://me:hush@broker")

    with pytest.raises(ConfigError) as caught:
        Settings()

    assert "hush" not in str(caught.value)


def test_every_setting_has_an_origin(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_PARTITIONS", "3")

    origins = {each.setting: each for each in Settings(namespace="shop").origins()}

    assert set(origins) == set(Settings.model_fields)
    assert origins["partitions"].source == "environment AGENTOPIC_PARTITIONS"
    assert origins["namespace"].source == "argument"
    assert origins["topics"].source == "default"


def test_provider_keys_of_files_reach_the_environment(monkeypatch: pytest.MonkeyPatch, folder: Path):
    import os

    (folder / ".env").write_text("OPENAI_API_KEY=from-file\nOPENAI_BASE_URL=http://model.example\n")
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    monkeypatch.setattr(os, "environ", dict(os.environ))

    Settings().export_provider_keys()

    assert os.environ["OPENAI_API_KEY"] == "from-environment"
    assert os.environ["OPENAI_BASE_URL"] == "http://model.example"


def test_a_misspelt_variable_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_TRANSPROT", "memory://")

    assert unknown_variables() == ("AGENTOPIC_TRANSPROT",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:********@h/d"),
        ("postgresql://u:p@ss/word@h/d", "postgresql://u:********@h/d"),
        ("postgresql://h/d?user=u&password=x", "postgresql://h/d?user=u&password=********"),
        ("kafka://a:1,b:2", "kafka://a:1,b:2"),
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("plain text", "plain text"),
    ],
)
def test_masking_hides_passwords_only(text: str, shown: str):
    assert masked(text) == shown


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

"""`Settings`: one frozen model of everything a process can be told from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agentopic.concealment import MASK, conceal, masked
from agentopic.errors import ConfigError
from agentopic.settings.fields import also_autogen, comma_separated, names, none_word, upper
from agentopic.settings.metering import MeteringSettings, RateLimitSetting
from agentopic.settings.provider import ProviderSettings
from agentopic.settings.sources import PREFIX, Found, aliases, gather, misspelt


class Settings(ProviderSettings, MeteringSettings):
    """What the environment says, validated once and never changed.

    A value comes from the first of: a keyword (a flag of the command line), an environment variable, a secret
    file, `.env`, `agentopic.toml`, `[tool.agentopic]` in `pyproject.toml`, `agentopic/config.toml` in the
    user configuration folder, the default. A keyword of `None` counts as not given.

    Raises:
        ConfigError: a value is not allowed or a file cannot be read; one line, without secrets.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, env_ignore_empty=True, protected_namespaces=()
    )
    transport: str = Field(
        default="sqlite:///.agentopic/agentopic.db",
        repr=False,
        validation_alias=names("TRANSPORT"),
        description="Where events travel: `sqlite:///path`, `kafka://host:port,host:port`, `memory://`.",
    )
    journal: str | None = Field(
        default=None,
        repr=False,
        validation_alias=names("JOURNAL"),
        description="Where deliveries, steps and state are kept: `sqlite:///path`, `postgresql://…`, "
        "`redis://…` (a primary with `appendfsync always`), `memory://`. Follows a SQLite or memory transport; must be "
        "given with Kafka.",
    )
    snapshot_cache: str | None = Field(
        default=None,
        repr=False,
        validation_alias=names("SNAPSHOT_CACHE"),
        description="`redis://…` where agents' states are read from while it has the version the journal names.",
    )
    blobs: str | None = Field(
        default=None,
        repr=False,
        validation_alias=names("BLOBS"),
        description="Where payloads above `AGENTOPIC_BLOB_BYTES` are kept: `file:///directory`, `sqlite:///path`, "
        "`postgresql://…`, `memory://`. By default beside the journal.",
    )
    blob_bytes: int = Field(
        default=512 * 1024,
        ge=1024,
        validation_alias=names("BLOB_BYTES"),
        description="A larger payload travels as a reference.",
    )
    blobs_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        validation_alias=names("BLOBS_URL"),
        description="Where blobs are served, for subscribers that are not ours: events then refer to "
        "`<url>/v1/blobs/<sha256>`.",
    )
    namespace: str = Field(
        default="agentopic",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        validation_alias=names("NAMESPACE"),
        description="First part of every Kafka topic name and consumer group.",
    )
    runtime_type: Literal["local", "distributed"] = Field(
        default="distributed",
        validation_alias=also_autogen("RUNTIME_TYPE"),
        description="`local`: in this process, nothing is stored; `distributed`: over transport and journal.",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(upper)] = Field(
        default="INFO", validation_alias=also_autogen("LOG_LEVEL"), description="What is logged, on stderr."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto",
        validation_alias=names("LOG_FORMAT"),
        description="`auto` is `console` on a terminal and `json` otherwise.",
    )
    max_concurrent_agents: int = Field(
        default=100,
        ge=1,
        validation_alias=also_autogen("MAX_CONCURRENT_AGENTS"),
        description="Running turns per agent type and process.",
    )
    message_queue_size: int = Field(
        default=10_000,
        ge=1,
        validation_alias=also_autogen("MESSAGE_QUEUE_SIZE"),
        description="Stored and not yet started deliveries per agent type and process.",
    )
    message_buffer_bytes: int = Field(
        default=10 * 1024 * 1024,
        ge=1024,
        validation_alias=names("MESSAGE_BUFFER_BYTES"),
        description="Bytes of deliveries held in memory per process.",
    )
    max_event_bytes: int = Field(
        default=1024 * 1024,
        ge=1024,
        validation_alias=names("MAX_EVENT_BYTES"),
        description="An inbound record above it is a dead letter.",
    )
    idle_seconds: float = Field(
        default=900.0,
        gt=0,
        validation_alias=names("IDLE_SECONDS"),
        description="An agent without work leaves memory after so long.",
    )
    memory_limit_bytes: int | None = Field(
        default=None,
        ge=1024 * 1024,
        validation_alias=names("MEMORY_LIMIT_BYTES"),
        description="Resident size of the process above which idle agents leave memory, oldest first.",
    )
    lease_seconds: float = Field(
        default=10.0,
        gt=0,
        le=60,
        validation_alias=names("LEASE_SECONDS"),
        description="A process without a new heartbeat for so long is taken for dead.",
    )
    topics: Literal["create", "verify"] = Field(
        default="create",
        validation_alias=names("TOPICS"),
        description="`create`: a service creates its missing topics; `verify`: it stops when one is missing.",
    )
    partitions: int = Field(
        default=8,
        ge=1,
        le=10_000,
        validation_alias=names("PARTITIONS"),
        description="Partitions of a created topic.",
    )
    topic_replication: int = Field(
        default=1,
        ge=1,
        le=32,
        validation_alias=names("TOPIC_REPLICATION"),
        description="Replicas of a created topic.",
    )
    drain_seconds: float = Field(
        default=30.0,
        ge=0,
        validation_alias=names("DRAIN_SECONDS"),
        description="How long running turns may finish after SIGTERM.",
    )
    start_from: str | None = Field(
        default=None,
        validation_alias=names("START_FROM"),
        description="Where a new agent type starts to read: `earliest`, `registration` or a time (ISO 8601, "
        "with offset). Needed only when more than 1,000 records wait at its first start.",
    )
    hop_limit: int = Field(
        default=64,
        ge=1,
        validation_alias=names("HOP_LIMIT"),
        description="An event that passed more agents is a loop.",
    )
    dedup_seconds: float = Field(
        default=7 * 24 * 3600.0,
        gt=0,
        validation_alias=names("DEDUP_SECONDS"),
        description="How long the identity of a handled event is remembered.",
    )
    model_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        validation_alias=names("MODEL_TIMEOUT_SECONDS"),
        description="Limit of one model call.",
    )
    model_retries: int = Field(
        default=3,
        ge=0,
        validation_alias=names("MODEL_RETRIES"),
        description="Retries of a model call, with exponential backoff.",
    )
    demo_model: str = Field(
        default="gpt-4o-mini",
        validation_alias=names("DEMO_MODEL"),
        description="The model that `agentopic demo` asks when a provider is set.",
    )
    request_timeout_seconds: Annotated[float | None, BeforeValidator(none_word)] = Field(
        default=600.0,
        gt=0,
        validation_alias=names("REQUEST_TIMEOUT_SECONDS"),
        description="Deadline of a request between agents; `none` for no deadline.",
    )
    request_resend_seconds: float = Field(
        default=10.0,
        gt=0,
        validation_alias=names("REQUEST_RESEND_SECONDS"),
        description="A request without an answer is sent again after so long, with the same id.",
    )
    request_resends: int = Field(
        default=2, ge=0, validation_alias=names("REQUEST_RESENDS"), description="How often it is sent again."
    )
    grpc_port: int = Field(
        default=50051,
        ge=0,
        le=65535,
        validation_alias=also_autogen("GRPC_PORT"),
        description="Port of the gRPC bridge.",
    )
    grpc_max_connections: int = Field(
        default=100,
        ge=1,
        validation_alias=also_autogen("GRPC_MAX_CONNECTIONS"),
        description="Connections the gRPC bridge accepts.",
    )
    disable_runtime_tracing: bool = Field(
        default=False,
        validation_alias=also_autogen("DISABLE_RUNTIME_TRACING"),
        description="Whether runtimes make no spans.",
    )
    allowed_provider_namespaces: Annotated[tuple[str, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        validation_alias=also_autogen("ALLOWED_PROVIDER_NAMESPACES"),
        description="Further packages, separated by commas, from which component JSON may load classes.",
    )
    allow_component_source: bool = Field(
        default=False,
        validation_alias=names("ALLOW_COMPONENT_SOURCE"),
        description="Whether source code in component JSON (function tools) may be run; for JSON you trust only.",
    )
    allow_component_commands: bool = Field(
        default=False,
        validation_alias=names("ALLOW_COMPONENT_COMMANDS"),
        description="Whether commands in component JSON (MCP servers) may be started; for JSON you trust only.",
    )
    _sources: dict[str, str] = PrivateAttr(default_factory=dict[str, str])

    def __init__(self, **arguments: Any) -> None:
        found = gather(type(self), arguments)
        try:
            super().__init__(**{name: value for name, (value, _) in found.items()})
        except ValidationError as exc:
            raise ConfigError(_one_line(exc, found)) from exc
        self._sources.update({name: source for name, (_, source) in found.items()})
        keys: list[SecretStr | None] = [getattr(self, name) for name in self.secret_fields]
        conceal(*(key.get_secret_value() for key in keys if key))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `gather` found: it knows the order of the sources and remembers the origins."""
        return (init_settings,)

    @field_validator("start_from")
    @classmethod
    def _start_from_is_known(cls, value: str | None) -> str | None:
        if value is None or value in {"earliest", "registration"}:
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValueError("Input should be 'earliest', 'registration' or a time such as 2026-01-31T08:00:00+00:00")
        return value

    def journal_url(self) -> str:
        """Return where the journal is; without a setting, beside a SQLite or memory transport.

        Raises:
            ConfigError: the transport keeps no journal and none is set.
        """
        if self.journal is not None:
            return self.journal
        if self.transport.startswith(("sqlite:", "memory:")):
            return self.transport
        scheme = self.transport.partition(":")[0]
        raise ConfigError(
            f"{PREFIX}JOURNAL is not set, and a {scheme} transport keeps no journal: set it to "
            "postgresql://user@host/database, or to sqlite:///path when all processes run on one "
            "machine"
        )

    def origins(self) -> tuple[Origin, ...]:
        """Return every setting with its value, secrets masked, and where the value came from."""
        return tuple(
            Origin(
                setting=name,
                variable=variable(name),
                value=self._shown(name),
                source=self._sources.get(name, "default"),
            )
            for name in fields()
        )

    def _shown(self, name: str) -> str | int | float | bool | None:
        value: SecretStr | tuple[str, ...] | dict[str, RateLimitSetting] | str | float | None = getattr(self, name)
        if isinstance(value, SecretStr):
            return MASK
        if isinstance(value, tuple):
            return ",".join(value)
        if isinstance(value, dict):
            return json.dumps({key: each.model_dump(exclude_none=True) for key, each in value.items()})
        return masked(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One setting, its variable, its value as it may be shown, and the source that decided."""

    setting: str
    variable: str
    value: str | int | float | bool | None
    source: str


def fields() -> tuple[str, ...]:
    """Return the names of all settings, in the order in which they are shown."""
    return tuple(sorted(Settings.model_fields, key=_group))


def _group(name: str) -> int:
    return 2 * (name in MeteringSettings.model_fields) + (name in ProviderSettings.model_fields)


def variables(name: str) -> tuple[str, ...]:
    """Return the environment variables of a setting, ours first."""
    return aliases(Settings, name)


def variable(name: str) -> str:
    """Return the environment variable of a setting, ours where there are several."""
    return aliases(Settings, name)[0]


def unknown_variables() -> tuple[str, ...]:
    """Return the names of set variables with our prefix that are no setting: most likely misspelt."""
    return misspelt(Settings)


def _one_line(exc: ValidationError, found: Mapping[str, Found]) -> str:
    return "; ".join(_problem(str(error["loc"][0]), error["msg"], found) for error in exc.errors())


def _problem(place: str, message: str, found: Mapping[str, Found]) -> str:
    name = next((each for each in Settings.model_fields if place in (each, *aliases(Settings, each))), None)
    if name is None:
        return f"{place!r} is no setting; `agentopic config show` lists them"
    value, source = found[name]
    secret = name in Settings.secret_fields
    shown = MASK if secret else repr(masked(value) if isinstance(value, str) else value)
    return f"{variable(name)}={shown} (from {source}) is not allowed: {message.removeprefix('Value error, ')}"

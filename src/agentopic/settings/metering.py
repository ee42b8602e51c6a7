"""`MeteringSettings`: what model calls may cost, how often they are made, and who sees them running."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings

from agentopic.settings.fields import json_text, names


class RateLimitSetting(BaseModel):
    """What an endpoint allows per minute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)


class MeteringSettings(BaseSettings):
    """The part of the settings about budgets, prices, rate limits, circuits and previews."""

    budget_run_usd: float | None = Field(
        default=None,
        ge=0,
        validation_alias=names("BUDGET_RUN_USD"),
        description="US dollars a run may spend on models before a person is asked.",
    )
    budget_run_tokens: int | None = Field(
        default=None,
        ge=0,
        validation_alias=names("BUDGET_RUN_TOKENS"),
        description="Tokens, input and output, a run may use before a person is asked.",
    )
    budget_run_calls: int | None = Field(
        default=None,
        ge=0,
        validation_alias=names("BUDGET_RUN_CALLS"),
        description="Model calls a run may make before a person is asked.",
    )
    budget_day_usd: float | None = Field(
        default=None,
        ge=0,
        validation_alias=names("BUDGET_DAY_USD"),
        description="US dollars an agent type may spend on one day (UTC) before a person is asked.",
    )
    budget_day_tokens: int | None = Field(
        default=None,
        ge=0,
        validation_alias=names("BUDGET_DAY_TOKENS"),
        description="Tokens an agent type may use on one day (UTC) before a person is asked.",
    )
    budget_day_calls: int | None = Field(
        default=None,
        ge=0,
        validation_alias=names("BUDGET_DAY_CALLS"),
        description="Model calls an agent type may make on one day (UTC) before a person is asked.",
    )
    prices: str | None = Field(
        default=None,
        validation_alias=names("PRICES"),
        description="A price file (TOML) for models whose price is not shipped or differs.",
    )
    rate_limits: Annotated[dict[str, RateLimitSetting], BeforeValidator(json_text)] = Field(
        default={},
        validation_alias=names("RATE_LIMITS"),
        description='Calls and tokens per minute by endpoint, model name or `*`, as JSON: `{"gpt-4o": '
        '{"requests": 500, "tokens": 30000}}`.',
    )
    rate_limit_store: str | None = Field(
        default=None,
        repr=False,
        validation_alias=names("RATE_LIMIT_STORE"),
        description="`redis://…` where all processes count calls together; without it each counts its own.",
    )
    circuit_failures: int = Field(
        default=10,
        ge=1,
        validation_alias=names("CIRCUIT_FAILURES"),
        description="Failures in a row after which a model endpoint is left alone for a while.",
    )
    circuit_seconds: float = Field(
        default=10.0,
        gt=0,
        validation_alias=names("CIRCUIT_SECONDS"),
        description="How long it is left alone before one call tries it again.",
    )
    previews: Literal["auto", "always", "never"] = Field(
        default="auto",
        validation_alias=names("PREVIEWS"),
        description="Whether streams of running turns are shown on the stream topic: `auto` creates it for the "
        "first stream, `always` at start.",
    )

"""`Catalogue`: what is known of a provider's models, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentopic.core.models import ModelCapabilities, ModelFamily, ModelInfo, validate_model_info


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model: what it can do and how many tokens its context window has."""

    family: str
    window: int
    vision: bool = True
    tools: bool = True
    json: bool = True
    schema: bool = True
    many_system_messages: bool = True

    def info(self) -> ModelInfo:
        """The same as agents ask for it."""
        return ModelInfo(
            vision=self.vision,
            function_calling=self.tools,
            json_output=self.json,
            family=self.family,
            structured_output=self.schema,
            multiple_system_messages=self.many_system_messages,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The models of one provider."""

    models: Mapping[str, KnownModel]
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names that stand for others, such as a name without its date."""

    def find(self, model: str) -> KnownModel | None:
        """The model of this name or alias; None when it is not known."""
        return self.models.get(self.aliases.get(model, model))

    def info(self, model: str) -> ModelInfo:
        """What a known model can do.

        Raises:
            ValueError: the model is not in the catalogue; the message says what to add.
        """
        found = self.find(model)
        if found is None:
            raise ValueError(
                f"model {model!r} is not known: add model_info={{'vision': …, 'function_calling': …, "
                "'json_output': …, 'structured_output': …, 'family': 'unknown'} to say what it can do"
            )
        return found.info()

    def window(self, model: str) -> int:
        """The tokens that fit into a known model's context window.

        Raises:
            ValueError: the model is not in the catalogue.
        """
        found = self.find(model)
        if found is None:
            raise ValueError(
                f"the context window of model {model!r} is not known: give the context a token_limit instead"
            )
        return found.window

    def info_given(self, model: str, info: ModelInfo | None, capabilities: ModelCapabilities | None) -> ModelInfo:
        """What a client's model can do: as its caller says, else as the catalogue knows."""
        if info is not None:
            validate_model_info(info)
            return info
        if capabilities is not None:
            return ModelInfo(
                vision=capabilities["vision"],
                function_calling=capabilities["function_calling"],
                json_output=capabilities["json_output"],
                family=ModelFamily.UNKNOWN,
                structured_output=False,
            )
        return self.info(model)

"""Messages whose content is an object, and the making of their classes from a JSON Schema."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, computed_field

from agentopic.agentchat.messages._base import BaseChatMessage
from agentopic.core import Component, ComponentBase
from agentopic.core.models import UserMessage
from agentopic.core.utils import schema_to_pydantic_model

StructuredContentType = TypeVar("StructuredContentType", bound=BaseModel, covariant=True)  # noqa: PLC0105 - AutoGen's name


class StructuredMessage(BaseChatMessage, Generic[StructuredContentType]):
    """A message whose content is an object of a given class."""

    content: StructuredContentType
    format_string: str | None = None
    """How the content reads as text, with its fields in braces; None for JSON."""

    @computed_field
    @property
    def type(self) -> str:
        """The name of the class, with its content's class in brackets."""
        return type(self).__name__

    def to_text(self) -> str:
        if self.format_string is None:
            return self.content.model_dump_json()
        return self.format_string.format(**self.content.model_dump())

    def to_model_text(self) -> str:
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        return UserMessage(content=self.content.model_dump_json(), source=self.source)


class StructureMessageConfig(BaseModel):
    """Config of StructuredMessageFactory."""

    json_schema: dict[str, Any]
    format_string: str | None = None
    content_model_name: str


class StructuredMessageFactory(ComponentBase[StructureMessageConfig], Component[StructureMessageConfig]):
    """Makes a class of StructuredMessages, from a class of contents or from its JSON Schema.

    `ContentModel` is the class of the contents, `StructuredMessage` the class of the messages.
    """

    component_config_schema = StructureMessageConfig
    component_provider_override = "autogen_agentchat.messages.StructuredMessageFactory"
    component_type = "structured_message"

    def __init__(
        self,
        json_schema: dict[str, Any] | None = None,
        input_model: type[BaseModel] | None = None,
        format_string: str | None = None,
        content_model_name: str | None = None,
    ) -> None:
        self.format_string = format_string
        if json_schema is not None:
            self.ContentModel: type[BaseModel] = schema_to_pydantic_model(
                json_schema, model_name=content_model_name or "GeneratedContentModel"
            )
        elif input_model is not None:
            self.ContentModel = input_model
        else:
            raise ValueError("one of json_schema and input_model must be given")
        self.StructuredMessage = StructuredMessage[self.ContentModel]

    def _to_config(self) -> StructureMessageConfig:
        return StructureMessageConfig(
            json_schema=self.ContentModel.model_json_schema(),
            format_string=self.format_string,
            content_model_name=self.ContentModel.__name__,
        )

    @classmethod
    def _from_config(cls, config: StructureMessageConfig) -> Self:
        return cls(
            json_schema=config.json_schema,
            format_string=config.format_string,
            content_model_name=config.content_model_name,
        )

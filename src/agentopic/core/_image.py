"""`Image`: an RGB image inside a message, as JSON `{"data": "<base64 PNG>"}`."""

from __future__ import annotations

import base64
import binascii
import re
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, cast

from PIL import Image as PILImage
from PIL import UnidentifiedImageError
from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import core_schema

_DATA_URI = re.compile(r"data:image/(?:png|jpeg);base64,(?P<data>[A-Za-z0-9+/=]+)")


class Image:
    """An image a model can see; equal pixels encode to equal bytes."""

    def __init__(self, image: PILImage.Image) -> None:
        self.image: PILImage.Image = image.convert("RGB")

    @classmethod
    def from_pil(cls, pil_image: PILImage.Image) -> Image:
        """Wrap a Pillow image; it is converted to RGB."""
        return cls(pil_image)

    @classmethod
    def from_uri(cls, uri: str) -> Image:
        """Read a `data:image/png` or `data:image/jpeg` URI in base64; ValueError for any other."""
        match = _DATA_URI.fullmatch(uri)
        if match is None:
            raise ValueError("Invalid URI format. It should be a base64 encoded image URI.")
        return cls.from_base64(match["data"])

    @classmethod
    def from_base64(cls, base64_str: str) -> Image:
        """Read base64 text of any format Pillow knows; ValueError when it is no image."""
        try:
            return cls(PILImage.open(BytesIO(base64.b64decode(base64_str))))
        except (binascii.Error, UnidentifiedImageError) as exc:
            raise ValueError(f"not a base64 encoded image: {exc}") from exc

    @classmethod
    def from_file(cls, file_path: Path) -> Image:
        """Read an image file."""
        with PILImage.open(file_path) as image:
            return cls(image)

    def to_base64(self) -> str:
        """The image as a PNG in base64 text."""
        buffered = BytesIO()
        self.image.save(buffered, format="PNG")
        return base64.b64encode(buffered.getvalue()).decode("ascii")

    @property
    def data_uri(self) -> str:
        """The image as a `data:` URI."""
        return f"data:image/png;base64,{self.to_base64()}"

    def to_openai_format(self, detail: Literal["auto", "low", "high"] = "auto") -> dict[str, Any]:
        """The image as a content part of OpenAI's chat completions API."""
        return {"type": "image_url", "image_url": {"url": self.data_uri, "detail": detail}}

    def _repr_html_(self) -> str:
        return f'<img src="{self.data_uri}"/>'

    @classmethod
    def __get_pydantic_core_schema__(cls, source_type: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(value: Any, _info: ValidationInfo) -> Image:
            if isinstance(value, cls):
                return value
            data = cast("dict[str, Any]", value).get("data") if isinstance(value, dict) else None
            if not isinstance(data, str):
                raise ValueError("expected an Image or a dictionary with base64 text under 'data'")  # noqa: TRY004 - pydantic reports ValueError
            return cls.from_base64(data)

        def serialize(value: Image) -> dict[str, str]:
            return {"data": value.to_base64()}

        return core_schema.with_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(serialize),
        )

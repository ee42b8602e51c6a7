from __future__ import annotations

import pytest
from PIL import Image as PILImage
from pydantic import TypeAdapter, ValidationError

from agentopic.core import Image

RED = PILImage.new("RGBA", (2, 1), (255, 0, 0, 255))


def test_an_image_survives_json() -> None:
    adapter = TypeAdapter(Image)

    again = adapter.validate_json(adapter.dump_json(Image(RED)))

    assert again.to_base64() == Image(RED).to_base64()
    assert again.image.mode == "RGB"


def test_an_image_survives_a_data_uri() -> None:
    assert Image.from_uri(Image(RED).data_uri).to_base64() == Image.from_pil(RED).to_base64()


def test_a_file_is_read(tmp_path) -> None:
    RED.save(tmp_path / "red.png")

    assert Image.from_file(tmp_path / "red.png").image.size == (2, 1)


def test_the_format_of_openai_carries_the_data() -> None:
    part = Image(RED).to_openai_format("low")

    assert part == {"type": "image_url", "image_url": {"url": Image(RED).data_uri, "detail": "low"}}


@pytest.mark.parametrize("uri", ["https://example.com/x.png", "data:text/plain;base64,aGk=", "data:image/png;base64,"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="URI"):
        Image.from_uri(uri)


@pytest.mark.parametrize("value", [{"data": "aGk="}, {"data": 3}, {}, "aGk="])
def test_what_is_no_image_is_refused(value) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Image).validate_python(value)

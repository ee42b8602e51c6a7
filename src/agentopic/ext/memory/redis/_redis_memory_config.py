"""`RedisMemoryConfig`: where a memory lies and how it is searched."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class RedisMemoryConfig(BaseModel):
    """Config of RedisMemory. Fields that only a vector index of Redis needs are kept for AutoGen's JSON, unused."""

    redis_url: str = Field(default="redis://localhost:6379", description="Address of the Redis server")
    index_name: str = Field(default="chat_history", description="Name of this memory; memories of one name share it")
    prefix: str = Field(default="memory", description="Begin of the names of all its keys")
    sequential: bool = Field(default=False, description="Whether queries find the latest instead of the most relevant")
    distance_metric: Literal["cosine", "ip", "l2"] = "cosine"
    algorithm: Literal["flat", "hnsw"] = "flat"
    top_k: int = Field(default=10, ge=1, description="How many contents a query finds at most")
    datatype: Literal["uint8", "int8", "float16", "float32", "float64", "bfloat16"] = "float32"
    distance_threshold: float = Field(default=0.7, description="The largest distance of a content that is found")
    model_name: str | None = Field(
        default="sentence-transformers/all-mpnet-base-v2", description="Unused: embeddings come from `embed`"
    )

"""What travels between publisher, planner, analyst, editor and subscriber."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from agentopic import payload
from agentopic.demo.measures import Measure


@payload("demo.Task.v1")
class Task(BaseModel):
    """A question about the data, as somebody asks it."""

    task: str
    """Names the task everywhere."""
    question: str


class PartPlan(BaseModel):
    """One stretch of days, and what is to be computed over it."""

    label: str = Field(description="how people call the period, for example 'July 2013'")
    start: dt.date = Field(description="first day")
    end: dt.date = Field(description="last day, included")
    measures: list[Measure] = Field(description="what to compute over these days")


@payload("demo.Part.v1")
class Part(BaseModel):
    """One part of a task, to be answered by itself."""

    task: str
    question: str
    number: int
    """Counts from 1."""
    parts: int
    """How many parts the task has."""
    plan: PartPlan


class Number(BaseModel):
    """One computed number and what it says."""

    measure: Measure
    label: str
    start: dt.date
    end: dt.date
    value: float
    unit: str


@payload("demo.Finding.v1")
class Finding(BaseModel):
    """The answer to one part: numbers that a run of the code printed."""

    task: str
    question: str
    part: int
    parts: int
    numbers: list[Number]
    code: str
    """The program that computed them."""


@payload("demo.Report.v1")
class Report(BaseModel):
    """The answer to a task, in words and in numbers."""

    task: str
    question: str
    text: str
    numbers: list[Number]

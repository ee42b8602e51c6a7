"""Measurements of agentopic beside what it is compared with, always in one run on one machine."""

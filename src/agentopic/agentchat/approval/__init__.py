"""Which tool calls are made, which are refused, and about which a person is asked."""

from agentopic.agentchat.approval._policy import ApprovalPolicy, ApprovalRule
from agentopic.agentchat.approval._question import ToolApprovalFunc, ToolApprovalRequest, ToolApprovalResponse
from agentopic.agentchat.approval._workbench import ApprovalWorkbench

__all__ = [
    "ApprovalPolicy",
    "ApprovalRule",
    "ApprovalWorkbench",
    "ToolApprovalFunc",
    "ToolApprovalRequest",
    "ToolApprovalResponse",
]

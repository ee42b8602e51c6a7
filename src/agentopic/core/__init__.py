"""The actor vocabulary: agents, topics, subscriptions, messages, and a runtime for one process."""

from agentopic.core._agent import Agent
from agentopic.core._agent_id import AgentId
from agentopic.core._agent_metadata import AgentMetadata
from agentopic.core._agent_proxy import AgentProxy
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._agent_type import AgentType
from agentopic.core._base_agent import BaseAgent
from agentopic.core._cache_store import CacheStore, InMemoryStore
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._closure_agent import ClosureAgent, ClosureContext
from agentopic.core._component_config import (
    Component,
    ComponentBase,
    ComponentFromConfig,
    ComponentLoader,
    ComponentModel,
    ComponentSchemaType,
    ComponentToConfig,
    ComponentType,
    is_component_class,
    is_component_instance,
)
from agentopic.core._component_policy import ComponentPolicy, use_component_policy
from agentopic.core._default_subscription import DefaultSubscription, default_subscription, type_subscription
from agentopic.core._default_topic import DefaultTopicId
from agentopic.core._event_sourced_agent import EventSourcedAgent
from agentopic.core._function_call import FunctionCall
from agentopic.core._genai_spans import trace_create_agent_span, trace_invoke_agent_span, trace_tool_span
from agentopic.core._image import Image
from agentopic.core._instantiation_context import AgentInstantiationContext
from agentopic.core._intervention import DefaultInterventionHandler, DropMessage, InterventionHandler
from agentopic.core._logger_names import EVENT_LOGGER_NAME, ROOT_LOGGER_NAME, TRACE_LOGGER_NAME
from agentopic.core._message_context import MessageContext
from agentopic.core._message_handler import event, message_handler, rpc
from agentopic.core._message_handler_context import MessageHandlerContext
from agentopic.core._payload import payload, payload_type_name
from agentopic.core._routed_agent import RoutedAgent
from agentopic.core._saga import Saga, saga
from agentopic.core._serialization import (
    JSON_DATA_CONTENT_TYPE,
    PROTOBUF_DATA_CONTENT_TYPE,
    MessageSerializer,
    UnknownPayload,
    try_get_known_serializers_for_type,
)
from agentopic.core._single_threaded_runtime import SingleThreadedAgentRuntime
from agentopic.core._state_events import fold
from agentopic.core._subscription import Subscription
from agentopic.core._subscription_context import SubscriptionInstantiationContext
from agentopic.core._topic import TopicId
from agentopic.core._turn import StepSpec, TurnScope, ask, fencing_token, sleep, step, step_path
from agentopic.core._type_prefix_subscription import TypePrefixSubscription
from agentopic.core._type_subscription import TypeSubscription
from agentopic.core._upcast import upcast

__all__ = [
    "EVENT_LOGGER_NAME",
    "JSON_DATA_CONTENT_TYPE",
    "PROTOBUF_DATA_CONTENT_TYPE",
    "ROOT_LOGGER_NAME",
    "TRACE_LOGGER_NAME",
    "Agent",
    "AgentId",
    "AgentInstantiationContext",
    "AgentMetadata",
    "AgentProxy",
    "AgentRuntime",
    "AgentType",
    "BaseAgent",
    "CacheStore",
    "CancellationToken",
    "ClosureAgent",
    "ClosureContext",
    "Component",
    "ComponentBase",
    "ComponentFromConfig",
    "ComponentLoader",
    "ComponentModel",
    "ComponentPolicy",
    "ComponentSchemaType",
    "ComponentToConfig",
    "ComponentType",
    "DefaultInterventionHandler",
    "DefaultSubscription",
    "DefaultTopicId",
    "DropMessage",
    "EventSourcedAgent",
    "FunctionCall",
    "Image",
    "InMemoryStore",
    "InterventionHandler",
    "MessageContext",
    "MessageHandlerContext",
    "MessageSerializer",
    "RoutedAgent",
    "Saga",
    "SingleThreadedAgentRuntime",
    "StepSpec",
    "Subscription",
    "SubscriptionInstantiationContext",
    "TopicId",
    "TurnScope",
    "TypePrefixSubscription",
    "TypeSubscription",
    "UnknownPayload",
    "ask",
    "default_subscription",
    "event",
    "fencing_token",
    "fold",
    "is_component_class",
    "is_component_instance",
    "message_handler",
    "payload",
    "payload_type_name",
    "rpc",
    "saga",
    "sleep",
    "step",
    "step_path",
    "trace_create_agent_span",
    "trace_invoke_agent_span",
    "trace_tool_span",
    "try_get_known_serializers_for_type",
    "type_subscription",
    "upcast",
    "use_component_policy",
]

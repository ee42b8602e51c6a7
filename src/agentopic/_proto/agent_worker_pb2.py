"""Messages of protos/agent_worker.proto; written by protos/generate.py, not by hand."""

import agentopic._proto.cloudevent_pb2  # what this file imports comes first
from agentopic._proto.pool import load, message_class

DESCRIPTOR = load(
    b'\n\x12agent_worker.proto\x12\x06agents\x1a\x10cloudevent.proto\x1a\x19google/protobuf/'
    b'any.proto"/\n\x07AgentId\x12\x12\n\x04type\x18\x01 \x01(\tR\x04type\x12\x10\n\x03key\x18\x02 \x01(\tR\x03key"f\n\x07Pa'
    b'yload\x12\x1b\n\tdata_type\x18\x01 \x01(\tR\x08dataType\x12*\n\x11data_content_type\x18\x02 \x01(\tR\x0fd'
    b'ataContentType\x12\x12\n\x04data\x18\x03 \x01(\x0cR\x04data"\xcb\x02\n\nRpcRequest\x12\x1d\n\nrequest_id\x18'
    b"\x01 \x01(\tR\trequestId\x12,\n\x06source\x18\x02 \x01(\x0b2\x0f.agents.AgentIdH\x00R\x06source\x88\x01\x01\x12'"
    b'\n\x06target\x18\x03 \x01(\x0b2\x0f.agents.AgentIdR\x06target\x12\x16\n\x06method\x18\x04 \x01(\tR\x06method\x12'
    b')\n\x07payload\x18\x05 \x01(\x0b2\x0f.agents.PayloadR\x07payload\x12<\n\x08metadata\x18\x06 \x03(\x0b2 .a'
    b'gents.RpcRequest.MetadataEntryR\x08metadata\x1a;\n\rMetadataEntry\x12\x10\n\x03key'
    b'\x18\x01 \x01(\tR\x03key\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x01B\t\n\x07_source"\xe9\x01\n\x0bRpcResponse'
    b'\x12\x1d\n\nrequest_id\x18\x01 \x01(\tR\trequestId\x12)\n\x07payload\x18\x02 \x01(\x0b2\x0f.agents.Payloa'
    b'dR\x07payload\x12\x14\n\x05error\x18\x03 \x01(\tR\x05error\x12=\n\x08metadata\x18\x04 \x03(\x0b2!.agents.RpcR'
    b'esponse.MetadataEntryR\x08metadata\x1a;\n\rMetadataEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03k'
    b'ey\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x01".\n\x18RegisterAgentTypeRequest\x12\x12\n\x04type'
    b'\x18\x01 \x01(\tR\x04type"\x1b\n\x19RegisterAgentTypeResponse"P\n\x10TypeSubscription\x12\x1d\n'
    b'\ntopic_type\x18\x01 \x01(\tR\ttopicType\x12\x1d\n\nagent_type\x18\x02 \x01(\tR\tagentType"c\n\x16T'
    b'ypePrefixSubscription\x12*\n\x11topic_type_prefix\x18\x01 \x01(\tR\x0ftopicTypePrefi'
    b'x\x12\x1d\n\nagent_type\x18\x02 \x01(\tR\tagentType"\xd0\x01\n\x0cSubscription\x12\x0e\n\x02id\x18\x01 \x01(\tR\x02i'
    b'd\x12F\n\x10typeSubscription\x18\x02 \x01(\x0b2\x18.agents.TypeSubscriptionH\x00R\x10typeSub'
    b'scription\x12X\n\x16typePrefixSubscription\x18\x03 \x01(\x0b2\x1e.agents.TypePrefixSub'
    b'scriptionH\x00R\x16typePrefixSubscriptionB\x0e\n\x0csubscription"R\n\x16AddSubscr'
    b'iptionRequest\x128\n\x0csubscription\x18\x01 \x01(\x0b2\x14.agents.SubscriptionR\x0csubsc'
    b'ription"\x19\n\x17AddSubscriptionResponse"+\n\x19RemoveSubscriptionRequest\x12'
    b'\x0e\n\x02id\x18\x01 \x01(\tR\x02id"\x1c\n\x1aRemoveSubscriptionResponse"\x19\n\x17GetSubscription'
    b'sRequest"V\n\x18GetSubscriptionsResponse\x12:\n\rsubscriptions\x18\x01 \x03(\x0b2\x14.ag'
    b'ents.SubscriptionR\rsubscriptions"\xb8\x01\n\x07Message\x12.\n\x07request\x18\x01 \x01(\x0b2\x12.'
    b'agents.RpcRequestH\x00R\x07request\x121\n\x08response\x18\x02 \x01(\x0b2\x13.agents.RpcRespo'
    b'nseH\x00R\x08response\x12?\n\ncloudEvent\x18\x03 \x01(\x0b2\x1d.io.cloudevents.v1.CloudEve'
    b'ntH\x00R\ncloudEventB\t\n\x07message"=\n\x10SaveStateRequest\x12)\n\x07agentId\x18\x01 \x01(\x0b'
    b'2\x0f.agents.AgentIdR\x07agentId"N\n\x11SaveStateResponse\x12\x14\n\x05state\x18\x01 \x01(\tR\x05'
    b'state\x12\x19\n\x05error\x18\x02 \x01(\tH\x00R\x05error\x88\x01\x01B\x08\n\x06_error"S\n\x10LoadStateRequest\x12)'
    b'\n\x07agentId\x18\x01 \x01(\x0b2\x0f.agents.AgentIdR\x07agentId\x12\x14\n\x05state\x18\x02 \x01(\tR\x05state"'
    b'8\n\x11LoadStateResponse\x12\x19\n\x05error\x18\x01 \x01(\tH\x00R\x05error\x88\x01\x01B\x08\n\x06_error"\xb2\x01\n\x0eCo'
    b'ntrolMessage\x12\x15\n\x06rpc_id\x18\x01 \x01(\tR\x05rpcId\x12 \n\x0bdestination\x18\x02 \x01(\tR\x0bdestin'
    b'ation\x12"\n\nrespond_to\x18\x03 \x01(\tH\x00R\trespondTo\x88\x01\x01\x124\n\nrpcMessage\x18\x04 \x01(\x0b2\x14.'
    b'google.protobuf.AnyR\nrpcMessageB\r\n\x0b_respond_to2\xe7\x03\n\x08AgentRpc\x123\n\x0bO'
    b'penChannel\x12\x0f.agents.Message\x1a\x0f.agents.Message(\x010\x01\x12H\n\x12OpenControlC'
    b'hannel\x12\x16.agents.ControlMessage\x1a\x16.agents.ControlMessage(\x010\x01\x12T\n\rRe'
    b'gisterAgent\x12 .agents.RegisterAgentTypeRequest\x1a!.agents.RegisterA'
    b'gentTypeResponse\x12R\n\x0fAddSubscription\x12\x1e.agents.AddSubscriptionRequ'
    b'est\x1a\x1f.agents.AddSubscriptionResponse\x12[\n\x12RemoveSubscription\x12!.age'
    b'nts.RemoveSubscriptionRequest\x1a".agents.RemoveSubscriptionRespons'
    b'e\x12U\n\x10GetSubscriptions\x12\x1f.agents.GetSubscriptionsRequest\x1a .agents.'
    b'GetSubscriptionsResponseB\x1d\xaa\x02\x1aMicrosoft.AutoGen.Protobufb\x06proto3'
)
AgentId = message_class(DESCRIPTOR, "AgentId")
Payload = message_class(DESCRIPTOR, "Payload")
RpcRequest = message_class(DESCRIPTOR, "RpcRequest")
RpcResponse = message_class(DESCRIPTOR, "RpcResponse")
RegisterAgentTypeRequest = message_class(DESCRIPTOR, "RegisterAgentTypeRequest")
RegisterAgentTypeResponse = message_class(DESCRIPTOR, "RegisterAgentTypeResponse")
TypeSubscription = message_class(DESCRIPTOR, "TypeSubscription")
TypePrefixSubscription = message_class(DESCRIPTOR, "TypePrefixSubscription")
Subscription = message_class(DESCRIPTOR, "Subscription")
AddSubscriptionRequest = message_class(DESCRIPTOR, "AddSubscriptionRequest")
AddSubscriptionResponse = message_class(DESCRIPTOR, "AddSubscriptionResponse")
RemoveSubscriptionRequest = message_class(DESCRIPTOR, "RemoveSubscriptionRequest")
RemoveSubscriptionResponse = message_class(DESCRIPTOR, "RemoveSubscriptionResponse")
GetSubscriptionsRequest = message_class(DESCRIPTOR, "GetSubscriptionsRequest")
GetSubscriptionsResponse = message_class(DESCRIPTOR, "GetSubscriptionsResponse")
Message = message_class(DESCRIPTOR, "Message")
SaveStateRequest = message_class(DESCRIPTOR, "SaveStateRequest")
SaveStateResponse = message_class(DESCRIPTOR, "SaveStateResponse")
LoadStateRequest = message_class(DESCRIPTOR, "LoadStateRequest")
LoadStateResponse = message_class(DESCRIPTOR, "LoadStateResponse")
ControlMessage = message_class(DESCRIPTOR, "ControlMessage")

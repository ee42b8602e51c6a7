local me, refusal = processes.caller()
if refusal then
  return refusal
end
local shown = {}
for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. me)) do
  shown[#shown + 1] = lanes.show(lanes.get(id), rows.of_lane(id))
end
return { shown, rows.of_process(me), tonumber(call('HGET', P .. 'process:' .. me, 'beat')) }

local me, refusal = processes.caller()
if refusal then
  return refusal
end
local letters = {}
for _, id in ipairs(call('SMEMBERS', P .. 'mail:' .. me)) do
  local lane = lanes.get(id)
  if lane and lane.owner == me then
    local cancelled = lane.running and call('HGET', P .. 'delivery:' .. lane.turn, 'cancelled')
    letters[#letters + 1] = { lane.id, tonumber(lane.token), bit(cancelled), bit(lane.paused) }
  end
end
call('DEL', P .. 'mail:' .. me)
return letters

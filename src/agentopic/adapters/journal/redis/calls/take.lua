local me, refusal = processes.caller()
if refusal then
  return refusal
end
local started = {}

local function take(group, slots)
  local taken = 0
  while taken < slots do
    local ready = call('ZRANGEBYSCORE', P .. 'ready:' .. group, '-inf', int(now), 'LIMIT', 0, slots - taken)
    if #ready == 0 then
      return
    end
    for _, id in ipairs(ready) do
      local lane = lanes.get(id)
      call('ZREM', P .. 'ready:' .. group, id)
      if lanes.is_idle(lane) then
        lanes.remove(lane)
      elseif not lane.paused or lanes.has_unsent(lane) then
        started[#started + 1], taken = lanes.take(lane, me), taken + 1
      end
    end
  end
end

for _ = 1, number() do
  take(word(), number())
end
lanes.flush()
return started

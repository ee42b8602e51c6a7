-- What becomes of the lanes and partitions of a process that has ended.
local burial = {}

-- Whether all that is open in the running turn are waits, so that it has no part in a crash.
local function is_suspended(lane)
  local open = false
  if not lane.moved then
    for _, step in ipairs(steps.of(lane.turn)) do
      if not step.result and not steps.is_wait(step.kind) then
        return false
      end
      open = open or not step.result
    end
  end
  return open
end

-- Every lane is ready at once: whether its turn only waited, nobody but its process knew.
function burial.free_holdings(holder, crashed)
  for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. holder)) do
    local lane = lanes.get(id)
    if crashed and lane.running and not is_suspended(lane) then
      call('HINCRBY', P .. 'delivery:' .. lane.turn, 'crashes', 1)
    end
    lane.ready = now
    lanes.free(lane)
  end
  for _, field in ipairs(call('SMEMBERS', P .. 'leased:' .. holder)) do
    marks.release(holder, field)
  end
end

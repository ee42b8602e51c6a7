-- What becomes of the lanes and partitions of a process that has ended.
local burial = {}

-- The open steps of a suspended turn; none when it was running.
local function open_waits(lane)
  local open = {}
  if lane.running and not lane.moved then
    for _, step in ipairs(steps.of(lane.turn)) do
      if not step.result and not steps.is_wait(step.kind) then
        return {}
      elseif not step.result then
        open[#open + 1] = step
      end
    end
  end
  return open
end

-- When a freed lane may be taken: at once, unless its turn waits for timers and people alone.
local function ready_at(lane, open)
  local cancelled = lane.running and call('HGET', P .. 'delivery:' .. lane.turn, 'cancelled')
  if #open == 0 or cancelled or lanes.has_unsent(lane) then
    return now
  end
  local due = NEVER
  for _, step in ipairs(open) do
    if step.kind == 'request' then
      return now
    end
    due = math.min(due, step.due and step.due * 1000 or NEVER)
  end
  return math.max(now, due)
end

function burial.free_holdings(holder, crashed)
  for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. holder)) do
    local lane = lanes.get(id)
    local open = open_waits(lane)
    if crashed and lane.running and #open == 0 then
      call('HINCRBY', P .. 'delivery:' .. lane.turn, 'crashes', 1)
    end
    lane.ready = ready_at(lane, open)
    lanes.free(lane)
  end
  for _, field in ipairs(call('SMEMBERS', P .. 'leased:' .. holder)) do
    marks.release(holder, field)
  end
end

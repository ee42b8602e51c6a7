local me, refusal = processes.caller()
if refusal then
  return refusal
end

local function read_result()
  return {
    turn = word(), key = word(), result = word(), lane = maybe(word), token = maybe(word), spend = list(spending.read),
  }
end

local function holds(result)
  local lane = result.lane and lanes.get(result.lane)
  return lane and lane.owner == me and lane.token == result.token
end

local function close(result)
  local step = steps.get(result.turn, result.key)
  if result.token and not holds(result) then
    step = step or { key = result.key, kind = '', name = '', due = false }
    step.result = false
    return steps.show(step, false)
  end
  for _, entry in ipairs(result.spend) do
    spending.add(entry)
  end
  if result.lane then
    waits.cut(result.lane, result.key)
  end
  if not step then
    return steps.show({ key = result.key, kind = '', name = '', due = false, result = result.result }, false)
  end
  if not step.result then
    steps.close(step, result.result)
    local lane = result.lane and lanes.get(result.lane)
    if lane then
      lanes.rouse(lane)
    end
    if lane and steps.is_wait(step.kind) then
      lanes.set_moved(lane, result.turn, true)
    end
  end
  return steps.show(step, false)
end

local closed = {}
for i, result in ipairs(list(read_result)) do
  closed[i] = close(result)
end
lanes.flush()
return closed

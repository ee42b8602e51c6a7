local me, refusal = processes.caller()
if refusal then
  return refusal
end

local function read_intent()
  return {
    lane = word(), token = word(), pos = word(), turn = word(), key = word(), kind = word(), name = word(),
    due_in = maybe(number), due = maybe(number), callee = maybe(word), note = maybe(word), outbox = list(word),
  }
end

local function insert(lane, intent)
  local due = intent.due
  if intent.due_in then
    due = math.min(now_ms + intent.due_in, due or NEVER)
  end
  local step = {
    turn = intent.turn, key = intent.key, kind = intent.kind, name = intent.name, lane = lane.id, opened = now_ms, due = due,
    note = intent.note,
  }
  steps.put(step)
  local stored = {}
  for _, row in ipairs(intent.outbox) do
    stored[#stored + 1] = rows.add_to_lane(lane, row)
  end
  return steps.show(step, true, stored)
end

local function open(intent)
  local lane = lanes.is_running(intent.lane, me, intent.token, intent.pos)
  if not lane then
    return false
  end
  local step = steps.get(intent.turn, intent.key)
  local has_result = step and step.result
  if steps.is_wait(intent.kind) and not has_result then
    lanes.set_moved(lane, lane.turn, false)
  end
  if intent.callee and not has_result then
    waits.add(lane.id, intent.callee, intent.key)
  end
  return step and steps.show(step, false) or insert(lane, intent)
end

local opened = {}
for i, intent in ipairs(list(read_intent)) do
  opened[i] = open(intent)
end
lanes.flush()
return opened

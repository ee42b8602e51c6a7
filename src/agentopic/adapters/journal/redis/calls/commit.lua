local me, refusal = processes.caller()
if refusal then
  return refusal
end

local function read_sent()
  return { id = word(), lane = maybe(word) }
end

local function read_turn()
  local turn = { kind = word(), lane = word(), token = word(), pos = word() }
  if turn.kind == 'done' then
    turn.outcome, turn.state, turn.outbox = word(), maybe(agents.read_change), list(word)
    turn.answer, turn.hand_back, turn.asked = maybe(ends.read_answer), flag(), flag()
  elseif turn.kind == 'deferred' then
    turn.delay, turn.failed = number(), flag()
  else
    turn.delay, turn.turn, turn.awaits = maybe(number) or NEVER, word(), list(word)
  end
  return turn
end

local turns, sent = list(read_turn), list(read_sent)
local lost, started, stored, touched = {}, {}, {}, {}

local function held(turn)
  local lane = lanes.is_running(turn.lane, me, turn.token, turn.pos)
  if lane and turn.state and turn.state.expected ~= agents.version(lane.id) then
    return nil
  end
  return lane
end

local function finish(lane, turn)
  if turn.state then
    agents.change(lane, turn.state)
  end
  if turn.asked then
    waits.forget(lane.id)
  end
  for _, row in ipairs(turn.outbox) do
    stored[#stored + 1] = rows.add_to_lane(lane, row)
  end
  extend(stored, ends.finish(me, lane, lane.turn, turn.outcome, turn.answer))
  lanes.halt(lane)
  lane.ready = now
  if not turn.hand_back and not lane.paused and lanes.head(lane) then
    started[#started + 1] = lanes.start(lane)
  end
end

-- Sets when a turn is tried again: at once when it was cancelled or what it waits for has come.
local function put_off(lane, turn)
  local row, delay = P .. 'delivery:' .. lane.turn, turn.delay
  if turn.kind == 'deferred' then
    call('HINCRBY', row, 'failures', bit(turn.failed))
  else
    for _, key in ipairs(turn.awaits) do
      if call('HEXISTS', P .. 'results:' .. turn.turn, key) == 1 then
        delay = 0
      end
    end
  end
  if call('HGET', row, 'cancelled') then
    delay = 0
  end
  lanes.halt(lane)
  lane.ready = now + delay
end

for _, turn in ipairs(turns) do
  local lane = held(turn)
  if not lane then
    lost[#lost + 1] = turn.lane
  else
    touched[turn.lane] = true
    if turn.kind == 'done' then
      finish(lane, turn)
    else
      put_off(lane, turn)
    end
  end
end
for _, id in ipairs(lost) do
  touched[id] = nil
end
for _, row in ipairs(sent) do
  rows.drop(row.id, row.lane and lanes.get(row.lane))
  if row.lane then
    touched[row.lane] = true
  end
end
-- Lanes that have neither a running turn nor an unsent row left are given up.
for id in pairs(touched) do
  local lane = lanes.get(id)
  if lane and (lane.owner == me or not lane.owner) and not lane.running and not lanes.has_unsent(lane) then
    lanes.free(lane)
  end
end
lanes.flush()
return { lost, started, stored }

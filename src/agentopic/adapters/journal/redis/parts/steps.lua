-- Steps of a turn: what they are in one hash, what came back in another.
local steps = {}
local KIND, NAME, LANE, OPENED, ORDINAL, DUE, NOTE = 1, 2, 3, 4, 5, 6, 7

function steps.get(turn, key)
  local packed = call('HGET', P .. 'steps:' .. turn, key)
  if not packed then
    return nil
  end
  return steps.unpack(turn, key, packed)
end

function steps.unpack(turn, key, packed)
  local row = cmsgpack.unpack(packed)
  return {
    turn = turn, key = key, kind = row[KIND], name = row[NAME], lane = row[LANE], opened = row[OPENED], ordinal = row[ORDINAL],
    due = row[DUE], note = row[NOTE], result = call('HGET', P .. 'results:' .. turn, key),
  }
end

function steps.put(step)
  step.ordinal = call('HLEN', P .. 'steps:' .. step.turn) + 1
  local row = { step.kind, step.name, step.lane, step.opened, step.ordinal, step.due, step.note }
  call('HSET', P .. 'steps:' .. step.turn, step.key, cmsgpack.pack(row))
  local last = tonumber(call('ZSCORE', P .. 'turns', step.turn) or 0)
  call('ZADD', P .. 'turns', int(math.max(last, step.opened * 1000)), step.turn)
  if step.kind == 'human' then
    call('ZADD', P .. 'questions', int(step.opened), step.turn .. step.key)
  end
end

function steps.close(step, result)
  step.result = result
  call('HSET', P .. 'results:' .. step.turn, step.key, result)
  if step.kind == 'human' then
    call('ZREM', P .. 'questions', step.turn .. step.key)
  end
end

-- Whether a step of this kind costs nothing while it is open: a turn with only such open is suspended.
function steps.is_wait(kind)
  return kind == 'request' or kind == 'timer' or kind == 'human'
end

-- The steps of a turn in the order of their intents.
function steps.of(turn)
  local found, flat = {}, call('HGETALL', P .. 'steps:' .. turn)
  for i = 1, #flat, 2 do
    found[#found + 1] = steps.unpack(turn, flat[i], flat[i + 1])
  end
  table.sort(found, function(one, other) return one.ordinal < other.ordinal end)
  return found
end

function steps.show(step, fresh, stored)
  local remaining = step.due and step.due - now_ms
  return { step.key, step.kind, step.name, step.result or false, bit(fresh), step.due, remaining, stored or {} }
end

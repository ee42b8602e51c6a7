-- Agent states: a snapshot and the events after it.
local agents = {}

function agents.version(lane)
  return tonumber(call('HGET', P .. 'agent:' .. lane, 'version') or 0)
end

function agents.read_change()
  return { expected = number(), snapshot = maybe(word), events = list(word) }
end

-- Stores the next state; a snapshot drops the events it has folded.
function agents.change(lane, change)
  local version = change.expected + math.max(1, #change.events)
  local former = call('HGET', P .. 'agent:' .. lane.id, 'group')
  if former and former ~= lane.group then
    call('SREM', P .. 'agents:' .. former, lane.id)
  end
  call('SADD', P .. 'groups', lane.group)
  call('SADD', P .. 'agents:' .. lane.group, lane.id)
  call('HSET', P .. 'agent:' .. lane.id, 'group', lane.group, 'version', int(version))
  if change.snapshot then
    call('HSET', P .. 'agent:' .. lane.id, 'snapshot', change.snapshot, 'folded', int(version))
    call('DEL', P .. 'events:' .. lane.id)
    return
  end
  for i, event in ipairs(change.events) do
    call('HSET', P .. 'events:' .. lane.id, int(change.expected + i), event)
  end
end

-- The events after the snapshot: pairs of version and value, in order.
function agents.events(lane)
  local found, flat = {}, call('HGETALL', P .. 'events:' .. lane)
  for i = 1, #flat, 2 do
    found[#found + 1] = { tonumber(flat[i]), flat[i + 1] }
  end
  table.sort(found, function(one, other) return one[1] < other[1] end)
  return found
end

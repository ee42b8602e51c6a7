-- Lanes: read once per call, changed in memory, written by `lanes.flush`, which every call ends with.
-- `ready`: when a free lane may be taken, while it is held when it may be taken again.
-- `moved`: its turn has gone on since it last announced what it waits for.
local lanes = {}
local known = {}

function lanes.get(id)
  local lane = known[id]
  if lane == nil then
    local row = call('HMGET', P .. 'lane:' .. id, 'group', 'key', 'ready', 'owner', 'token', 'running', 'turn', 'paused', 'carried',
      'moved')
    if not row[1] then
      return nil
    end
    lane = {
      id = id, group = row[1], key = row[2], ready = tonumber(row[3]) or NEVER, owner = row[4], token = row[5],
      running = row[6], turn = row[7], paused = row[8], carried = row[9], moved = row[10],
    }
    for _, name in ipairs({ 'owner', 'token', 'running', 'turn', 'paused', 'carried', 'moved' }) do
      lane[name] = lane[name] ~= '' and lane[name] or false
    end
    lane.held_by = lane.owner
    known[id] = lane
  end
  if lane.gone then
    return nil
  end
  return lane
end

function lanes.add(id, group, key)
  local former = known[id] or {}
  local lane = {
    id = id, group = group, key = key, ready = now, owner = false, token = false, running = false, turn = false,
    paused = false, carried = false, moved = false, held_by = former.held_by or false, dirty = true,
  }
  call('SADD', P .. 'groups', group)
  call('SADD', P .. 'lanes:' .. group, id)
  known[id] = lane
  return lane
end

function lanes.remove(lane)
  lane.gone, lane.dirty = true, true
end

function lanes.is_idle(lane)
  return not lane.paused and call('EXISTS', P .. 'queue:' .. lane.id, P .. 'unsent:' .. lane.id) == 0
end

function lanes.has_unsent(lane)
  return call('EXISTS', P .. 'unsent:' .. lane.id) == 1
end

function lanes.head(lane)
  return call('ZRANGE', P .. 'queue:' .. lane.id, 0, 0)[1]
end

function lanes.set_ready(lane, at)
  lane.ready, lane.dirty = at, true
end

-- A lane whose turn does not run is ready, at once or as soon as its rows are sent.
function lanes.rouse(lane)
  if not lane.running then
    lanes.set_ready(lane, math.min(lane.ready, now))
  end
end

-- Notes that a turn goes on, or waits, when it is the one that runs.
function lanes.set_moved(lane, turn, moved)
  if lane.turn == turn and (lane.moved == '1') ~= moved then
    lane.moved, lane.dirty = moved and '1', true
  end
end

-- Gone when it has no work, else free for whoever has a slot.
function lanes.free(lane)
  lane.owner, lane.running, lane.turn, lane.dirty = false, false, false, true
  if lanes.is_idle(lane) then
    lanes.remove(lane)
  end
end

function lanes.halt(lane)
  lane.running, lane.turn, lane.dirty = false, false, true
end

function lanes.is_running(id, owner, token, pos)
  local lane = lanes.get(id)
  return lane and lane.owner == owner and lane.token == token and lane.running == pos and lane or nil
end

-- Shows a lane as its holder sees it.
function lanes.show(lane, unsent)
  local version = tonumber(call('HGET', P .. 'agent:' .. lane.id, 'version') or 0)
  if not lane.running then
    return { lane.id, lane.group, lane.key, tonumber(lane.token), false, version, unsent }
  end
  local row = call('HMGET', P .. 'delivery:' .. lane.turn, 'head', 'body', 'attempts', 'failures', 'crashes', 'deadline', 'cancelled')
  local expired = row[6] and tonumber(row[6]) <= now_ms
  return {
    lane.id, lane.group, lane.key, tonumber(lane.token), tonumber(lane.running), version, unsent, lane.turn, row[1], row[2],
    tonumber(row[3]), tonumber(row[4]), tonumber(row[5]), bit(expired), bit(row[7]),
  }
end

-- Runs the first delivery, if there is one and the lane is not paused, and counts the attempt.
function lanes.start(lane, unsent)
  local head = not lane.paused and lanes.head(lane) or nil
  lane.moved, lane.dirty = '1', true
  if head then
    lane.running, lane.turn = call('HGET', P .. 'delivery:' .. head, 'pos'), head
    if call('HINCRBY', P .. 'delivery:' .. head, 'attempts', 1) == 1 then
      count('begun', lane.group, 1)
    end
  else
    lane.running, lane.turn = false, false
  end
  return lanes.show(lane, unsent or {})
end

function lanes.take(lane, owner)
  lane.owner, lane.token = owner, draw('token')
  return lanes.start(lane, rows.of_lane(lane.id))
end

local function write(lane)
  if lane.held_by ~= lane.owner then
    if lane.held_by then
      call('SREM', P .. 'held:' .. lane.held_by, lane.id)
    end
    if lane.owner then
      call('SADD', P .. 'held:' .. lane.owner, lane.id)
    end
    lane.held_by = lane.owner
  end
  call('HSET', P .. 'lane:' .. lane.id, 'group', lane.group, 'key', lane.key, 'ready',
    lane.ready == NEVER and 'never' or int(lane.ready), 'owner', lane.owner or '', 'token', lane.token or '',
    'running', lane.running or '', 'turn', lane.turn or '', 'paused', lane.paused or '', 'carried', lane.carried or '',
    'moved', lane.moved or '')
  if lane.owner or lane.ready == NEVER then
    call('ZREM', P .. 'ready:' .. lane.group, lane.id)
  else
    call('ZADD', P .. 'ready:' .. lane.group, int(lane.ready), lane.id)
  end
end

local function erase(lane)
  if lane.held_by then
    call('SREM', P .. 'held:' .. lane.held_by, lane.id)
  end
  call('ZREM', P .. 'ready:' .. lane.group, lane.id)
  call('SREM', P .. 'lanes:' .. lane.group, lane.id)
  call('DEL', P .. 'lane:' .. lane.id)
end

function lanes.flush()
  for _, lane in pairs(known) do
    if lane.gone then
      erase(lane)
    elseif lane.dirty then
      write(lane)
    end
  end
end

-- Stores carried rows that are not there yet; none of them when one belongs to a lane that is not there.
local read = {}

function read.agent()
  return { id = word(), group = word(), version = number(), snapshot = maybe(word), folded = number() }
end

function read.event()
  return { id = word(), version = number(), value = word() }
end

function read.lane()
  return { id = word(), group = word(), key = word(), ready = maybe(number), paused = flag(), counts = { word(), word(), word() } }
end

function read.delivery()
  return {
    lane = word(), identity = word(), head = word(), body = maybe(word), request = maybe(word), addresses = list(word),
    deadline = maybe(word), caller = maybe(word), cancelled = flag(),
  }
end

function read.step()
  return {
    turn = word(), key = word(), lane = word(), kind = word(), name = word(), opened = number(), due = maybe(number),
    note = maybe(word), result = maybe(word),
  }
end

function read.seen()
  return { identity = word(), at = number() }
end

function read.answer()
  return { request = word(), outcome = word(), content = word(), until_ms = number() }
end

function read.outbox()
  return { identity = word(), lane = maybe(word), row = word() }
end

read.spend = spending.read

local carried = list(function()
  local kind = word()
  local row = read[kind]()
  row.table = kind
  return row
end)

-- Everything is checked before anything is stored: a call that has begun to write cannot take it back.
local named = {}
for _, row in ipairs(carried) do
  local identity = row.table == 'outbox' and row.identity or row.table == 'delivery' and row.identity
  if row.table == 'lane' then
    named[row.id] = true
  elseif identity and row.lane and not named[row.lane] and not lanes.get(row.lane)
    and not call('ZSCORE', P .. 'seen', identity) then
    return redis.error_reply('STRAY ' .. row.table)
  end
end

local store, former = {}, nil

local function note(identity, at)
  return call('ZADD', P .. 'seen', 'NX', int(at), identity) == 1
end

function store.agent(row)
  if call('EXISTS', P .. 'agent:' .. row.id) == 1 then
    return false
  end
  call('SADD', P .. 'groups', row.group)
  call('SADD', P .. 'agents:' .. row.group, row.id)
  call('HSET', P .. 'agent:' .. row.id, 'group', row.group, 'version', int(row.version), 'folded', int(row.folded))
  if row.snapshot then
    call('HSET', P .. 'agent:' .. row.id, 'snapshot', row.snapshot)
  end
  return true
end

function store.event(row)
  local agent = call('HMGET', P .. 'agent:' .. row.id, 'version', 'folded')
  if not agent[1] or row.version <= tonumber(agent[2] or 0) or row.version > tonumber(agent[1]) then
    return false
  end
  return call('HSETNX', P .. 'events:' .. row.id, int(row.version), row.value) == 1
end

function store.lane(row)
  if lanes.get(row.id) then
    return false
  end
  local lane = lanes.add(row.id, row.group, row.key)
  lanes.set_ready(lane, row.ready and row.ready * 1000 or NEVER)
  lane.paused, lane.carried = row.paused and '1', cmsgpack.pack(row.counts)
  return true
end

function store.delivery(row)
  if not note(row.identity, now) then
    return false
  end
  local lane, counts, key = lanes.get(row.lane), { 0, 0, 0 }, P .. 'delivery:' .. row.identity
  if lane.carried then
    counts, lane.carried, lane.dirty = cmsgpack.unpack(lane.carried), false, true
  end
  local pos = draw('pos')
  call('HSET', key, 'lane', lane.id, 'pos', pos, 'head', row.head, 'attempts', counts[1], 'failures', counts[2], 'crashes', counts[3])
  for _, name in ipairs({ 'body', 'request', 'deadline', 'caller' }) do
    if row[name] then
      call('HSET', key, name, row[name])
    end
  end
  if row.cancelled then
    call('HSET', key, 'cancelled', 1)
  end
  if #row.addresses > 0 then
    call('HSET', key, 'addresses', cmsgpack.pack(row.addresses))
  end
  call('ZADD', P .. 'queue:' .. lane.id, pos, row.identity)
  count('deliveries', lane.group, 1)
  count('begun', lane.group, bit(tonumber(counts[1]) > 0))
  return true
end

function store.step(row)
  local is_over = call('ZSCORE', P .. 'seen', row.turn) and call('EXISTS', P .. 'delivery:' .. row.turn) == 0
  if is_over or steps.get(row.turn, row.key) then
    return false
  end
  steps.put(row)
  if row.result then
    steps.close(row, row.result)
  end
  return true
end

function store.seen(row)
  return note(row.identity, row.at * 1000)
end

function store.answer(row)
  if call('EXISTS', P .. 'answer:' .. row.request) == 1 then
    return false
  end
  local until_us = int(row.until_ms * 1000)
  call('HSET', P .. 'answer:' .. row.request, 'outcome', row.outcome, 'content', row.content, 'until', until_us)
  call('ZADD', P .. 'answers', until_us, row.request)
  return true
end

function store.outbox(row)
  if not note(row.identity, now) then
    return false
  end
  if row.lane then
    rows.add_to_lane(lanes.get(row.lane), row.row)
    return true
  end
  if not former then
    -- A process that has left, from which the next one that lives adopts what had no lane.
    former = processes.enter({}, '')
    call('HSET', P .. 'process:' .. former, 'left', 1)
  end
  rows.add_to_process(former, row.row)
  return true
end

function store.spend(row)
  if call('SISMEMBER', P .. 'scopes', row.scope) == 1 then
    return false
  end
  spending.add(row)
  return true
end

local restored = 0
for _, row in ipairs(carried) do
  restored = restored + bit(store[row.table](row))
end
lanes.flush()
return restored

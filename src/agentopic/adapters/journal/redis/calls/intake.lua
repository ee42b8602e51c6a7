local me, refusal = processes.caller()
if refusal then
  return refusal
end

local function read_delivery()
  return {
    mark = number(), lane = word(), group = word(), key = word(), identity = word(), head = word(), body = maybe(word),
    request = maybe(word), address = maybe(word), deadline = maybe(word), caller = maybe(word),
  }
end

local group, free = word(), number()
local advances, dead, deliveries = list(marks.read), list(marks.read_dead), list(read_delivery)
local stale, is_stale = marks.advance(me, group, advances)
local stored = marks.store_dead(me, dead, is_stale)
local touched, idle, fresh, repeats = {}, {}, {}, 0

-- A repeat of an unfinished request asks from one more address; of a finished one it is answered again.
local function repeated(delivery)
  repeats = repeats + 1
  if not delivery.address or not delivery.request then
    return
  end
  if call('EXISTS', P .. 'delivery:' .. delivery.identity) == 1 then
    ends.add_address(delivery.identity, delivery.address)
    return
  end
  local content = call('HGET', P .. 'answer:' .. delivery.request, 'content')
  if content then
    stored[#stored + 1] = rows.add_to_process(me, rows.frame(delivery.address, content))
  end
end

local function store(delivery)
  local lane = lanes.get(delivery.lane) or lanes.add(delivery.lane, delivery.group, delivery.key)
  local is_first = call('EXISTS', P .. 'queue:' .. lane.id) == 0
  if is_first then
    lanes.set_ready(lane, now)
  end
  if idle[lane.id] == nil then
    idle[lane.id], touched[#touched + 1] = is_first, lane
  end
  local pos, row = draw('pos'), P .. 'delivery:' .. delivery.identity
  call('HSET', row, 'lane', lane.id, 'pos', pos, 'head', delivery.head, 'attempts', 0, 'failures', 0, 'crashes', 0)
  for _, name in ipairs({ 'body', 'request', 'deadline', 'caller' }) do
    if delivery[name] then
      call('HSET', row, name, delivery[name])
    end
  end
  if delivery.address then
    call('HSET', row, 'addresses', cmsgpack.pack({ delivery.address }))
  end
  call('ZADD', P .. 'queue:' .. lane.id, pos, delivery.identity)
  call('ZADD', P .. 'seen', int(now), delivery.identity)
  count('deliveries', lane.group, 1)
  fresh[delivery.identity] = true
end

for _, delivery in ipairs(deliveries) do
  if not is_stale[delivery.mark] then
    if call('ZSCORE', P .. 'seen', delivery.identity) then
      repeated(delivery)
    else
      store(delivery)
    end
  end
end

-- In order of arrival; one of ours that waits for its time is not hurried.
local started = {}
for _, lane in ipairs(touched) do
  if #started >= free then
    break
  end
  local shown
  if not lane.paused and not lane.owner and lane.ready <= now then
    shown = lanes.take(lane, me)
  elseif not lane.paused and lane.owner == me and idle[lane.id] then
    shown = lanes.start(lane)
  end
  if shown then
    if fresh[shown[8]] then
      shown[9], shown[10] = false, false -- the caller has head and body
    end
    started[#started + 1] = shown
  end
end

-- Requests of agents, fresh ones and unfinished repeats, once all are stored and lanes are started.
local cycles, is_named = {}, {}
for _, delivery in ipairs(deliveries) do
  local lane = not is_stale[delivery.mark] and delivery.caller and not is_named[delivery.identity]
    and call('HGET', P .. 'delivery:' .. delivery.identity, 'lane')
  if lane and waits.close_cycle(delivery.identity, lane, delivery.caller) then
    cycles[#cycles + 1], is_named[delivery.identity] = delivery.identity, true
  end
end
lanes.flush()
return { stale, started, stored, repeats, cycles }

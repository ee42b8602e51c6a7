-- Shows the rows of one table: `kind`, what the ids name, the groups that are carried.
local kind, ids, groups = word(), list(word), {}
for _, group in ipairs(list(word)) do
  groups[group] = true
end
local found, show = {}, {}

local function add(...)
  found[#found + 1] = { ... }
end

-- Ids are processes: those that live and belong to one of the groups.
function show.living()
  for _, id in ipairs(call('SMEMBERS', P .. 'processes')) do
    for _, group in ipairs(processes.groups(id)) do
      if groups[group] and processes.is_living(id) then
        add(tonumber(id), group)
      end
    end
  end
end

function show.agent(id)
  local row = call('HMGET', P .. 'agent:' .. id, 'group', 'version', 'snapshot', 'folded')
  add(id, row[1], tonumber(row[2]), row[3], tonumber(row[4] or 0))
end

function show.event(id)
  for _, event in ipairs(agents.events(id)) do
    add(id, event[1], event[2])
  end
end

function show.lane(id)
  local lane = lanes.get(id)
  local head, counts = lanes.head(lane), {}
  if lane.carried then
    counts = cmsgpack.unpack(lane.carried)
  elseif head then
    counts = call('HMGET', P .. 'delivery:' .. head, 'attempts', 'failures', 'crashes')
  end
  local ready = lane.ready ~= NEVER and math.floor(lane.ready / 1000)
  add(id, lane.group, lane.key, tonumber(counts[1] or 0), tonumber(counts[2] or 0), tonumber(counts[3] or 0), ready, bit(lane.paused))
end

-- Ids are lanes.
function show.delivery(id)
  for _, identity in ipairs(call('ZRANGE', P .. 'queue:' .. id, 0, -1)) do
    local row = call('HMGET', P .. 'delivery:' .. identity, 'pos', 'head', 'body', 'request', 'deadline', 'caller', 'cancelled')
    local deadline = row[5] and tonumber(row[5])
    add(id, tonumber(row[1]), identity, row[2], row[3], row[4], ends.addresses(identity), deadline, row[6], bit(row[7]))
  end
end

-- Ids are turns; those of unfinished deliveries of other groups stay.
function show.step(turn)
  local lane = lanes.get(call('HGET', P .. 'delivery:' .. turn, 'lane') or '')
  if lane and not groups[lane.group] then
    return
  end
  for ordinal, step in ipairs(steps.of(turn)) do
    add(turn, step.key, ordinal, step.lane, step.kind, step.name, step.opened, step.due, step.note, step.result)
  end
end

-- Ids are requests.
function show.answer(id)
  local row = call('HMGET', P .. 'answer:' .. id, 'outcome', 'content', 'until')
  if row[1] then
    add(id, row[1], row[2], math.floor(tonumber(row[3]) / 1000))
  end
end

-- Ids are lanes.
function show.outbox(id)
  extend(found, rows.of_lane(id))
end

for _, id in ipairs(ids) do
  show[kind](id)
end
return found

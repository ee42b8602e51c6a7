local me, refusal = processes.caller()
if refusal then
  return refusal
end

local function read_command()
  local command = { kind = word(), mark = number(), lane = word(), group = word(), key = word() }
  if command.kind == 'answer' then
    command.turn, command.step, command.result = word(), word(), word()
  elseif command.kind == 'cancel' then
    command.identity, command.answer, command.address = word(), ends.read_answer(), maybe(word)
    command.outbox = list(word)
  elseif command.kind == 'run' then
    command.run = word()
  else
    command.paused = flag()
  end
  return command
end

local group, advances, dead, commands = word(), list(marks.read), list(marks.read_dead), list(read_command)
local stale, is_stale = marks.advance(me, group, advances)
local stored, told = marks.store_dead(me, dead, is_stale), {}

-- Tells the holder; without one the lane is ready.
local function stir(lane)
  lanes.rouse(lane)
  if lane.owner then
    call('SADD', P .. 'mail:' .. lane.owner, lane.id)
    told[lane.owner] = true
  end
end

local apply = {}

function apply.answer(command)
  local step = steps.get(command.turn, command.step)
  if not step or step.kind ~= 'human' or step.result then
    return
  end
  steps.close(step, command.result)
  waits.cut(step.lane, command.step)
  local lane = lanes.get(call('HGET', P .. 'delivery:' .. command.turn, 'lane') or '')
  if lane then
    lanes.set_moved(lane, command.turn, true)
    stir(lane)
  end
end

local function send(command)
  for _, row in ipairs(command.outbox) do
    stored[#stored + 1] = rows.add_to_process(me, row)
  end
end

function apply.cancel(command)
  local row = P .. 'delivery:' .. command.identity
  local found = call('HMGET', row, 'lane', 'attempts')
  if not found[1] then
    if not call('ZSCORE', P .. 'seen', command.identity) then
      call('ZADD', P .. 'seen', int(now), command.identity)
      extend(stored, ends.give(me, command.answer, { command.address or nil }))
      send(command)
    end
    return
  end
  if command.address then
    ends.add_address(command.identity, command.address)
  end
  local lane = lanes.get(found[1])
  if tonumber(found[2]) > 0 then
    call('HSET', row, 'cancelled', 1)
    stir(lane)
  else
    extend(stored, ends.finish_waiting(me, lane, command.identity, 'cancelled', command.answer))
    send(command)
  end
end

function apply.run(command)
  call('ZADD', P .. 'cancelled_runs', 'NX', int(now), command.run)
  for _, id in ipairs(call('SMEMBERS', P .. 'processes')) do
    told[id] = processes.is_living(id) or nil
  end
end

function apply.pause(command)
  local lane = lanes.get(command.lane)
  if not lane and not command.paused then
    return
  end
  lane = lane or lanes.add(command.lane, command.group, command.key)
  lane.paused, lane.dirty = command.paused and '1', true
  if lane.owner or not command.paused then
    stir(lane)
  end
  if not lane.owner and lanes.is_idle(lane) then
    lanes.remove(lane)
  end
end

for _, command in ipairs(commands) do
  if not is_stale[command.mark] then
    apply[command.kind](command)
  end
end
lanes.flush()
local notices = {}
for id in pairs(told) do
  notices[#notices + 1] = { tonumber(id), call('HGET', P .. 'process:' .. id, 'address') }
end
table.sort(notices, function(one, other) return one[1] < other[1] end)
return { stale, stored, notices }

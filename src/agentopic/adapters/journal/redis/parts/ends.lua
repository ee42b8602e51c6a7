-- How a delivery ends: its steps, its answer, its replies.
local ends = {}

function ends.read_answer()
  return { request = word(), outcome = word(), content = word(), keep = number() }
end

-- Stores an answer and its reply to each address.
function ends.give(owner, answer, addresses)
  local until_us = int(now + answer.keep)
  call('HSET', P .. 'answer:' .. answer.request, 'outcome', answer.outcome, 'content', answer.content, 'until', until_us)
  call('ZADD', P .. 'answers', until_us, answer.request)
  table.sort(addresses)
  local replies, last = {}, nil
  for _, address in ipairs(addresses) do
    if address ~= last then
      replies[#replies + 1] = rows.add_to_process(owner, rows.frame(address, answer.content))
    end
    last = address
  end
  return replies
end

function ends.addresses(identity)
  local packed = call('HGET', P .. 'delivery:' .. identity, 'addresses')
  return packed and cmsgpack.unpack(packed) or {}
end

function ends.add_address(identity, address)
  local addresses = ends.addresses(identity)
  for _, found in ipairs(addresses) do
    if found == address then
      return
    end
  end
  addresses[#addresses + 1] = address
  call('HSET', P .. 'delivery:' .. identity, 'addresses', cmsgpack.pack(addresses))
end

-- Removes a delivery and answers it everywhere; the steps of a dead letter are kept.
function ends.finish(owner, lane, identity, outcome, answer)
  local addresses = answer and ends.addresses(identity)
  local attempts = call('HGET', P .. 'delivery:' .. identity, 'attempts')
  call('ZREM', P .. 'queue:' .. lane.id, identity)
  call('DEL', P .. 'delivery:' .. identity)
  count('deliveries', lane.group, -1)
  if tonumber(attempts) > 0 then
    count('begun', lane.group, -1)
  end
  if outcome ~= 'dead' then
    call('DEL', P .. 'steps:' .. identity, P .. 'results:' .. identity)
    call('ZREM', P .. 'turns', identity)
  end
  return answer and ends.give(owner, answer, addresses) or {}
end

-- Ends a delivery that nobody runs; what follows a parked one is ready.
function ends.finish_waiting(owner, lane, identity, outcome, answer)
  local begun = tonumber(call('HGET', P .. 'delivery:' .. identity, 'attempts')) > 0
  local replies = ends.finish(owner, lane, identity, outcome, answer)
  if begun then
    waits.forget(lane.id)
    lanes.rouse(lane)
  end
  if not lane.owner and lanes.is_idle(lane) then
    lanes.remove(lane)
  end
  return replies
end

local me, refusal = processes.caller()
if refusal then
  return refusal
end

local function read_refusal()
  return { lane = word(), identity = word(), outcome = word(), answer = maybe(ends.read_answer), outbox = list(word) }
end

local stored = {}
for _, refused in ipairs(list(read_refusal)) do
  local lane = lanes.get(refused.lane)
  local row = call('HMGET', P .. 'delivery:' .. refused.identity, 'lane', 'pos')
  if lane and row[1] == refused.lane and lane.running ~= row[2] then
    extend(stored, ends.finish_waiting(me, lane, refused.identity, refused.outcome, refused.answer))
    for _, output in ipairs(refused.outbox) do
      stored[#stored + 1] = rows.add_to_process(me, output)
    end
  end
end
lanes.flush()
return stored

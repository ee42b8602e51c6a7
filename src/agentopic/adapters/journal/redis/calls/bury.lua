local me, refusal = processes.caller()
if refusal then
  return refusal
end
local peer, beat = word(), word()
local row = call('HMGET', P .. 'process:' .. peer, 'beat', 'left')
if row[1] ~= beat then
  return {}
end
burial.free_holdings(peer, not row[2])
local adopted = rows.of_process(peer)
rows.hand_over(adopted, me)
processes.erase(peer)
lanes.flush()
return adopted

local me, refusal = processes.caller()
if refusal then
  return refusal
end
burial.free_holdings(me, false)
lanes.flush()
-- With unsent rows of its own it stays visible, as gone, until a peer adopts them.
if call('EXISTS', P .. 'owned:' .. me) == 1 then
  call('HSET', P .. 'process:' .. me, 'left', 1)
else
  processes.erase(me)
end
return 0

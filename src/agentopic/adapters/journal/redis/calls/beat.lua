local me = word()
if not processes.is_living(me) then
  return redis.error_reply('BURIED process ' .. me .. ' has been declared dead')
end
return call('HINCRBY', P .. 'process:' .. me, 'beat', 1)

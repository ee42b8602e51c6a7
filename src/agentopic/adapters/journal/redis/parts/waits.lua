-- Who waits for whom: edges of a caller lane, each the callee lane (16 bytes) and the step that waits.
local waits = {}
local REACH = 64 -- how many lanes a walk visits at most

function waits.add(caller, callee, step)
  call('SADD', P .. 'waits:' .. caller, callee .. step)
end

-- Drops the edges of which `part(edge)` is the given value.
local function drop(caller, part, value)
  for _, edge in ipairs(call('SMEMBERS', P .. 'waits:' .. caller)) do
    if part(edge) == value then
      call('SREM', P .. 'waits:' .. caller, edge)
    end
  end
end

local function callee_of(edge)
  return string.sub(edge, 1, 16)
end

local function step_of(edge)
  return string.sub(edge, 17)
end

function waits.cut(caller, step)
  drop(caller, step_of, step)
end

function waits.forget(caller)
  call('DEL', P .. 'waits:' .. caller)
end

local function reaches(start, goal)
  local met, is_met, at = { start }, { [start] = true }, 1
  while at <= #met do
    if met[at] == goal then
      return true
    end
    for _, edge in ipairs(call('SMEMBERS', P .. 'waits:' .. met[at])) do
      local callee = callee_of(edge)
      if not is_met[callee] and #met < REACH then
        met[#met + 1], is_met[callee] = callee, true
      end
    end
    at = at + 1
  end
  return false
end

-- Whether a stored request waits behind a turn that waits for its caller; if so its edges are cut.
function waits.close_cycle(identity, lane, caller)
  local head = call('ZRANGE', P .. 'queue:' .. lane, 0, 0)[1]
  if not head or head == identity or tonumber(call('HGET', P .. 'delivery:' .. head, 'attempts')) == 0 then
    return false
  end
  if not reaches(lane, caller) then
    return false
  end
  drop(caller, callee_of, lane)
  return true
end

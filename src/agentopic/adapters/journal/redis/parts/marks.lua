-- Watermarks and who reads the partitions; a place is topic, NUL and partition.
local marks = {}

function marks.field(group, place)
  return group .. '\0' .. place
end

function marks.read()
  return { place = word(), known = maybe(word), next = word() }
end

-- Advances the watermarks from the values the caller knows; returns the numbers of those that have moved on.
function marks.advance(me, group, advances)
  local stale, is_stale = {}, {}
  for i, mark in ipairs(advances) do
    local field = marks.field(group, mark.place)
    local owner = call('HGET', P .. 'mark_owner', field)
    if call('HGET', P .. 'mark_next', field) ~= mark.known or (owner and owner ~= me) then
      stale[#stale + 1], is_stale[i] = i, true
    else
      call('HSET', P .. 'mark_next', field, mark.next)
    end
  end
  return stale, is_stale
end

function marks.release(owner, field)
  call('HDEL', P .. 'mark_owner', field)
  call('SREM', P .. 'leased:' .. owner, field)
end

-- Stores the dead letters whose partitions have not moved on.
function marks.store_dead(me, dead, is_stale)
  local stored = {}
  for _, letter in ipairs(dead) do
    if not is_stale[letter.mark] then
      stored[#stored + 1] = rows.add_to_process(me, letter.row)
    end
  end
  return stored
end

function marks.read_dead()
  return { mark = number(), row = word() }
end

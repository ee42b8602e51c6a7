-- What every call begins with: its arguments, one time for all it does, numbers, the names of keys.
local P = KEYS[1]
local call = redis.call
local NEVER = math.huge

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2] -- microseconds since the epoch
local now_ms = math.floor(now / 1000)

local function int(number)
  return string.format('%.0f', number)
end

local cursor = 0

local function word()
  cursor = cursor + 1
  return ARGV[cursor]
end

local function number()
  return tonumber(word())
end

local function flag()
  return word() == '1'
end

-- An argument that may be missing: false, so that it keeps its place in a list.
local function maybe(read)
  if word() == '1' then
    return read()
  end
  return false
end

local function list(read)
  local values = {}
  for i = 1, number() do
    values[i] = read()
  end
  return values
end

local function extend(target, values)
  for i = 1, #values do
    target[#target + 1] = values[i]
  end
end

local function bit(value)
  return value and 1 or 0
end

-- The next number of a sequence; as text, for it becomes part of rows.
local function draw(sequence)
  return int(call('HINCRBY', P .. 'sequences', sequence, 1))
end

local function count(what, group, by)
  call('HINCRBY', P .. 'counts', what .. ':' .. group, by)
end

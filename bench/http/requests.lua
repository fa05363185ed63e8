-- wrk's side of bench/http/run.py: the same loop for every peer, so that it costs each the same.
--
--   wrk ... -s requests.lua URL -- METHOD PATH AUTHORIZATION BODIES
--
-- BODIES names a file with one body a line, which are sent in turns; "-" stands for no body, and
-- for no Authorization. Prints one line at the end: requests, microseconds, errors.

local requests = {}
local next_one = 0

function init(args)
  local method, path, authorization, bodies = args[1], args[2], args[3], args[4]
  local headers = {["Host"] = "127.0.0.1"}
  if authorization ~= "-" then
    local file = assert(io.open(authorization))
    headers["Authorization"] = "Bearer " .. file:read("*l")
    file:close()
  end
  if bodies == "-" then
    requests[1] = wrk.format(method, path, headers, nil)
    return
  end
  headers["Content-Type"] = "application/json"
  for body in io.lines(bodies) do
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end

function done(summary, latency, per_thread)
  local errors = summary.errors
  io.write(string.format("result %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

/**
 * What has to be decided and written at once in Redis. One hash holds the plans of a group: `e:<entry id>` names the plan of an entry (its first
 * entry's id), `p:<plan>` lists its entries. Both exist from before the request is sent until its entries are acknowledged.
 */

/**
 * KEYS stream, plans · ARGV group, consumer, entry ids. Plans those entries that are still pending for this consumer and returns their ids:
 * what another bridge has taken over meanwhile is that bridge's to deliver.
 */
export const PLAN_SCRIPT = `
local mine = {}
for i = 3, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if pending[1] and pending[1][2] == ARGV[2] then mine[#mine + 1] = ARGV[i] end
end
if #mine > 0 then
  local fields = { 'p:' .. mine[1], table.concat(mine, ' ') }
  for _, id in ipairs(mine) do
    fields[#fields + 1] = 'e:' .. id
    fields[#fields + 1] = mine[1]
  end
  redis.call('HSET', KEYS[2], unpack(fields))
end
return mine
`;

/** KEYS stream · ARGV group, consumer. Takes the consumer out of the group unless entries are pending for it: they would be lost with it. */
export const LEAVE_SCRIPT = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
`;

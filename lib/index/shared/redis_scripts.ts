/**
 * What Redis does in one step: Lua scripts. Each touches the keys of one peer (redis_keys.ts) and a
 * bounded amount of data. Called by redis_entries.ts, which knows their arguments.
 * @module
 */

import { createHash } from "node:crypto";

/** A script and the digest by which Redis knows it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/**
 * Puts a peer's entry, with a list that was written to `next` before. Everything is checked before
 * anything is changed.
 *
 * Answers `{"put"}`; `{"owned"}` when the name belongs to another key; `{"held", session, server,
 * id}` when there is an entry of a session other than the expected one; `{"unwritten"}` when `next`
 * does not have the written length.
 *
 * KEYS: entry, list, next, owner. ARGV: id, server, session, peer, expected session, generation,
 * after, from, base, for how many ms the key owns the name (0: not at all).
 */
export const PUT = script(`
  local owner = redis.call('GET', KEYS[4])
  if owner and owner ~= ARGV[1] then return {'owned'} end
  local held = {}
  if redis.call('TYPE', KEYS[1]).ok == 'hash' then held = redis.call('HMGET', KEYS[1], 'session', 'server', 'id') end
  if held[1] and held[1] ~= ARGV[5] then return {'held', held[1], held[2], held[3]} end
  if redis.call('LLEN', KEYS[3]) ~= tonumber(ARGV[9]) then return {'unwritten'} end
  redis.call('UNLINK', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'server', ARGV[2], 'session', ARGV[3], 'peer', ARGV[4],
    'generation', ARGV[6], 'after', ARGV[7], 'from', ARGV[8], 'base', ARGV[9])
  if ARGV[9] ~= '0' then
    redis.call('RENAME', KEYS[3], KEYS[2])
    redis.call('PERSIST', KEYS[2])
  end
  if ARGV[10] ~= '0' then redis.call('SET', KEYS[4], ARGV[1], 'PX', ARGV[10]) end
  return {'put'}
`);

/**
 * Adds a batch to a list that is being written. The list expires unless it is put. KEYS: next.
 * ARGV: batch, ms.
 */
export const WRITE_NEXT = script(`
  redis.call('RPUSH', KEYS[1], ARGV[1])
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

/**
 * Adds a batch to a list. Answers how many batches there are; -1 when the entry belongs to another
 * session, -2 when the list does not have the expected generation and length.
 *
 * KEYS: entry, list. ARGV: session, generation, expected length, batch.
 */
export const APPEND = script(`
  local known = redis.call('HMGET', KEYS[1], 'session', 'generation')
  if known[1] and known[1] ~= ARGV[1] then return -1 end
  if known[2] ~= ARGV[2] or redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[3]) then return -2 end
  return redis.call('RPUSH', KEYS[2], ARGV[4])
`);

/**
 * Reads what is new of an entry, for a reader that has read up to a position of a generation.
 *
 * Answers nothing when there is no entry, else `{server, session, peer, generation, position,
 * length, ms left or -1, {batches from position on}}`. The position is 0 when the reader has to
 * load the whole list.
 *
 * A generation records the generation that it follows (`after`) and the length of that one
 * (`from`). A reader that had read exactly so far goes on behind the `base` of the new one.
 *
 * KEYS: entry, list. ARGV: session, generation, position, batches at most.
 */
export const READ = script(`
  local e = redis.call('HMGET', KEYS[1], 'server', 'session', 'peer', 'generation', 'from', 'base', 'after')
  if not e[2] then return {} end
  local position = tonumber(ARGV[3])
  if e[2] ~= ARGV[1] then
    position = 0
  elseif e[4] ~= ARGV[2] then
    if e[7] == ARGV[2] and tonumber(e[5]) == position then
      position = tonumber(e[6]) or 0
    else
      position = 0
    end
  end
  local length = redis.call('LLEN', KEYS[2])
  if position > length then position = 0 end
  local batches = {}
  if position < length and ARGV[4] ~= '0' then
    batches = redis.call('LRANGE', KEYS[2], position, position + tonumber(ARGV[4]) - 1)
  end
  return {e[1], e[2], e[3], e[4], position, length, redis.call('PTTL', KEYS[1]), batches}
`);

/**
 * Removes an entry, if it belongs to a server and, if one is given, to a session. KEYS: entry,
 * list. ARGV: server, session or "".
 */
export const REMOVE = script(`
  local e = redis.call('HMGET', KEYS[1], 'server', 'session')
  if e[1] ~= ARGV[1] or (ARGV[2] ~= '' and e[2] ~= ARGV[2]) then return 0 end
  return redis.call('UNLINK', KEYS[1], KEYS[2])
`);

/**
 * Registers or renews a name. Answers `{"registered", token}`, `{"owned"}`, `{"held"}` or
 * `{"refused"}`.
 *
 * KEYS: entry, owner. ARGV: id, server, session, peer, token or "", fresh token, ms.
 */
export const REGISTER = script(`
  local held = redis.call('HMGET', KEYS[1], 'session', 'token')
  local token = ARGV[6]
  if held[1] then
    if not held[2] or ARGV[5] == '' then return {'held'} end
    if held[2] ~= ARGV[5] then return {'refused'} end
    token = held[2]
  elseif redis.call('EXISTS', KEYS[2]) == 1 then
    return {'owned'}
  end
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'server', ARGV[2], 'session', ARGV[3], 'peer', ARGV[4], 'token', token,
    'generation', 0, 'from', 0, 'base', 0)
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  return {'registered', token}
`);

/**
 * Removes a registered name. Answers 1; 0 when it is not registered, -1 when the token is wrong.
 * KEYS: entry. ARGV: token.
 */
export const UNREGISTER = script(`
  local token = redis.call('HGET', KEYS[1], 'token')
  if not token then return 0 end
  if token ~= ARGV[1] then return -1 end
  return redis.call('UNLINK', KEYS[1])
`);

function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

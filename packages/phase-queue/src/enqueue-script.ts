/**
 * Sorts job ids by what the queue already does with them, in one step, so that no worker can change it in between.
 * A running job is noted to run again: its note is a key of its own with a life of an hour, because a note that is never read
 * (the worker died) must not stay for ever. A waiting one gets the newest data: its epoch tells workers who asked last.
 * KEYS and job keys share one hash tag, as Redis Cluster demands.
 *
 * What comes from such a note may be older than what was asked for since the job ended, and then changes nothing.
 *
 * KEYS[1] delayed set; ARGV[1] prefix of job keys, ARGV[2] options of the note, ARGV[3] "note" for what comes from one; then pairs
 * of id and data.
 * Returns per id: "new", "waiting", "active", or the score in the delayed set.
 */
export const ENQUEUE_SCRIPT = `
local function isOlder(data, key)
  local one, other = cjson.decode(data), cjson.decode(redis.call('HGET', key, 'data') or '{}')
  local epoch, known = one.epoch or 0, other.epoch or 0
  return epoch < known or (epoch == known and (one.askedAt or 0) < (other.askedAt or 0))
end
local answers = {}
for i = 4, #ARGV, 2 do
  local key = ARGV[1] .. ARGV[i]
  if redis.call('EXISTS', key) == 0 then
    answers[#answers + 1] = 'new'
  elseif redis.call('EXISTS', key .. ':lock') == 1 then
    redis.call('HSET', key .. ':again', 'options', ARGV[2], 'data', ARGV[i + 1])
    redis.call('PEXPIRE', key .. ':again', 3600000)
    answers[#answers + 1] = 'active'
  else
    if ARGV[3] ~= 'note' or not isOlder(ARGV[i + 1], key) then redis.call('HSET', key, 'data', ARGV[i + 1]) end
    answers[#answers + 1] = redis.call('ZSCORE', KEYS[1], ARGV[i]) or 'waiting'
  end
end
return answers
`;

/**
 * Between the look of `ENQUEUE_SCRIPT` and the adding of a new job another client may have added it with a delay, which BullMQ
 * does not tell. Gives those the newest data and returns their scores, else "waiting".
 *
 * KEYS[1] delayed set; ARGV[1] prefix of job keys; then pairs of id and data.
 */
export const DELAYED_SCRIPT = `
local answers = {}
for i = 2, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score then redis.call('HSET', ARGV[1] .. ARGV[i], 'data', ARGV[i + 1]) end
  answers[#answers + 1] = score or 'waiting'
end
return answers
`;

/** Takes a running job's note: its options and data, or nothing. */
export const TAKE_NOTE_SCRIPT = `
local note = redis.call('HMGET', KEYS[1], 'options', 'data')
redis.call('DEL', KEYS[1])
return note
`;

/** BullMQ keeps the due time in milliseconds times this, the rest is a counter. */
const SCORE_UNIT = 0x1000;

/** What the queue already does with one job. */
export type Standing = { kind: 'new' } | { kind: 'waiting' } | { kind: 'active' } | { kind: 'delayed'; dueAt: number };

/** Reads one answer of the script; throws a TypeError on anything it cannot have said. */
export const readStanding = (answer: unknown): Standing => {
  if (answer === 'new' || answer === 'waiting' || answer === 'active') return { kind: answer };
  const score = Number(answer);
  if (!Number.isFinite(score)) throw new TypeError(`Unexpected answer of the enqueue script: ${String(answer)}`);
  return { kind: 'delayed', dueAt: Math.floor(score / SCORE_UNIT) };
};

// GET /users/:id: the profile as this caller may see it, and whether the caller follows it, in one pipeline.
import { validUsername } from './auth.js';
import { ApiError } from './error.js';
import { redis, toObject } from './redis.js';

const PRIVATE = new Set(
  (
    'first_name last_name email phone phone_number address date_of_birth birth_date ip_address device_id language ' +
    'email_notifications allowed_last_online allowed_mark_read'
  ).split(' '),
);
const SECRET = /^(password|ssn|credit_card|bank_account|otp.*|.*_hash|.*token.*|.*secret.*)$/;
const NUMBERS = new Set(['postCount', 'followerCount', 'followingCount', 'created_at']);

export async function showUser(c) {
  const caller = c.get('caller');
  const asked = c.req.param('id');
  const id = asked === 'me' ? caller.username : asked;
  if (!validUsername(id) && id !== caller.username) throw new ApiError(400, 'bad_username', 'Not a username');
  const [flat, follows] = await redis(c.env)
    .pipeline()
    .hgetall(`user:${id}`)
    .sismember(`user:${caller.username}:following`, id)
    .exec();
  if (flat.length === 0) throw new ApiError(404, 'user_not_found', 'User not found');
  const own = caller.kind === 'user' && caller.username === id;
  return c.json({ user: { ...view(toObject(flat), own), isFollowing: follows === 1 } });
}

/** What of a profile its owner, or anyone else, sees. */
export function view(profile, own) {
  const seen = {};
  for (const [field, value] of Object.entries(profile)) {
    const name = field.toLowerCase();
    if (SECRET.test(name) || (!own && PRIVATE.has(name))) continue;
    seen[field] = NUMBERS.has(field) ? Number(value) : value;
  }
  return seen;
}

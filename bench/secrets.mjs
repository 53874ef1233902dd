// The credentials of one run. They protect nothing: everything is on loopback and gone afterwards.
import { randomBytes } from 'node:crypto';
import { signToken } from '../scripts/token.mjs';

const random = () => randomBytes(32).toString('base64url');

export const secrets = { apiKey: random(), gatewayKey: random(), jwtSecret: random(), upstreamToken: random() };

/** A user's token, good for a day. */
export const token = (username) => signToken({ username, role: 'user', secret: secrets.jwtSecret });

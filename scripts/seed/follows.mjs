// Who follows whom: a set and a list by time on either side.

/** Writes everyone's follows; returns how many there are. */
export async function writeFollows({ people, writer, random, progress }) {
  let follows = 0;
  for (let user = 0; user < people.count; user++) {
    const followed = people.shape.followed(user);
    followed.delete(user);
    const name = people.username(user);
    const since = [];
    for (const other of followed) {
      const otherName = people.username(other);
      const at = random.between(Math.max(people.joined(user), people.joined(other)), people.now);
      since.push(at, otherName);
      writer.add('SADD', `user:${otherName}:followers`, name);
      writer.add('ZADD', `user:${otherName}:followers:since`, at, name);
      people.followers[other] += 1;
    }
    if (since.length > 0) {
      writer.add('SADD', `user:${name}:following`, ...since.filter((_, i) => i % 2 === 1));
      writer.add('ZADD', `user:${name}:following:since`, ...since);
    }
    people.following[user] = followed.size;
    follows += followed.size;
    await writer.breathe();
    progress(user + 1, people.count);
  }
  return follows;
}

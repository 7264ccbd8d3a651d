/** Kinds of entities one can ask about. */
const ASKABLE = new Set(['person', 'company', 'project', 'location']);

/** What was read and stored, counted while it goes by: the memories themselves are not kept. */
export class Tally {
  stored = 0;
  /** @type {{ line: number, message: string }[]} */
  bad = [];
  #users = new Map();

  addBad(line, message) {
    this.bad.push({ line, message });
  }

  addMemory({ id, userId, entities, metadata }) {
    this.stored += 1;
    const user = this.#user(userId);
    user.ids.push(id);
    if (metadata.created) user.created += 1;
    for (const [key, name] of askable(entities)) {
      const mention = user.mentions.get(key) ?? { name, memories: 0 };
      mention.memories += 1;
      user.mentions.set(key, mention);
    }
  }

  get created() {
    return [...this.#users.values()].reduce((sum, { created }) => sum + created, 0);
  }

  get users() {
    return [...this.#users.keys()];
  }

  /** @returns {string | undefined} */
  get busiestUser() {
    const bySize = (a, b) => this.idsOf(b).length - this.idsOf(a).length;
    return this.users.sort(bySize)[0];
  }

  /** The ids of a user's memories in this file, each once, in an order that does not depend on timing. */
  idsOf(userId) {
    return [...new Set(this.#users.get(userId)?.ids)].sort();
  }

  /** The names most of a user's memories mention. */
  mostMentioned(userId, limit) {
    return [...(this.#users.get(userId)?.mentions.values() ?? [])]
      .sort((a, b) => b.memories - a.memories || a.name.localeCompare(b.name))
      .slice(0, limit)
      .map(({ name }) => name);
  }

  #user(userId) {
    if (!this.#users.has(userId)) this.#users.set(userId, { ids: [], created: 0, mentions: new Map() });
    return this.#users.get(userId);
  }
}

/** Each entity once per memory. */
function askable(entities) {
  return new Map(
    entities
      .filter(({ type }) => ASKABLE.has(type))
      .map(({ type, value, normalized }) => [`${type} ${normalized ?? value.toLowerCase()}`, value]),
  );
}

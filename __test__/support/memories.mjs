// Memories that are hard to carry: every kind of entity and relationship, text that means something elsewhere.
import { createHash } from 'node:crypto';

export const ENTITY_TYPES = [
  'person',
  'company',
  'project',
  'date',
  'topic',
  'location',
  'tool',
  'action_item',
];

const RELATIONSHIP_TYPES = [
  'WORKS_WITH',
  'REPORTS_TO',
  'WORKS_FOR',
  'LEADS',
  'WORKS_ON',
  'EXPERT_IN',
  'LOCATED_IN',
  'FRIEND_OF',
  'FAMILY_OF',
  'MARRIED_TO',
  'SIBLING_OF',
  'PARTNERS_WITH',
  'COMPETES_WITH',
  'OWNS',
  'RELATED_TO',
  'DEPENDS_ON',
  'PART_OF',
  'SUBTOPIC_OF',
  'ASSOCIATED_WITH',
];

const HOSTILE = [
  'plain words about the harbour',
  '👩‍👩‍👧‍👦 family, 🇳🇴 flag, 𝔘𝔫𝔦𝔠𝔬𝔡𝔢',
  "Robert'); drop table memory_entries; --",
  '{"format":"izzie-memory","count":0,"digest":""}',
  'line one\nline two\r\nline three\u2028and four\u2029five',
  '"quoted" \\ back\\slash \t tab \u0007 bell',
  'עברית وعربى 中文 e\u0301 é ﬁ',
  '#{exit 1} {{7*7}} <script>alert(1)</script> $1 %s',
];

/** The memory with this number, the same in every run, as a line of JSON or an argument of `store` has it. */
export function hardMemory(number) {
  const type = ENTITY_TYPES[number % ENTITY_TYPES.length];
  const other = ENTITY_TYPES[(number + 3) % ENTITY_TYPES.length];
  const [value, with_] = [`Name ${number % 97}`, `Øther ${number % 31} "x"`];
  return {
    id: uuid(number),
    content: `${HOSTILE[number % HOSTILE.length]} number ${number}`,
    createdAt: new Date(Date.UTC(2020, 0, 1) + number * 61_001).toISOString(),
    importance: 1 + (number % 10),
    ...(number % 3 === 0 && { summary: `Summary ${number} 🙂` }),
    ...(number % 2 === 0 && {
      conversationId: number % 4 === 0 ? uuid(number % 40) : `conv-${number % 40} é`,
    }),
    metadata: { n: number, half: number / 2, tags: ['a', null, { deep: [HOSTILE[number % 5]] }], ключ: true },
    entities: [
      {
        type,
        value,
        confidence: (number % 11) / 10,
        source: ['metadata', 'body', 'subject'][number % 3],
        context: `around "${value}"`,
        ...(type === 'action_item' && { assignee: 'Ada', deadline: 'Friday', priority: 'high' }),
      },
    ],
    relationships: [
      {
        fromType: type,
        fromValue: value,
        toType: other,
        toValue: with_,
        relationshipType: RELATIONSHIP_TYPES[number % RELATIONSHIP_TYPES.length],
        confidence: 0.75,
        ...(number % 2 === 0 && { evidence: `it says so in ${number}` }),
      },
    ],
  };
}

/** JSON Lines as another program may have written them. */
export function* hardLines(count) {
  for (let number = 0; number < count; number += 1) yield `${JSON.stringify(hardMemory(number))}\n`;
}

/** A UUID made of a text. */
export function uuid(text) {
  const hex = createHash('sha256').update(`memory ${text}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

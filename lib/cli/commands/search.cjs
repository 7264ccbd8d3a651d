'use strict';

const { Option } = require('commander');
const { EXIT } = require('../exit-codes.cjs');
const { examples, userOf, wholeNumber, withStores } = require('../options.cjs');

const EXCERPT_LENGTH = 100;

/** @param {import('commander').Command} program @param {(command: import('../program.cjs').CliCommand) => any} action */
module.exports = (program, action) => {
  withStores(program.command('search <query...>'))
    .description("find a user's memories")
    .requiredOption('--user <id>', 'whose memories', userOf)
    .option('--limit <count>', 'at most this many', wholeNumber, 10)
    .addOption(
      new Option('--mode <mode>', 'what ranks them').choices(['hybrid', 'vector', 'text']).default('hybrid'),
    )
    .option('--conversation <id>', 'only of this conversation')
    .option('--explain', 'what each score is made of')
    .addHelpText(
      'after',
      examples('search --user ada "whom did I have lunch with?"', 'search --user ada --explain kayak'),
    )
    .action(action(search));
};

async function search(context, options, words) {
  const { user, limit, mode, conversation: conversationId, explain } = options;
  const layer = await context.layer();
  const found = await layer.memory.retrieve(user, words.join(' '), {
    limit,
    mode,
    conversationId,
    explain,
    signal: context.signal,
  });
  context.print(found, found.length === 0 ? 'Nothing was found.' : found.map(describe).join('\n'));
  return EXIT.OK;
}

function describe({ score, createdAt, content, entities, explain, id }) {
  const lines = [`${score.toFixed(2)}  ${createdAt.toISOString().slice(0, 10)}  ${excerpt(content)}`];
  lines.push(`      ${id}${namesOf(entities)}`);
  if (explain) lines.push(`      ${partsOf(explain)}`);
  return lines.join('\n');
}

function namesOf(entities) {
  return entities.length === 0 ? '' : `  [${entities.map(({ value }) => value).join(', ')}]`;
}

function partsOf(explain) {
  const parts = Object.entries(explain).filter(([, part]) => part !== 0);
  return parts.map(([name, part]) => `${name} ${part.toFixed(2)}`).join(' + ');
}

function excerpt(content) {
  const characters = [...content.replaceAll(/\s+/g, ' ').trim()];
  if (characters.length <= EXCERPT_LENGTH) return characters.join('');
  return `${characters.slice(0, EXCERPT_LENGTH - 1).join('')}…`;
}

-- What of a text can be searched for. Memories and questions go through the same functions. Nothing here depends on the
-- locale of the database: characters are named by their numbers, for `[[:alnum:]]` is ASCII only in some locales.

-- Letters in one form: without accents and vowel points, of one width, æ, ø, ß and their like in ASCII, Greek and Cyrillic
-- in lower case (the dictionaries of Postgres lower ASCII only in some locales).
create or replace function izzie_memory.plain_letters(given text) returns text
language plpgsql immutable parallel safe as $$
declare
  plain text := given;
begin
  if octet_length(plain) = length(plain) then
    return plain; -- ASCII
  end if;
  -- ™ and its like are no letters
  plain := translate(plain, '™©®℠ªº', '      ');
  if getdatabaseencoding() = 'UTF8' then
    plain := normalize(regexp_replace(normalize(plain, NFKD), E'[\\u0300-\\u036F\\u0483-\\u0487\\u0591-\\u05BD\\u05BF\\u05C1\\u05C2'
      '\\u05C4\\u05C5\\u05C7\\u0640\\u064B-\\u065F\\u0670\\u1AB0-\\u1AFF\\u1DC0-\\u1DFF\\u200B-\\u200F\\u2060\\u20D0-\\u20FF'
      '\\uFE00-\\uFE0F\\uFEFF\\u00AD]+', '', 'g'), NFC);
  end if;
  plain := translate(plain, 'ØøŁłĐđÐðĦħıŦŧ', 'OoLlDdDdHhiTt');
  plain := translate(plain, 'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς', 'αβγδεζηθικλμνξοπρστυφχψωσ');
  plain := translate(plain, 'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐ', 'абвгдежзийклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґ');
  -- each stays as it is where it does not occur
  return replace(replace(replace(replace(replace(replace(replace(replace(plain,
    'ß', 'ss'), 'ẞ', 'SS'), 'æ', 'ae'), 'Æ', 'AE'), 'œ', 'oe'), 'Œ', 'OE'), 'þ', 'th'), 'Þ', 'TH');
end $$;

-- Scripts without spaces between their words (Chinese, Japanese, Thai and others, also Korean, whose endings are glued
-- on): every two neighbouring characters are a word. A single character is one where it stands alone, an ideograph always
-- in a memory: a question of one finds it inside of others. Emoji are words, a flag is one.
create or replace function izzie_memory.words_of_characters(plain text, asked boolean) returns tsvector
language plpgsql immutable parallel safe as $$
declare
  dense constant text := E'\\u0E00-\\u0E2E\\u0E30-\\u0E59\\u0E80-\\u0EFF\\u0F00\\u0F20-\\u0FFF\\u1000-\\u1049\\u1050-\\u109F'
    '\\u1100-\\u11FF\\u1780-\\u17D3\\u17E0-\\u17FF\\u2E80-\\u2FDF\\u3005-\\u3007\\u3040-\\u30FA\\u30FC-\\u31FF\\u3400-\\u9FFF'
    '\\uA960-\\uA97F\\uAC00-\\uD7FF\\uF900-\\uFAFF\\U00020000-\\U0003FFFF';
  pictures constant text := E'\\u231A\\u231B\\u23E9-\\u23FA\\u2600-\\u27BF\\u2B1B\\u2B1C\\u2B50\\u2B55'
    '\\U0001F000-\\U0001F1E5\\U0001F200-\\U0001F3FA\\U0001F400-\\U0001FAFF';
  flags constant text := E'\\U0001F1E6-\\U0001F1FF';
  found tsvector;
  words tsvector := '';
begin
  if plain ~ ('[' || dense || ']') then
    select string_agg(case when pair is not null then format('''%s'':%s', pair, least(n, 16383)) end, ' ' order by n)::tsvector
      || coalesce(string_agg(case when single is not null then format('''%s''', single) end, ' '), '')::tsvector
    into found
    from (
      select n, case when char <> ' ' and next <> ' ' then char || next when char <> ' ' and last = ' ' then char end as pair,
        case when not asked and char ~ E'[\\u3400-\\u9FFF\\uF900-\\uFAFF\\U00020000-\\U0003FFFF]' then char end as single
      from (
        select n, char, coalesce(lead(char) over (order by n), ' ') as next, coalesce(lag(char) over (order by n), ' ') as last
        from unnest(string_to_array(left(regexp_replace(plain, '[^' || dense || ']+', ' ', 'g'), 50000), null))
          with ordinality as c (char, n)
      ) neighbours
    ) pieces;
    words := coalesce(found, '');
  end if;
  if plain ~ ('[' || pictures || flags || ']') then
    select string_agg(format('''%s'':%s', picture[1], least(n, 16383)), ' ')::tsvector into found
    from regexp_matches(left(plain, 100000), '([' || flags || ']{2}|[' || pictures || '])', 'g')
      with ordinality as p (picture, n);
    words := words || coalesce(found, '');
  end if;
  return words;
end $$;

-- Other forms of what has punctuation, digits or capitals inside: INV-2024-00317 is also inv202400317, 2024-05-08 also
-- 2024.05.08, wi-fi wifi, C++ c++, memoryEntries memory and entries, INV00317 00317, and a telephone number its last nine digits.
-- They have no positions: none of them makes a memory longer.
create or replace function izzie_memory.words_inside(plain text) returns tsvector
language plpgsql immutable parallel safe as $$
declare
  said text := left(plain, 100000);
  glued text;
  parts text;
  numbers text[];
begin
  -- all of it is at least two characters of another kind beside each other
  if said !~ E'[0-9A-Za-z][-._/\\\\:#+''’&][0-9A-Za-z]|[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z]|[0-9]{7}|[0-9][) ]|[A-Za-z](?:[+][+]|#)' then
    return '';
  end if;
  select string_agg(regexp_replace(piece, '[^0-9A-Za-z]+', '', 'g'), ' ') filter (where piece ~ '[A-Za-z]'),
    array_agg(distinct regexp_replace(ltrim(piece, 'vV'), '[^0-9]+', '.', 'g')) filter (where piece ~ '^[vV]?[0-9]+[^A-Za-z]*$')
  into glued, numbers
  from regexp_matches(said, E'[0-9A-Za-z]+(?:[-._/\\\\:#+''’&][0-9A-Za-z]+)+', 'g') as whole (text)
  cross join regexp_split_to_table(whole.text[1], case when whole.text[1] ~ '[0-9]' and whole.text[1] !~ '[/:].*[/:].*[/:]'
    then '[[:space:]]' else E'[/\\\\:#]' end) as piece
  where piece ~ '[^0-9A-Za-z]' and length(piece) <= 60;
  select string_agg(regexp_replace(regexp_replace(regexp_replace(regexp_replace(whole.text[1],
      '([A-Z])([A-Z][a-z])', E'\\1 \\2', 'g'), '([a-z])([A-Z])', E'\\1 \\2', 'g'),
      '([A-Za-z])([0-9])', E'\\1 \\2', 'g'), '([0-9])([A-Za-z])', E'\\1 \\2', 'g'), ' ')
  into parts
  from regexp_matches(said, '[0-9A-Za-z]*(?:[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z])[0-9A-Za-z]*', 'g') as whole (text)
  where length(whole.text[1]) <= 40 and whole.text[1] !~* '^[0-9]+(st|nd|rd|th)$';
  parts := regexp_replace(parts, E'\\m[0-9A-Za-z]\\M', '', 'g');
  numbers := numbers || (select array_agg(distinct right(digits, 9))
    from regexp_matches(replace(said, '(0)', ' '), E'[0-9]+(?:[)]?[-./ ]?[(]?[0-9]{2,}){1,7}', 'g') as whole (text)
    cross join regexp_replace(whole.text[1], '[^0-9]+', '', 'g') as digits
    where length(digits) between 7 and 15)
    || (select array_agg(distinct lower(sign[1])) from regexp_matches(said, E'\\m[A-Za-z](?:[+][+]|#)', 'g') as sign);
  return strip(to_tsvector('pg_catalog.english', concat_ws(' ', glued, parts)))
    || coalesce(array_to_tsvector(numbers), '');
end $$;

-- The words of a text, English ones as stems. What a question asks for is what a memory of the same text has, but for the
-- single characters of words_of_characters.
create or replace function izzie_memory.words_of(said text, asked boolean) returns tsvector
language plpgsql immutable parallel safe as $$
declare
  plain text := izzie_memory.plain_letters(said);
  words tsvector;
  others tsvector;
begin
  -- endings of the genitive and of short forms; separators of thousands; the scheme of an address
  plain := regexp_replace(plain, E'([A-Za-z])[''’](s|t|ll|re|ve|m|d)\\M', E'\\1', 'gi');
  plain := regexp_replace(plain, E'([0-9]),(?=[0-9]{3}([^0-9]|$))', E'\\1', 'g');
  plain := regexp_replace(plain, E'\\m(https?|ftp|mailto|file):/*', ' ', 'gi');
  words := to_tsvector('pg_catalog.english', regexp_replace(plain, E'[\\u0001-\\u002F\\u003A-\\u0040\\u005B-\\u0060'
    '\\u007B-\\u00BF\\u00D7\\u00F7\\u055A-\\u055F\\u0589\\u058A\\u05BE\\u05C0\\u05C3\\u05F3\\u05F4\\u060C\\u061B\\u061F'
    '\\u066A-\\u066D\\u06D4\\u0964\\u0965\\u0E00-\\u109F\\u1100-\\u11FF\\u1360-\\u1368\\u1780-\\u17FF\\u2000-\\u2BFF'
    '\\u2E00-\\u31FF\\u3400-\\u9FFF\\uA960-\\uA97F\\uAC00-\\uFAFF\\uFE10-\\uFE6F\\uFF00-\\uFFFF\\U0001F000-\\U0003FFFF]+',
    ' ', 'g'));
  foreach others in array array[izzie_memory.words_inside(plain), izzie_memory.words_of_characters(plain, asked)] loop
    -- A vector holds at most a megabyte: better without some of the words than an error.
    if pg_column_size(words) + pg_column_size(others) < 1000000 then
      words := words || others;
    end if;
  end loop;
  return words;
end $$;

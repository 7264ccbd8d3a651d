-- Gives rows that were there before their state, page by page. What others have locked is left to the next sync call.
do $$
begin
  perform izzie_memory.begin_adoption();
  while (izzie_memory.adopt_page(100)).rest = 'more' loop
    commit;
  end loop;
end $$;

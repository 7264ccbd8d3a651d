select s.epoch, case when r.is_called then r.last_value else 0 end as high_water
from izzie_memory.settings s, izzie_memory.revision_seq r

-- any-schema, line 3
select count(*)
from information_schema.tables
where table_name = 'SALES';

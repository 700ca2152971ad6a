-- from @%SALES; strftime(x) and information_schema.tables
select 'put @%SALES; strftime(x)' as Text, 'it''s' as Other /* distinct on (a) */ from SALES;

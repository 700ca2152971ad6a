-- query-over-table-stage, line 2
copy into SALES (StoreID)
from (select $1:StoreID::varchar from @%SALES/part.parquet)
file_format = (type = parquet);

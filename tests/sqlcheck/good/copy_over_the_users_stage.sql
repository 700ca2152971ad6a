copy into SALES (StoreID) from (select $1:StoreID::varchar from @~/load/part.parquet)
file_format = (type = parquet);

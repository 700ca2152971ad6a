create temporary stage LOAD;
put 'file:///tmp/part.parquet' @LOAD auto_compress = false;
copy into SALES (StoreID) from (select $1:StoreID::varchar from @LOAD/part.parquet)
file_format = (type = parquet);
drop stage if exists LOAD;

-- table-stage, line 2
put 'file:///tmp/part.parquet' @%SALES auto_compress = false;

copy into SALES from @%SALES file_format = (type = parquet) match_by_column_name = case_insensitive;

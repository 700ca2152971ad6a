"""Hold our SQL and connector settings to Snowflake's rules, where the local warehouse is kinder than Snowflake."""

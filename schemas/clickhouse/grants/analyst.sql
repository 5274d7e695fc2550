-- A user who looks and nothing else, for a real server. Run it once as an
-- administrator, with a password hash of your own.

CREATE SETTINGS PROFILE IF NOT EXISTS plumbline_analyst SETTINGS
    readonly = 2, allow_ddl = 0, max_execution_time = 60 MAX 300, max_memory_usage = 4000000000 MAX 8000000000,
    max_result_rows = 1000000 MAX 10000000, max_rows_to_read = 10000000000, max_concurrent_queries_for_user = 8,
    distributed_product_mode = 'global';

CREATE QUOTA IF NOT EXISTS plumbline_analyst FOR INTERVAL 1 minute MAX queries = 600, FOR INTERVAL 1 hour MAX execution_time = 3600;

CREATE ROLE IF NOT EXISTS plumbline_analyst SETTINGS PROFILE 'plumbline_analyst';

GRANT SELECT, SHOW ON plumbline.* TO plumbline_analyst;

CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH sha256_hash BY '{sha256 of the password}' DEFAULT ROLE plumbline_analyst;

GRANT plumbline_analyst TO analyst;

ALTER QUOTA plumbline_analyst TO plumbline_analyst;

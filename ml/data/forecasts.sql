-- Forecasts by store and month: one row per series, month, model version and origin month.
-- `make forecast` replaces the rows of its model version and origin month, in one transaction.
create table if not exists FORECASTS (
    StoreID varchar not null,
    Category varchar,
    Product varchar,
    Month date not null,
    TotalSales double not null,
    P10 double not null,
    P90 double not null,
    Flags varchar,
    ModelName varchar not null,
    ModelVersion varchar not null,
    OriginMonth date not null
)

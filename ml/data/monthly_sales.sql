-- Sales by store and month: one row per store and calendar month with a sale.
-- checked_sales are the rows that met ml/data/sales.contract.yml, in its types.
-- Runs unchanged in DuckDB (named parameter grain) and in Snowflake (session variable: set grain = 'store').
-- grain is store, category or product; category and product add that column to the key, which is otherwise NULL.
-- "Last recorded" is the last value that is not NULL, by SaleDate, then by SaleID. The last date of each value is found
-- first, and SaleID then looked at in the few rows of those dates: twice as fast as ordering every row by both.
-- Monday to Sunday are the units sold on these weekdays, SaleDays the days with a sale, FirstDay and LastDay the first
-- and the last of them: what trading days and closed, partial or sparse months are told by.
-- The table is read twice on purpose: one shared CTE would make DuckDB keep a copy of all rows.
with

every_sale as (

    select
        StoreID,
        case when $grain = 'category' then Category end as KeyCategory,
        case when $grain = 'product' then Product end as KeyProduct,
        cast(date_trunc('month', SaleDate) as date) as MonthStart,
        cast(SaleDate as date) as SaleDay,
        mod(datediff('day', cast('1900-01-01' as date), cast(SaleDate as date)), 7) as SaleWeekday,
        SaleDate,
        Country,
        City,
        Price,
        Quantity,
        cast(Quantity as decimal(18, 6)) as Units,
        Weather,
        Promotion,
        Holiday
    from checked_sales

),

sales_again as (

    select * from checked_sales

),

totals as (

    -- Decimals are summed exactly, so neither the order of the rows nor the engine shows in the result.
    select
        StoreID,
        KeyCategory,
        KeyProduct,
        MonthStart,
        cast(sum(cast(Price as decimal(18, 6))) as double) / nullif(count(Price), 0) as Price,
        cast(sum(Units) as double) as TotalSales,
        cast(sum(case when SaleWeekday = 0 then Units else 0 end) as double) as Monday,
        cast(sum(case when SaleWeekday = 1 then Units else 0 end) as double) as Tuesday,
        cast(sum(case when SaleWeekday = 2 then Units else 0 end) as double) as Wednesday,
        cast(sum(case when SaleWeekday = 3 then Units else 0 end) as double) as Thursday,
        cast(sum(case when SaleWeekday = 4 then Units else 0 end) as double) as Friday,
        cast(sum(case when SaleWeekday = 5 then Units else 0 end) as double) as Saturday,
        cast(sum(case when SaleWeekday = 6 then Units else 0 end) as double) as Sunday,
        count(distinct case when Quantity <> 0 then SaleDay end) as SaleDays,
        min(case when Quantity <> 0 then SaleDay end) as FirstDay,
        max(case when Quantity <> 0 then SaleDay end) as LastDay,
        max(case when Country is not null then SaleDate end) as CountryDate,
        max(case when City is not null then SaleDate end) as CityDate,
        max(case when Weather is not null then SaleDate end) as WeatherDate,
        max(case when Promotion is not null then SaleDate end) as PromotionDate,
        max(case when Holiday is not null then SaleDate end) as HolidayDate
    from every_sale
    group by StoreID, KeyCategory, KeyProduct, MonthStart

),

last_dates as (

    select StoreID, CountryDate as LastDate from totals
    union
    select StoreID, CityDate as LastDate from totals
    union
    select StoreID, WeatherDate as LastDate from totals
    union
    select StoreID, PromotionDate as LastDate from totals
    union
    select StoreID, HolidayDate as LastDate from totals

),

last_sales as (

    -- The keys are worked out after the join, for the few rows that it leaves.
    select
        sales_again.StoreID,
        case when $grain = 'category' then Category end as KeyCategory,
        case when $grain = 'product' then Product end as KeyProduct,
        cast(date_trunc('month', SaleDate) as date) as MonthStart,
        SaleID,
        SaleDate,
        Country,
        City,
        Weather,
        Promotion,
        Holiday
    from sales_again
    inner join last_dates
        on sales_again.StoreID = last_dates.StoreID
        and sales_again.SaleDate = last_dates.LastDate

),

last_recorded as (

    select
        last_sales.StoreID,
        last_sales.KeyCategory,
        last_sales.KeyProduct,
        last_sales.MonthStart,
        max_by(Country, case when Country is not null and SaleDate = CountryDate then SaleID end) as Country,
        max_by(City, case when City is not null and SaleDate = CityDate then SaleID end) as City,
        max_by(Weather, case when Weather is not null and SaleDate = WeatherDate then SaleID end) as Weather,
        max_by(Promotion, case when Promotion is not null and SaleDate = PromotionDate then SaleID end) as Promotion,
        max_by(Holiday, case when Holiday is not null and SaleDate = HolidayDate then SaleID end) as Holiday
    from last_sales
    inner join totals
        on last_sales.StoreID = totals.StoreID
        and last_sales.MonthStart = totals.MonthStart
        and last_sales.KeyCategory is not distinct from totals.KeyCategory
        and last_sales.KeyProduct is not distinct from totals.KeyProduct
    group by last_sales.StoreID, last_sales.KeyCategory, last_sales.KeyProduct, last_sales.MonthStart

),

calendar as (

    -- 1900-01-01 was a Monday. Four whole weeks hold 8 weekend days; the other 0 to 3 days begin at FirstWeekday.
    select
        MonthStart,
        extract(day from last_day(MonthStart)) as DaysOfMonth,
        mod(datediff('day', cast('1900-01-01' as date), MonthStart), 7) as FirstWeekday
    from (select distinct MonthStart from totals) as months

),

weekends as (

    select
        MonthStart,
        (
            8
            + case when DaysOfMonth > 28 and FirstWeekday in (5, 6) then 1 else 0 end
            + case when DaysOfMonth > 29 and FirstWeekday in (4, 5) then 1 else 0 end
            + case when DaysOfMonth > 30 and FirstWeekday in (3, 4) then 1 else 0 end
        ) / cast(DaysOfMonth as double) as IsWeekend
    from calendar

),

final as (

    select
        totals.StoreID as "StoreID",
        totals.KeyCategory as "Category",
        totals.KeyProduct as "Product",
        totals.MonthStart as "MonthStart",
        last_recorded.Country as "Country",
        last_recorded.City as "City",
        totals.Price as "Price",
        last_recorded.Weather as "Weather",
        last_recorded.Promotion as "Promotion",
        last_recorded.Holiday as "Holiday",
        weekends.IsWeekend as "IsWeekend",
        totals.TotalSales as "TotalSales",
        totals.Monday as "Monday",
        totals.Tuesday as "Tuesday",
        totals.Wednesday as "Wednesday",
        totals.Thursday as "Thursday",
        totals.Friday as "Friday",
        totals.Saturday as "Saturday",
        totals.Sunday as "Sunday",
        totals.SaleDays as "SaleDays",
        totals.FirstDay as "FirstDay",
        totals.LastDay as "LastDay"
    from totals
    inner join weekends
        on totals.MonthStart = weekends.MonthStart
    left join last_recorded
        on totals.StoreID = last_recorded.StoreID
        and totals.MonthStart = last_recorded.MonthStart
        and totals.KeyCategory is not distinct from last_recorded.KeyCategory
        and totals.KeyProduct is not distinct from last_recorded.KeyProduct

)

select * from final

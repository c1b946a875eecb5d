//! Finding entries: filters, an order, a page, words.

use media::WallTime;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Value,
};

use super::whole;
use crate::entry::{Air, Entry, Kind};
use crate::error::Error;
use crate::id::AccountId;
use crate::page::{After, Order, Page, Paging};
use crate::scope::Scope;
use crate::search;
use crate::tables::{entries, entry_tags, live};
use crate::words::words;

/// Longest text that is searched for, in characters.
pub const TEXT: usize = 500;

words! {
    /// What the list is ordered by; where two are equal, by id.
    Sort {
        /// When they were created.
        Created = "created",
        /// When they were changed last.
        Updated = "updated",
        /// Their names, without regard to case and accents.
        Name = "name",
    }
}

/// Which entries, in which order. By default all, the newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Of this account only.
    pub account: Option<AccountId>,
    /// Live or VOD ones only.
    pub kind: Option<Kind>,
    /// Live ones in preview, or before the public.
    pub air: Option<Air>,
    /// With exactly this owner.
    pub owner: Option<String>,
    /// With exactly this tag.
    pub tag: Option<String>,
    /// Created from this time on.
    pub created_from: Option<WallTime>,
    /// Created until before this time.
    pub created_until: Option<WallTime>,
    /// With all of these words, or words that begin so, in name, description or tags; at most [`TEXT`] characters. An
    /// empty text is none.
    pub text: Option<String>,
    /// Ordered by what.
    pub sort: Sort,
    /// Which end first.
    pub order: Order,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted {
            account: None,
            kind: None,
            air: None,
            owner: None,
            tag: None,
            created_from: None,
            created_until: None,
            text: None,
            sort: Sort::Created,
            order: Order::Descending,
        }
    }
}

pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    scope: &Scope,
    wanted: &Wanted,
    paging: &Paging,
) -> Result<Page<Entry>, Error> {
    let order = format!("{} {}", wanted.sort, wanted.order);
    let (limit, after) = (paging.limit()?, paging.after(&order)?);
    let mut condition = matching(connection, scope, wanted)?;
    if let Some(after) = after {
        condition = condition.add(beyond(wanted, after)?);
    }
    let (column, direction) = (wanted.sort.column(), wanted.order.into());
    let query = entries::Entity::find().filter(condition);
    let query =
        query.order_by(column, sea_orm::Order::clone(&direction)).order_by(entries::Column::Id, direction);
    let rows = query.limit(limit + 1).find_also_related(live::Entity).all(connection).await?;
    let key = |(row, _): &(entries::Model, _)| After { value: wanted.sort.value(row), id: row.id.clone() };
    let page = Page::cut(rows, limit, &order, key);
    Ok(Page { items: whole(connection, page.items).await?, next: page.next })
}

fn matching<C: ConnectionTrait>(connection: &C, scope: &Scope, wanted: &Wanted) -> Result<Condition, Error> {
    use entries::Column;
    let with = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', "\u{fffd}"));
    let condition = Condition::all()
        .add(scope.admits(Column::Account))
        .add_option(wanted.account.as_ref().map(|account| Column::Account.eq(account.as_str())))
        .add_option(wanted.kind.map(|kind| Column::Kind.eq(kind.as_str())))
        .add_option(with(&wanted.owner).map(|owner| Column::Owner.eq(owner)))
        .add_option(wanted.created_from.map(|from| Column::Created.gte(from.micros())))
        .add_option(wanted.created_until.map(|until| Column::Created.lt(until.micros())))
        .add_option(wanted.air.map(|air| live::Column::Air.eq(air.as_str())))
        .add_option(with(&wanted.tag).map(tagged));
    match wanted.text.as_deref().filter(|text| !text.is_empty()) {
        None => Ok(condition),
        Some(text) if text.chars().count() > TEXT => {
            Err(Error::invalid("q", format!("is longer than {TEXT} characters")))
        }
        Some(text) => {
            let nothing = || Expr::val(1).eq(0);
            let found = search::condition(connection.get_database_backend(), text);
            Ok(condition.add(found.unwrap_or_else(nothing)))
        }
    }
}

fn tagged(tag: String) -> SimpleExpr {
    let tags = entry_tags::Entity::find().select_only().column(entry_tags::Column::Entry);
    entries::Column::Id.in_subquery(tags.filter(entry_tags::Column::Tag.eq(tag)).into_query())
}

/// What comes after the last item of the page before, compared as a row: value first, id where values are equal.
fn beyond(wanted: &Wanted, after: After) -> Result<SimpleExpr, Error> {
    let value = wanted.sort.parse_value(after.value)?;
    let columns = [wanted.sort.column(), entries::Column::Id];
    let item = Expr::tuple(columns.map(|column| Expr::col((entries::Entity, column))));
    let last = Expr::tuple([Expr::val(value), Expr::val(after.id)]);
    Ok(match wanted.order {
        Order::Ascending => item.gt(last),
        Order::Descending => item.lt(last),
    })
}

impl Sort {
    fn column(self) -> entries::Column {
        match self {
            Sort::Created => entries::Column::Created,
            Sort::Updated => entries::Column::Updated,
            Sort::Name => entries::Column::SortName,
        }
    }

    fn value(self, row: &entries::Model) -> String {
        match self {
            Sort::Created => row.created.to_string(),
            Sort::Updated => row.updated.to_string(),
            Sort::Name => row.sort_name.clone(),
        }
    }

    fn parse_value(self, value: String) -> Result<Value, Error> {
        match self {
            Sort::Name => Ok(value.into()),
            Sort::Created | Sort::Updated => match value.parse::<i64>() {
                Ok(micros) => Ok(micros.into()),
                Err(_) => Err(Error::invalid("cursor", "is not one that this list gave")),
            },
        }
    }
}

impl From<Order> for sea_orm::Order {
    fn from(order: Order) -> sea_orm::Order {
        match order {
            Order::Ascending => sea_orm::Order::Asc,
            Order::Descending => sea_orm::Order::Desc,
        }
    }
}

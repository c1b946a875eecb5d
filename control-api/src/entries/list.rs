//! Finding entries.

use catalog::entries::list::{TEXT, Wanted};
use catalog::{AccountId, Entry, Kind, Page, Paging, Scope};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::check::Check;
use crate::control::Control;
use crate::live::Status;
use crate::page;
use crate::problem::Problem;
use crate::words;

/// How many pages of the catalog one request looks through for a status, which the catalog does not know.
const ROUNDS: usize = 25;

/// Which entries, in which order, and which part of them.
#[derive(Clone, Default, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryQuery {
    /// Words, or beginnings of words, all of them in name, description or tags.
    #[param(max_length = 500)]
    q: Option<String>,
    /// Live or VOD ones only.
    kind: Option<words::Kind>,
    /// Live ones that stand there now.
    status: Option<Status>,
    /// Live ones that are for those only.
    air: Option<words::Air>,
    /// With exactly this tag.
    tag: Option<String>,
    /// With exactly this owner.
    owner: Option<String>,
    /// Of this account only: for tokens of the whole server.
    #[param(pattern = "^acc_[0-9a-z]{8}$")]
    account: Option<String>,
    /// Created from this time on.
    #[param(value_type = Option<String>, format = DateTime)]
    created_from: Option<String>,
    /// Created until before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    created_until: Option<String>,
    /// Ordered by what; `created` when left out.
    sort: Option<words::Sort>,
    /// Which end first; `desc` when left out.
    order: Option<words::Order>,
    /// At most so many items.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 4096)]
    cursor: Option<String>,
}

impl EntryQuery {
    /// Of one kind, whatever else was asked for.
    pub(crate) fn of_kind(self, kind: Kind) -> Result<EntryQuery, Problem> {
        match self.kind {
            Some(other) if Kind::from(other) != kind => {
                Err(Problem::invalid_field("kind", format!("is not {kind}, which this list is of")))
            }
            _ => Ok(EntryQuery { kind: Some(kind.into()), ..self }),
        }
    }

    /// A page of those, each with where it stands.
    pub(crate) async fn page(
        self,
        control: &Control,
        scope: &Scope,
    ) -> Result<Page<(Entry, Option<Status>)>, Problem> {
        let paging = page::paging(self.limit, self.cursor.clone())?;
        let (status, wanted) = (self.status, self.wanted()?);
        let limit = paging.limit.unwrap_or(catalog::page::USUAL);
        let mut page = Page { items: Vec::new(), next: paging.cursor };
        for _ in 0..ROUNDS {
            // No more than there is room for: the cursor is where the last of them ends.
            let room = limit.saturating_sub(u32::try_from(page.items.len()).unwrap_or(limit));
            let paging = Paging { limit: Some(room), cursor: page.next.take() };
            let part = control.catalog().entries().list(scope, &wanted, &paging).await?;
            let found = part.items.into_iter().map(|entry| with_status(control, entry));
            page.items.extend(found.filter(|(_, stands)| status.is_none() || *stands == status));
            page.next = part.next;
            if page.next.is_none() || status.is_none() || page.items.len() >= limit as usize {
                break;
            }
        }
        Ok(page)
    }

    fn wanted(self) -> Result<Wanted, Problem> {
        let mut check = Check::default();
        let text = self.q.inspect(|text| check.text("q", text, TEXT));
        let created_from = self.created_from.and_then(|at| check.time("created_from", &at));
        let created_until = self.created_until.and_then(|at| check.time("created_until", &at));
        let account = self.account.map(|id| AccountId::parse(&id));
        check.ensure(account != Some(None), "account", || "is not the id of an account".to_owned());
        check.done()?;
        let usual = Wanted::default();
        let kind = if self.status.is_some() { Some(Kind::Live) } else { self.kind.map(Kind::from) };
        Ok(Wanted {
            account: account.flatten(),
            kind,
            air: self.air.map(Into::into),
            owner: self.owner,
            tag: self.tag,
            created_from,
            created_until,
            text,
            sort: self.sort.map_or(usual.sort, Into::into),
            order: self.order.map_or(usual.order, Into::into),
        })
    }
}

/// An entry, and where it stands if it is a live one.
fn with_status(control: &Control, entry: Entry) -> (Entry, Option<Status>) {
    let status = (entry.kind == Kind::Live).then(|| Status::of(control.directory(), &entry.id));
    (entry, status)
}

//! Shapes that every endpoint shares: lists, money, pages.

use charge::money::{Currency, Money, Price};
use charge::{Decimal, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// More rows at once than a person can read or a table should draw.
const LIMIT_MAX: u32 = 500;
const LIMIT_USUAL: u32 = 50;

/// A list with the number of all that match.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    pub total: u64,
    /// Where to go on: the next `offset` or cursor; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A list that is complete.
    pub fn whole(items: Vec<T>) -> Self {
        Self { total: items.len() as u64, items, next: None }
    }

    /// A page by offset.
    pub fn page(items: Vec<T>, total: u64, offset: u32) -> Self {
        let reached = u64::from(offset) + items.len() as u64;
        Self { next: (reached < total && !items.is_empty()).then(|| reached.to_string()), items, total }
    }
}

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Rows to skip.
    pub offset: Option<u32>,
    /// Rows wanted, at most 500; 50 where it is not said.
    pub limit: Option<u32>,
}

impl Paging {
    pub fn offset(&self) -> u32 {
        self.offset.unwrap_or_default()
    }

    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(LIMIT_USUAL).clamp(1, LIMIT_MAX)
    }
}

/// An amount as decimal text with its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    #[schema(example = "12.34")]
    pub amount: String,
    #[schema(example = "EUR")]
    pub currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal().to_string(), currency: money.currency.to_string() }
    }
}

impl Amount {
    /// An exact amount, rounded half up to the minor unit for show.
    pub fn shown(exact: Decimal, currency: Currency) -> Self {
        match Money::rounded(exact, currency) {
            Some(money) => money.into(),
            None => Self { amount: exact.to_string(), currency: currency.to_string() },
        }
    }
}

impl Amount {
    /// What a consumer pays: with VAT where the tariff says it, otherwise as it stands.
    pub fn gross(price: &Price, currency: Currency) -> Self {
        Self::shown(price.with_vat.unwrap_or(price.before_vat), currency)
    }
}

/// RFC 3339 in UTC, whole seconds.
pub fn time(at: Timestamp) -> String {
    at.whole_seconds().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_to_go_on_and_the_last_one_does_not() {
        assert_eq!(List::page(vec![1, 2], 5, 0).next.as_deref(), Some("2"));
        assert_eq!(List::page(vec![5], 5, 4).next, None);
        assert_eq!(List::<u8>::page(vec![], 5, 9).next, None);
    }

    #[test]
    fn an_amount_is_shown_rounded_half_up() {
        let exact: Decimal = "5.625".parse().unwrap_or_default();
        assert_eq!(Amount::shown(exact, Currency::EUR).amount, "5.63");
    }
}

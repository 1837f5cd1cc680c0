//! The pretend acquirer: it moves no money and asks nobody. For the demo and for tests of a whole house; a real payment
//! provider is another [`Acquirer`].
//!
//! It keeps to the port's rules all the same: no more is taken than was held, a reference is one payment, and the same
//! call again changes nothing. It keeps nothing over a restart.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use charge::money::Money;
use charge::{Secret, Soon};
use operator::payment::{Acquirer, AcquirerFault, Means};

/// The card that is always good.
const GOOD: &str = "pretend-good";
/// The card whose bank always says no.
const BAD: &str = "pretend-declined";

#[derive(Default)]
pub(crate) struct PretendAcquirer(Mutex<BTreeMap<String, Account>>);

#[derive(Clone, Copy)]
enum Account {
    Held(Money),
    Over,
}

impl PretendAcquirer {
    fn change<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Account>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Acquirer for PretendAcquirer {
    fn means(&self) -> Vec<Means> {
        let means = |id: &str, name: &str| Means { id: id.to_owned(), name: name.to_owned() };
        vec![means(GOOD, "Pretend card, no money moves"), means(BAD, "Pretend card that is declined")]
    }

    fn hold(&self, reference: &str, amount: Money, means: Secret<String>) -> Soon<'_, Result<(), AcquirerFault>> {
        let declined = |words: &str| Err(AcquirerFault::Declined(words.to_owned()));
        let answer = match means.expose().as_str() {
            GOOD => {
                self.change(|all| {
                    all.entry(reference.to_owned()).or_insert(Account::Held(amount));
                });
                Ok(())
            }
            BAD => declined("The card was declined. Nothing was paid."),
            _ => declined("This is no means of payment here."),
        };
        Box::pin(async move { answer })
    }

    fn capture(&self, reference: &str, amount: Money) -> Soon<'_, Result<(), AcquirerFault>> {
        let done = self.change(|all| match all.get(reference).copied() {
            Some(Account::Held(held)) if amount.minor > held.minor => {
                Err(AcquirerFault::Declined("more than was held".to_owned()))
            }
            // after a restart nothing is known of what was held before
            Some(Account::Held(_) | Account::Over) | None => {
                all.insert(reference.to_owned(), Account::Over);
                Ok(())
            }
        });
        Box::pin(async move { done })
    }

    fn release(&self, reference: &str) -> Soon<'_, Result<(), AcquirerFault>> {
        self.change(|all| {
            all.insert(reference.to_owned(), Account::Over);
        });
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use charge::money::Currency;

    use super::*;

    #[tokio::test]
    async fn it_keeps_to_the_rules_of_the_port() {
        let acquirer = PretendAcquirer::default();
        let euro = |minor| Money::new(minor, Currency::EUR);
        let card = |id: &str| Secret::new(id.to_owned());
        assert!(matches!(acquirer.hold("A", euro(500), card(BAD)).await, Err(AcquirerFault::Declined(_))));
        assert!(matches!(acquirer.hold("A", euro(500), card("gold")).await, Err(AcquirerFault::Declined(_))));
        assert_eq!(acquirer.hold("A", euro(500), card(GOOD)).await, Ok(()));
        assert_eq!(acquirer.hold("A", euro(900), card(GOOD)).await, Ok(()), "the same payment");
        assert!(acquirer.capture("A", euro(501)).await.is_err(), "the first amount counts");
        assert_eq!(acquirer.capture("A", euro(500)).await, Ok(()));
        assert_eq!(acquirer.release("B").await, Ok(()));
    }
}

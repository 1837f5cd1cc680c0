//! What waits for one connection: orders, and the wish to end it.
//!
//! Many write, one connection task reads. An empty mailbox owns no memory beyond itself (a channel would reserve
//! kilobytes for each of 100 000 idle connections). Invariant: once closed it takes no more orders, and those that
//! wait in it are dropped, which tells their senders that the line is lost.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use charge::talk::line::LineFault;
use futures_util::task::AtomicWaker;
use tokio::sync::oneshot;

use super::end::Ending;
use super::limits::ORDERS_WAITING_MAX;

/// An order and where its answer goes.
pub(super) struct Letter<O, A> {
    pub order: O,
    pub answer: oneshot::Sender<Result<A, LineFault>>,
}

pub(super) struct Mailbox<O, A> {
    inside: Mutex<Inside<O, A>>,
    /// There is something inside. The connection looks here with every message, and it is hardly ever true.
    news: AtomicBool,
    bell: AtomicWaker,
}

struct Inside<O, A> {
    letters: VecDeque<Letter<O, A>>,
    ending: Option<Ending>,
}

impl<O, A> Mailbox<O, A> {
    pub fn new() -> Self {
        let inside = Mutex::new(Inside { letters: VecDeque::new(), ending: None });
        Self { inside, news: AtomicBool::new(false), bell: AtomicWaker::new() }
    }

    /// Puts an order in line. The answer comes through the receiver; a receiver that ends without one means that
    /// the connection ended first.
    pub fn post(&self, order: O) -> Result<oneshot::Receiver<Result<A, LineFault>>, LineFault> {
        let (answer, waits) = oneshot::channel();
        {
            let mut inside = self.lock();
            if inside.ending.is_some() {
                return Err(LineFault::NotConnected);
            }
            if inside.letters.len() >= ORDERS_WAITING_MAX {
                return Err(LineFault::Overloaded);
            }
            inside.letters.push_back(Letter { order, answer });
            self.news.store(true, Ordering::Release);
        }
        self.bell.wake();
        Ok(waits)
    }

    /// Asks the connection to end. The first wish holds.
    pub fn close(&self, ending: Ending) {
        {
            let mut inside = self.lock();
            inside.ending.get_or_insert(ending);
            inside.letters.clear();
            self.news.store(true, Ordering::Release);
        }
        self.bell.wake();
    }

    pub fn is_closed(&self) -> bool {
        self.lock().ending.is_some()
    }

    /// Ready when the connection is to end. For the connection's own task only.
    pub fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        self.bell.register(cx.waker());
        if !self.news.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.lock().ending.clone().map_or(Poll::Pending, Poll::Ready)
    }

    /// The next order whose sender still waits. The waker is the one given to [`Self::poll_ending`].
    pub fn take(&self) -> Option<Letter<O, A>> {
        if !self.news.load(Ordering::Acquire) {
            return None;
        }
        let mut inside = self.lock();
        while let Some(letter) = inside.letters.pop_front() {
            if !letter.answer.is_closed() {
                return Some(letter);
            }
        }
        // a wish to end stays news
        self.news.store(inside.ending.is_some(), Ordering::Release);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Inside<O, A>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_full_mailbox_refuses_and_a_closed_one_forgets() {
        let mailbox = Mailbox::<usize, ()>::new();
        let mut waiting: Vec<_> = (0..ORDERS_WAITING_MAX).map(|order| mailbox.post(order).unwrap()).collect();
        assert_eq!(mailbox.post(99).unwrap_err(), LineFault::Overloaded);
        mailbox.close(Ending::Replaced);
        assert_eq!(mailbox.post(99).unwrap_err(), LineFault::NotConnected);
        assert!(mailbox.take().is_none());
        assert!(waiting.iter_mut().all(|one| one.try_recv() == Err(oneshot::error::TryRecvError::Closed)));
    }

    #[test]
    fn a_mailbox_that_was_emptied_hears_of_the_next_order_and_of_the_end() {
        let mailbox = Mailbox::<usize, ()>::new();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for order in 0..3 {
            assert!(mailbox.take().is_none());
            let _waits = mailbox.post(order).unwrap();
            assert_eq!(mailbox.poll_ending(&mut cx), Poll::Pending);
            assert_eq!(mailbox.take().map(|letter| letter.order), Some(order));
        }
        assert!(mailbox.take().is_none());
        mailbox.close(Ending::Stopping);
        assert!(mailbox.take().is_none());
        assert_eq!(mailbox.poll_ending(&mut cx), Poll::Ready(Ending::Stopping));
    }

    #[test]
    fn an_order_that_nobody_waits_for_is_not_sent() {
        let mailbox = Mailbox::<&str, ()>::new();
        drop(mailbox.post("given up").unwrap());
        let _waits = mailbox.post("wanted").unwrap();
        assert_eq!(mailbox.take().map(|letter| letter.order), Some("wanted"));
    }
}

//! A bounded queue between callers and the store's own threads.
//!
//! It never waits on the caller's side: a full queue refuses at once. After [`Queue::close`] nothing new is
//! accepted and everything accepted before is still handed out.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::StoreError;

pub(crate) struct Queue<T> {
    line: Mutex<Line<T>>,
    changed: Condvar,
    length_max: usize,
}

struct Line<T> {
    waiting: VecDeque<T>,
    open: bool,
    /// Threads that wait for work and that nobody has called yet. Calling one costs a system call, so a thread that
    /// is at work is not called.
    idle: usize,
}

impl<T> Queue<T> {
    pub(crate) fn bounded(length_max: usize) -> Self {
        let line = Line { waiting: VecDeque::new(), open: true, idle: 0 };
        Self { line: Mutex::new(line), changed: Condvar::new(), length_max }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), StoreError> {
        let mut line = self.line();
        if !line.open {
            return Err(StoreError::Closed);
        }
        if line.waiting.len() >= self.length_max {
            return Err(StoreError::Overloaded { waiting: line.waiting.len() });
        }
        line.waiting.push_back(item);
        let call = line.idle > 0;
        line.idle -= usize::from(call);
        drop(line);
        if call {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Waits for work and takes what is there, oldest first and at most `count_max`. `None`: closed and drained.
    pub(crate) fn take(&self, count_max: usize) -> Option<Vec<T>> {
        self.take_share(count_max, 1)
    }

    /// The same for one of several threads: no more than its share of what is there.
    pub(crate) fn take_share(&self, count_max: usize, threads: usize) -> Option<Vec<T>> {
        let mut line = self.line();
        while line.waiting.is_empty() && line.open {
            // woken without a call it counts twice, and is called once too often
            line.idle += 1;
            line = self.changed.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        if line.waiting.is_empty() {
            return None;
        }
        let count = line.waiting.len().div_ceil(threads.max(1)).min(count_max.max(1));
        Some(line.waiting.drain(..count).collect())
    }

    pub(crate) fn close(&self) {
        self.line().open = false;
        self.changed.notify_all();
    }

    pub(crate) fn len(&self) -> usize {
        self.line().waiting.len()
    }

    /// No user code runs under this lock, so a poisoned one still guards a whole line.
    fn line(&self) -> MutexGuard<'_, Line<T>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use crate::StoreError;

    #[test]
    fn takes_the_oldest_first_and_no_more_than_asked() {
        let queue = Queue::bounded(5);
        (1..=5).for_each(|n| assert_eq!(queue.push(n), Ok(())));
        assert_eq!(queue.take(3), Some(vec![1, 2, 3]));
        assert_eq!(queue.take(3), Some(vec![4, 5]));
        (1..=5).for_each(|n| assert_eq!(queue.push(n), Ok(())));
        assert_eq!(queue.take_share(9, 2), Some(vec![1, 2, 3]));
        assert_eq!(queue.take_share(9, 2), Some(vec![4]));
    }

    #[test]
    fn threads_that_wait_are_called_one_for_each_piece_of_work() {
        let queue = Queue::bounded(1_000);
        let taken = std::thread::scope(|scope| {
            let takers = [(); 3].map(|()| scope.spawn(|| std::iter::from_fn(|| queue.take(1)).count()));
            // whoever waits by then is called, whoever does not sees what is there before it waits
            (0..900).for_each(|n| assert_eq!(queue.push(n), Ok(())));
            while queue.len() > 0 {
                std::thread::yield_now();
            }
            queue.close();
            takers.map(|taker| taker.join().unwrap_or(0))
        });
        assert_eq!(taken.iter().sum::<usize>(), 900);
    }

    #[test]
    fn a_full_queue_refuses_and_accepts_again_later() {
        let queue = Queue::bounded(1);
        assert_eq!(queue.push('a'), Ok(()));
        assert_eq!(queue.push('b'), Err(StoreError::Overloaded { waiting: 1 }));
        assert_eq!(queue.take(1), Some(vec!['a']));
        assert_eq!(queue.push('c'), Ok(()));
    }

    #[test]
    fn a_closed_queue_hands_out_the_rest_and_then_ends() {
        let queue = Queue::bounded(2);
        assert_eq!(queue.push(1), Ok(()));
        queue.close();
        assert_eq!(queue.push(2), Err(StoreError::Closed));
        assert_eq!(queue.take(9), Some(vec![1]));
        assert_eq!(queue.take(9), None);
    }
}

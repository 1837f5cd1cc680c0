//! What the kernel says about a process: processor time to the nanosecond, memory, limits, and the machine's load.
//!
//! Linux only, from `/proc`. Processor time is summed over the threads, because the process-wide figure counts in
//! ticks of 10 ms; a thread that ended between two looks is lost, so looks belong around a stretch of steady work.
//! What a process has others do (a database that it started) is its own expense: they are counted with it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Fault;

/// The processor time of each thread of a process and of those that it started, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime(BTreeMap<u32, u64>);

impl CpuTime {
    pub fn of(pid: u32) -> Result<Self, Fault> {
        let mut all = Self::read(pid, |_thread| true)?;
        for other in started_by(pid) {
            // one that has ended meanwhile has no figures any more
            all.0.extend(Self::read(other, |_thread| true).unwrap_or_default().0);
        }
        Ok(all)
    }

    /// Of the process's own threads with this name alone.
    pub fn of_threads(pid: u32, name: &str) -> Result<Self, Fault> {
        Self::read(pid, |thread| fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name))
    }

    /// What each kind of thread spent between `earlier` and now; numbers at the end of a thread's name count for
    /// nothing.
    pub fn by_kind(&self, pid: u32, earlier: &Self) -> BTreeMap<String, Duration> {
        let mut kinds = BTreeMap::new();
        for (thread, now) in &self.0 {
            let comm = fs::read_to_string(format!("/proc/{pid}/task/{thread}/comm")).unwrap_or_default();
            let kind = comm.trim_end().trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
            let spent = now.saturating_sub(earlier.0.get(thread).copied().unwrap_or(0));
            *kinds.entry(kind.to_owned()).or_insert(Duration::ZERO) += Duration::from_nanos(spent);
        }
        kinds
    }

    fn read(pid: u32, wanted: impl Fn(&Path) -> bool) -> Result<Self, Fault> {
        let threads = PathBuf::from(format!("/proc/{pid}/task"));
        let machine = |why| Fault::Machine { what: threads.clone(), why };
        let mut times = BTreeMap::new();
        for thread in fs::read_dir(&threads).map_err(machine)? {
            let thread = thread.map_err(machine)?.path();
            let number = thread.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            // a thread that has ended meanwhile has no figures any more
            let (Some(number), Ok(text)) = (number, fs::read_to_string(thread.join("schedstat"))) else { continue };
            if wanted(&thread) {
                times.insert(number, schedstat(&text).ok_or_else(|| Fault::Figures(thread.join("schedstat")))?);
            }
        }
        if times.is_empty() { Err(Fault::Figures(threads)) } else { Ok(Self(times)) }
    }

    /// What was spent between `earlier` and now.
    pub fn since(&self, earlier: &Self) -> Duration {
        let spent = self.0.iter().map(|(thread, now)| now.saturating_sub(earlier.0.get(thread).copied().unwrap_or(0)));
        Duration::from_nanos(spent.sum())
    }
}

/// The processes that this one started, and those that they did.
fn started_by(pid: u32) -> Vec<u32> {
    let (mut found, mut looked) = (vec![pid], 0);
    while let Some(parent) = found.get(looked) {
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let numbers: Vec<u32> = children.flat_map(|text| children_in(&text)).collect();
        found.extend(numbers);
        looked += 1;
    }
    found.split_off(1)
}

/// The numbers in a list of children (`proc(5)`).
fn children_in(text: &str) -> Vec<u32> {
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// Time on a processor: the first number (kernel documentation, `sched-stats`).
fn schedstat(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// What a process holds in memory, in bytes. What others hold that it started is counted by their share in each page:
/// those of one program have most of theirs in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub resident: u64,
    /// What would be free if the process ended: without pages shared with others.
    pub private: u64,
}

impl Memory {
    pub fn of(pid: u32) -> Result<Self, Fault> {
        let (status_file, rollup_file) =
            (PathBuf::from(format!("/proc/{pid}/status")), PathBuf::from(format!("/proc/{pid}/smaps_rollup")));
        let (status, rollup) = (read(&status_file)?, read(&rollup_file)?);
        let resident = kilobytes(&status, "VmRSS:").ok_or(Fault::Figures(status_file))?;
        let private = kilobytes(&rollup, "Private_Clean:")
            .and_then(|clean| Some(clean + kilobytes(&rollup, "Private_Dirty:")?))
            .ok_or(Fault::Figures(rollup_file))?;
        let others: u64 = started_by(pid).into_iter().filter_map(share).sum();
        Ok(Self { resident: resident + others, private: private + others })
    }
}

/// The pages of a process, each divided by the number of those that have it.
fn share(pid: u32) -> Option<u64> {
    kilobytes(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
}

/// A line like `VmRSS:     1768 kB`, as bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = rest.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(number * 1024)
}

/// How many files and sockets a process may have open; `None` for as many as it likes.
pub(crate) fn descriptors_max(pid: u32) -> Result<Option<u64>, Fault> {
    let file = PathBuf::from(format!("/proc/{pid}/limits"));
    descriptors(&read(&file)?).ok_or(Fault::Figures(file))
}

/// The soft limit, which is the one that holds.
fn descriptors(limits: &str) -> Option<Option<u64>> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(None) } else { soft.parse().ok().map(Some) }
}

/// How many a process has open.
pub(crate) fn descriptors_open(pid: u32) -> Result<u64, Fault> {
    let folder = PathBuf::from(format!("/proc/{pid}/fd"));
    let open = fs::read_dir(&folder).map_err(|why| Fault::Machine { what: folder, why })?;
    Ok(open.count() as u64)
}

/// Running tasks, averaged over one, five and fifteen minutes.
pub(crate) fn load_average() -> Result<[f64; 3], Fault> {
    let file = PathBuf::from("/proc/loadavg");
    averages(&read(&file)?).ok_or(Fault::Figures(file))
}

fn averages(text: &str) -> Option<[f64; 3]> {
    let mut numbers = text.split_whitespace().map_while(|word| word.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

/// The processor's name, where the kernel tells it.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// The processors that this process may use.
pub(crate) fn cores() -> Result<usize, Fault> {
    let cores = std::thread::available_parallelism();
    cores.map(usize::from).map_err(|why: io::Error| Fault::Machine { what: "the number of cores".into(), why })
}

fn read(file: &Path) -> Result<String, Fault> {
    fs::read_to_string(file).map_err(|why| Fault::Machine { what: file.to_owned(), why })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_kernels_figures_are_read() {
        assert_eq!(schedstat("183642791 60530 17\n"), Some(183_642_791));
        assert_eq!(schedstat("\n"), None);
        assert_eq!(schedstat("-1 0 0"), None);

        let status = "Name:\tleyden\nVmHWM:\t    9000 kB\nVmRSS:\t    1768 kB\nThreads:\t7\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(1768 * 1024));
        assert_eq!(kilobytes(status, "Threads:"), None);
        assert_eq!(kilobytes(status, "VmSwap:"), None);

        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             unlimited            unlimited            processes\n\
                      Max open files            1024                 20000                files\n";
        assert_eq!(descriptors(limits), Some(Some(1024)));
        assert_eq!(descriptors("Max open files            unlimited  unlimited  files"), Some(None));
        assert_eq!(descriptors("Max processes 1 1 processes"), None);

        assert_eq!(averages("10.59 6.57 3.64 12/200 20288\n"), Some([10.59, 6.57, 3.64]));
        assert_eq!(averages("10.59 6.57"), None);
    }

    #[test]
    fn what_a_process_started_is_counted_with_it() {
        assert_eq!(children_in("17 4711 \n"), [17, 4711]);
        assert_eq!(children_in(""), [0u32; 0]);
        // a shell that waits for its child, which waits for the end of its input
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "cat; :"]).stdin(std::process::Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        while started_by(shell.id()).is_empty() {
            std::thread::yield_now();
        }
        let [cat] = started_by(shell.id())[..] else { panic!("not one child") };
        assert!(CpuTime::of(shell.id()).unwrap().0.contains_key(&cat));
        assert!(!CpuTime::of_threads(shell.id(), "cat").is_ok_and(|own| own.0.contains_key(&cat)));
        assert!(Memory::of(shell.id()).unwrap().resident > 0);
        assert!(shell.wait().unwrap().success());
        assert!(started_by(shell.id()).is_empty());
    }

    #[test]
    fn time_is_the_sum_over_threads_that_are_still_there() {
        let earlier = CpuTime([(1, 1_000), (2, 5_000), (3, 9_000)].into());
        let now = CpuTime([(1, 4_000), (2, 5_000), (4, 700)].into());
        assert_eq!(now.since(&earlier), Duration::from_nanos(3_700));
    }

    #[test]
    fn this_process_has_figures() {
        let pid = std::process::id();
        let before = CpuTime::of(pid).unwrap();
        let memory = Memory::of(pid).unwrap();
        assert!(memory.resident > 100_000 && memory.private <= memory.resident, "{memory:?}");
        assert_ne!(descriptors_max(pid).unwrap(), Some(0));
        assert!(cores().unwrap() > 0);
        assert!(load_average().unwrap().iter().all(|load| *load >= 0.0));
        let named = std::thread::Builder::new().name("bench-named".into());
        named
            .spawn(move || {
                assert_eq!(CpuTime::of_threads(pid, "bench-named").unwrap().0.len(), 1);
                assert!(CpuTime::of_threads(pid, "nobody").is_err());
                // the kernel counts a running thread's time from tick to tick
                let kinds = || CpuTime::of(pid).unwrap().by_kind(pid, &CpuTime::default());
                assert!((0..100_000).any(|_| kinds()["bench-named"] > Duration::ZERO));
            })
            .unwrap()
            .join()
            .unwrap();
        assert!(CpuTime::of(pid).unwrap().since(&before) < Duration::from_secs(3600));
    }
}

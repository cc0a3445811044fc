use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Jobs with their numbers.
type Queue<T> = VecDeque<(usize, T)>;

/// Does every job, at most `connections` at one host at a time, and gives the results in the order of the jobs.
///
/// `url_of` says where a job goes; jobs at other hosts do not wait for those of a slow one.
pub(super) fn politely<T: Send, R: Send>(
    jobs: Vec<T>,
    connections: usize,
    url_of: impl Fn(&T) -> &str,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let mut hosts: BTreeMap<String, Queue<T>> = BTreeMap::new();
    for (index, job) in jobs.into_iter().enumerate() {
        hosts.entry(host(url_of(&job)).to_owned()).or_default().push_back((index, job));
    }
    let results = Mutex::new(Vec::new());
    let queues: Vec<(usize, Mutex<Queue<T>>)> =
        hosts.into_values().map(|queue| (queue.len(), Mutex::new(queue))).collect();
    thread::scope(|scope| {
        for (length, queue) in &queues {
            for _ in 0..connections.clamp(1, *length) {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                        let Some((index, job)) = next else { return };
                        let result = work(job);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                    }
                });
            }
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_host_gets_no_more_connections_than_allowed() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let jobs: Vec<String> = (0..20).map(|n| format!("http://archive.example/{n}")).collect();
        let results = politely(
            jobs.clone(),
            2,
            |job| job,
            |job| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(2));
                now.fetch_sub(1, Ordering::SeqCst);
                job
            },
        );
        assert_eq!(results, jobs, "results come in the order of the jobs");
        assert!(most.into_inner() <= 2);
    }

    #[test]
    fn the_host_is_what_stands_between_scheme_and_path() {
        assert_eq!(host("https://data.ris.ripe.net/rrc00/"), "data.ris.ripe.net");
        assert_eq!(host("http://127.0.0.1:8080?x"), "127.0.0.1:8080");
        assert_eq!(host("nonsense"), "nonsense");
    }
}

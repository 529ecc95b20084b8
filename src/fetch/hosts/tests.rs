#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tokio::time::{sleep, timeout};

use super::*;

const PAUSE: Duration = Duration::from_secs(2);

fn origins(gate: &Gate) -> usize {
    gate.origins.lock().by_name.len()
}

#[tokio::test(start_paused = true)]
async fn the_next_request_starts_a_pause_after_the_end_of_the_last() {
    let gate = Gate::new(32, 1, PAUSE);
    let start = Instant::now();
    let pass = gate.enter("a").await;
    assert!(!pass.is_busy());
    sleep(Duration::from_secs(3)).await;
    drop(pass);
    assert_eq!(start.elapsed().as_secs(), 3, "the first did not wait");
    let pass = gate.enter("a").await;
    assert!(pass.is_busy());
    assert_eq!(start.elapsed().as_secs(), 5);
    let other = gate.enter("b").await;
    assert_eq!(start.elapsed().as_secs(), 5, "another origin does not wait");
    drop((pass, other));
    sleep(PAUSE).await;
    let before = Instant::now();
    drop(gate.enter("a").await);
    assert_eq!(
        before.elapsed(),
        Duration::ZERO,
        "a pause long over costs nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cooling_origin_holds_no_place_of_others() {
    let gate = Gate::new(1, 1, PAUSE);
    drop(gate.enter("a").await);
    let start = Instant::now();
    let waiting = tokio::spawn({
        let gate = gate.clone();
        async move { gate.enter("a").await }
    });
    tokio::task::yield_now().await;
    drop(gate.enter("b").await);
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop(waiting.await.unwrap());
    assert_eq!(start.elapsed(), PAUSE);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_leaves_nothing_behind() {
    let gate = Gate::new(1, 1, Duration::ZERO);
    let pass = gate.enter("a").await;
    // One gives up in the queue of its origin, one in the queue for a place.
    for origin in ["a", "b"] {
        assert!(timeout(PAUSE, gate.enter(origin)).await.is_err());
    }
    assert_eq!(origins(&gate), 1, "only the one in flight");
    drop(pass);
    assert_eq!(origins(&gate), 0);
    for origin in ["a", "b"] {
        assert!(timeout(PAUSE, gate.enter(origin)).await.is_ok());
    }

    let gate = Gate::new(1, 1, PAUSE);
    drop(gate.enter("a").await);
    assert!(timeout(PAUSE / 2, gate.enter("a")).await.is_err());
    assert!(timeout(PAUSE, gate.enter("a")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn origins_are_forgotten() {
    let gate = Gate::new(8, 1, PAUSE);
    for n in 0..10_000 {
        drop(gate.enter(&n.to_string()).await);
        if n % 10 == 0 {
            sleep(Duration::from_millis(100)).await;
        }
        assert!(origins(&gate) <= 402, "{} at {n}", origins(&gate));
    }
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served() {
    let gate = Gate::new(4, 1, PAUSE);
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (gate, order) = (gate.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let pass = gate.enter("a").await;
                order.lock().unwrap().push(n);
                drop(pass);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(order.lock().unwrap().is_sorted());
}

/// Runs requests (origin, arrives after, takes, gives up after) and checks every start against the limits.
fn never_over(all: usize, per_origin: usize, pause: u64, requests: Vec<(u8, u64, u64, u64)>) {
    #[derive(Default)]
    struct Seen {
        running: HashMap<u8, usize>,
        ended: HashMap<u8, Instant>,
    }
    let pause = Duration::from_millis(pause);
    let gate = Gate::new(all, per_origin, pause);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = requests
            .into_iter()
            .map(|(origin, after, takes, gives_up)| {
                let (gate, seen) = (gate.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    sleep(Duration::from_millis(after)).await;
                    let name = origin.to_string();
                    let entered = timeout(Duration::from_millis(gives_up), gate.enter(&name));
                    let Ok(pass) = entered.await else { return };
                    {
                        let mut seen = seen.lock().unwrap();
                        *seen.running.entry(origin).or_default() += 1;
                        assert!(seen.running[&origin] <= per_origin);
                        assert!(seen.running.values().sum::<usize>() <= all);
                        if let Some(ended) = seen.ended.get(&origin) {
                            assert!(ended.elapsed() >= pause, "{:?}", ended.elapsed());
                        }
                    }
                    sleep(Duration::from_millis(takes)).await;
                    let mut seen = seen.lock().unwrap();
                    *seen.running.entry(origin).or_default() -= 1;
                    seen.ended.insert(origin, Instant::now());
                    drop(pass);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(gate.all.available_permits(), all, "a place was lost");
        assert!(
            gate.origins
                .lock()
                .by_name
                .values()
                .all(|origin| origin.users == 0)
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn never_more_nor_closer_than_allowed(
        all in 1..5_usize,
        per_origin in 1..4_usize,
        pause in prop_oneof![Just(0_u64), 1..50_u64],
        requests in prop::collection::vec((0..4_u8, 0..200_u64, 0..60_u64, 1..400_u64), 1..40),
    ) {
        never_over(all, per_origin, pause, requests);
    }
}

//! `make soak`: many histories on all cores, with progress and a summary. Prints the shrunk story of each law that breaks.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use agent_engine_operator::simulation::found::FOUND;
use agent_engine_operator::simulation::history::History;
use agent_engine_operator::simulation::laws::LAWS;
use agent_engine_operator::simulation::outage::Outage;
use agent_engine_operator::simulation::run::run;
use agent_engine_operator::simulation::shrink::shrink;
use clap::Parser;
use mimalloc::MiMalloc;

/// A third of the time of a history goes into small allocations otherwise.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs histories of the simulator.
#[derive(Parser)]
struct Arguments {
    /// How many histories.
    #[arg(long, default_value = "1000")]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value = "0")]
    from: u64,
    /// Acts of each history.
    #[arg(long, default_value = "50")]
    acts: usize,
    /// Tell the shrunk story of this many seeds for each broken law.
    #[arg(long, default_value = "1")]
    stories: usize,
    /// Tell the whole story of one seed.
    #[arg(long)]
    tell: Option<u64>,
    /// Live through an outage with so many Workspaces instead, and tell the recovery.
    #[arg(long)]
    outage: Option<usize>,
    /// `requestsPerSecond` of the Organization in the outage.
    #[arg(long)]
    requests_per_second: Option<i32>,
    /// The seeds that found something, beside the others.
    #[arg(long)]
    found: bool,
    /// Only this law.
    #[arg(long)]
    law: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.tell {
        let told = run(&History::of(seed, arguments.acts), true);
        for line in told.story {
            println!("{line}");
        }
        return ExitCode::SUCCESS;
    }
    if let Some(objects) = arguments.outage {
        return recover(objects, arguments.requests_per_second);
    }
    let found = FOUND.iter().filter(|_| arguments.found).map(|(seed, _)| *seed);
    let seeds = found.chain(arguments.from..arguments.from + arguments.seeds);
    let (seeds, done) = (Mutex::new(seeds), AtomicU64::new(0));
    let broken = Mutex::new(BTreeMap::<&'static str, Vec<u64>>::new());
    let steps = AtomicU64::new(0);
    let began = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().expect("a lock").next() else {
                        break;
                    };
                    let history = History::of(seed, arguments.acts);
                    let told = run(&history, false);
                    steps.fetch_add(told.steps, Ordering::Relaxed);
                    if let Some(violation) = told.violation {
                        // A run may take an hour, and be cut short.
                        eprintln!("\rseed {seed} breaks {}", violation.law.name);
                        broken
                            .lock()
                            .expect("a lock")
                            .entry(violation.law.name)
                            .or_default()
                            .push(seed);
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(1000) {
                        eprint!(
                            "\r{done} histories, {:.0} a second",
                            done as f64 / began.elapsed().as_secs_f64()
                        );
                        let _ = std::io::stderr().flush();
                    }
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    eprintln!();
    println!(
        "{} histories of {} acts in {took:.1} s: {:.0} a second",
        done.load(Ordering::Relaxed),
        arguments.acts,
        done.load(Ordering::Relaxed) as f64 / took
    );
    let broken = broken.into_inner().expect("a lock");
    for law in LAWS {
        let seeds = broken.get(law.name).map_or(&[][..], Vec::as_slice);
        println!("{:>7}  {}  ({})", seeds.len(), law.name, law.holds);
        if !seeds.is_empty() {
            println!("         seeds {:?}", &seeds[..seeds.len().min(30)]);
        }
    }
    for (name, seeds) in &broken {
        if arguments.law.as_ref().is_some_and(|law| law != name) {
            continue;
        }
        let Some(law) = LAWS.iter().find(|law| law.name == *name) else {
            continue;
        };
        let mut seeds = seeds.clone();
        seeds.sort_unstable();
        for seed in seeds.iter().take(arguments.stories) {
            let least = shrink(&History::of(*seed, arguments.acts), *law);
            println!("\n== {name}: {}\n   seed {seed}, {:?}", law.says, least.setup);
            for line in run(&least, true).story {
                println!("{line}");
            }
        }
    }
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn recover(objects: usize, requests_per_second: Option<i32>) -> ExitCode {
    let recovery = Outage::of_the_bar(objects, requests_per_second).live();
    println!(
        "calls in vain: {}; without a new token: {}",
        recovery.calls_in_vain, recovery.late
    );
    for (n, calls) in recovery.calls.iter().enumerate() {
        let until = (n as i64 + 1) * 10_000;
        let new = recovery.renewed.iter().filter(|at| **at <= until).count();
        println!("{:>4} s  {calls:>6} calls  {new:>6} new", until / 1000);
    }
    println!("all after {:?} ms", recovery.renewed.last());
    ExitCode::SUCCESS
}

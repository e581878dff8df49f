// SPDX-License-Identifier: GPL-2.0

//! Prints the nanoseconds for each page that is taken and put back, on one CPU and on two at once.
//!
//! In turn each thread takes one page and puts it back, or takes 32 and puts them all back. A
//! sample is the time of the slower thread. The figures are the best sample and the median.

use labyrinth_native_bench::{
    run_as,
    Cache,
    Locked,
    Peer,
    Queue,
    Reserve,
    Ring,
    Token,
    CPUS, //
};
use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{
        Duration,
        Instant, //
    }, //
};

/// The number of pages for each CPU.
const PAGES: usize = 256;
/// The number of samples.
const SAMPLES: usize = 31;
/// The pages that each thread takes in a sample.
const TAKEN: usize = 1 << 20;

/// Lets `threads` CPUs work at once, in batches. Returns the time of the slowest.
fn together<P: Peer>(peer: &P, threads: usize, batch: usize) -> Duration {
    let start = Barrier::new(threads);
    let work = |cpu| {
        run_as(cpu);
        let mut pages = Vec::with_capacity(batch);
        start.wait();
        let begin = Instant::now();
        for _ in 0..TAKEN / batch {
            if batch == 1 {
                let page = peer.get().expect("there are enough pages");
                peer.put(black_box(page));
            } else {
                pages.extend((0..batch).map(|_| peer.get().expect("there are enough pages")));
                black_box(&mut pages);
                pages.drain(..).for_each(|page| peer.put(page));
            }
        }
        begin.elapsed()
    };
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|cpu| scope.spawn(move || work(cpu)))
            .collect();
        let times = workers.into_iter().map(|worker| worker.join().unwrap());
        times.max().unwrap()
    })
}

fn measure<P: Peer>(batches: &[usize]) {
    for &batch in batches {
        for threads in 1..=CPUS {
            let peer = P::new(CPUS * PAGES);
            let mut samples: Vec<_> = (0..SAMPLES)
                .map(|_| together(&peer, threads, batch).as_nanos() as f64 / TAKEN as f64)
                .collect();
            samples.sort_by(f64::total_cmp);
            println!(
                "| {} | {batch} | {threads} | {:.1} | {:.1} |",
                P::NAME,
                samples[0],
                samples[SAMPLES / 2]
            );
        }
    }
}

fn main() {
    println!(
        "| store | pages at a time | CPUs | ns, best | ns, median |\n|---|---:|---:|---:|---:|"
    );
    measure::<Token>(&[1]);
    measure::<Cache>(&[1, 32]);
    measure::<Reserve>(&[1, 32]);
    measure::<Locked>(&[1, 32]);
    measure::<Queue>(&[1, 32]);
    measure::<Ring>(&[1, 32]);
}
